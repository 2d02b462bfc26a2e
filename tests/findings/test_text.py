from __future__ import annotations

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import golang, python, text


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cart.c:3:7: warning: unused 'x' [-Wunused]", ("cart.c", 3, 7, "warning", "-Wunused", "unused 'x'")),
        ("cart.c:3:7: fatal error: gone.h: none", ("cart.c", 3, 7, "error", "text", "gone.h: none")),
        ("./a b.py:12: SyntaxWarning: odd", ("./a b.py", 12, None, "warning", "SyntaxWarning", "odd")),
        ("src/a.ts(3,7): error TS2322: wrong type", ("src/a.ts", 3, 7, "error", "TS2322", "wrong type")),
        ("shop.py:1:1: F401 'os' unused", ("shop.py", 1, 1, "error", "F401", "'os' unused")),
        ("x.yaml:2:1: [note] something", ("x.yaml", 2, 1, "error", "text", "[note] something")),
        ("main.go:9:2: undefined: add", ("main.go", 9, 2, "error", "text", "undefined: add")),
        ("A.java:9: note: deprecated", ("A.java", 9, None, "note", "text", "deprecated")),
        ("app/(auth)/[id]/page.tsx:3:7: error: bad", ("app/(auth)/[id]/page.tsx", 3, 7, "error", "text", "bad")),
        ("app/(12)/[3]/a b.ts(3,7): error TS1: bad", ("app/(12)/[3]/a b.ts", 3, 7, "error", "TS1", "bad")),
        ("C:\\src\\a b.c(3): error C2065: bad", ("C:\\src\\a b.c", 3, None, "error", "C2065", "bad")),
        ("C:\\src\\a.c(3,7) : warning C1: odd", ("C:\\src\\a.c", 3, 7, "warning", "C1", "odd")),
        ("C:/src/a.c:3:7: warning: odd", ("C:/src/a.c", 3, 7, "warning", "text", "odd")),
        ("src\\a.c:3: bad", ("src\\a.c", 3, None, "error", "text", "bad")),
        ("日本.c:3: error: bad", ("日本.c", 3, None, "error", "text", "bad")),
        ("src/12:30.c:3:7: error: bad", ("src/12:30.c", 3, 7, "error", "text", "bad")),
        ("ns:a.c:3:7: error: bad", ("ns:a.c", 3, 7, "error", "text", "bad")),
        ("a.c:12:3-14: warning: odd", ("a.c", 12, 3, "warning", "text", "odd")),
        ("a.c:12-14: bad", ("a.c", 12, None, "error", "text", "bad")),
        ("a.y:12.3-14.5: warning: odd", ("a.y", 12, 3, "warning", "text", "odd")),
        ("a.y:12.3: error: bad", ("a.y", 12, 3, "error", "text", "bad")),
        ("a.cs(12,3,14,5): warning CS1: odd", ("a.cs", 12, 3, "warning", "CS1", "odd")),
        ("A.hs:(3,1)-(5,2): error: bad", ("A.hs", 3, 1, "error", "text", "bad")),
        ("a.ts:3:7 - error TS2322: bad", ("a.ts", 3, 7, "error", "TS2322", "bad")),
        ("src/a.rs:3:7: error[E0308]: bad", ("src/a.rs", 3, 7, "error", "E0308", "bad")),
        ("a.c:3: see b.c:9:1: odd", ("a.c", 3, None, "error", "text", "see b.c:9:1: odd")),
        ("[ERROR] /src/A b.java:[3,7] bad", ("/src/A b.java", 3, 7, "error", "text", "bad")),
        ("[WARNING] src/A.java:[3,7] [removal] odd", ("src/A.java", 3, 7, "warning", "text", "[removal] odd")),
        ("[WARNING] A.java:[3,7] error: bad", ("A.java", 3, 7, "error", "text", "bad")),
        ("w: file:///src/A.kt:3:7 odd", ("file:///src/A.kt", 3, 7, "warning", "text", "odd")),
        ("e: /src/A.kt: (3, 7): bad", ("/src/A.kt", 3, 7, "error", "text", "bad")),
        ("vet: ./a.go:3:7: bad", ("./a.go", 3, 7, "error", "text", "bad")),
        ("  12>a.cs(3,7): warning CS1: odd", ("a.cs", 3, 7, "warning", "CS1", "odd")),
        ("Dockerfile:3 DL3008 warning: odd", ("Dockerfile", 3, None, "warning", "DL3008", "odd")),
        ("Dockerfile:3 DL3059 style: odd", ("Dockerfile", 3, None, "error", "DL3059", "style: odd")),
        ("a.md:3:81 MD013/line-length odd", ("a.md", 3, 81, "error", "MD013/line-length", "odd")),
        ("src/A.kt:3:7 odd (final-newline)", ("src/A.kt", 3, 7, "error", "final-newline", "odd")),
        ("a.cpp:3:7: error: bad [b-a,-warnings-as-errors]", ("a.cpp", 3, 7, "error", "b-a,-warnings-as-errors", "bad")),
        ("a.c:3: 12 errors", ("a.c", 3, None, "error", "text", "12 errors")),
        ("file:///src/a.c:3:7: error: bad", ("file:///src/a.c", 3, 7, "error", "text", "bad")),
        ("\x1b[1ma.c:3:7:\x1b[0m \x1b[31merror: \x1b[0mbad\x1b[K", ("a.c", 3, 7, "error", "text", "bad")),
        ("\x1b]8;;file:///a.c\x1b\\a.c:3\x1b]8;;\x1b\\: bad", ("a.c", 3, None, "error", "text", "bad")),
        ("checked 3 of 9\ra.c:3: bad\r", ("a.c", 3, None, "error", "text", "bad")),
        ("\ufeffa.c:3: bad", ("a.c", 3, None, "error", "text", "bad")),
        ("\x0ca.c:3: bad", ("a.c", 3, None, "error", "text", "bad")),
        ("a.c:3: bad\u2028b.c:4: worse", ("a.c", 3, None, "error", "text", "bad\u2028b.c:4: worse")),
        ("a.c:3: 日本\x0c\x85", ("a.c", 3, None, "error", "text", "日本")),
    ],
)
def test_lines_of_compilers_and_linters_are_read(line: str, found: tuple[object, ...]) -> None:
    [item] = text.lines(f"building\n{line}\n    source\n      ^\n")
    assert (item.file, item.line, item.column, item.level, item.rule, item.message) == found


@pytest.mark.parametrize(
    "line",
    [
        "make[1]: Entering directory '/x'",
        "12:30:45: started",
        "  cart.c:3:7: warning: a quotation",
        "see http://localhost:80/x",
        "3 errors",
        "cart.c:3:",
        "make: *** [Makefile:12: all] Error 2",
        "pulling registry/python:3.10: not found",
        "In file included from a.c:3:",
        "warning: registry.example:5000: unknown authority",
        "10:30:45 the server is up",
        "[10:30:45 INFO] a.c compiled",
        "listening on 0.0.0.0:80:8080 now",
        "error: something about a.c:3:7: words",
        "https://localhost:80: refused",
        "f(3) = 4",
    ],
)
def test_lines_that_name_no_place_are_passed_over(line: str) -> None:
    assert text.lines(line) == []


def test_a_very_long_line_is_read_in_no_time() -> None:
    assert len(text.lines("a:1: " + "x (" * 1_000_000)) == 1


def test_vet_reports_of_older_go_are_read_too() -> None:
    one = '{"x": {"assign": [{"posn": "a.go:3:1", "message": "self-assignment"}]}}'
    found = golang.vet(f"# example.com/x\n{one}\n# example.com/y\n{{}}\n")
    assert [(item.rule, item.level, item.file, item.line) for item in found] == [("assign", "warning", "a.go", 3)]


def test_a_path_of_gofmt_ends_with_its_line_and_nowhere_else() -> None:
    found = golang.file_list("a\u2028b.go\r\n my file.go \n\n\x1b[31mc.go\x1b[0m\n")
    assert [item.file for item in found] == ["a\u2028b.go", " my file.go ", "c.go"]


@pytest.mark.parametrize(
    ("position", "place"),
    [
        ("a.go:3:1", ("a.go", 3, 1)),
        ("a.go:3", ("a.go", 3, None)),
        ("C:\\\\x y\\\\a.go:3:1", ("C:\\x y\\a.go", 3, 1)),
        ("[a]:7/(b).go:3:0", ("[a]:7/(b).go", 3, None)),
        ("-", ("", 1, None)),
    ],
)
def test_a_position_of_vet_may_have_any_path(position: str, place: tuple[str, int, int | None]) -> None:
    [found] = golang.vet(f'{{"x": {{"assign": [{{"posn": "{position}", "message": "m"}}]}}}}')
    assert (found.file, found.line, found.column) == place


def test_a_message_of_mypy_may_have_any_character_in_it() -> None:
    line = '{"file": "a.py", "line": 1, "column": 0, "message": "a\u2028b\x85c", "code": null, "severity": "error"}'
    assert [item.message for item in python.mypy(f"\ufeff{line}\r\n{line}\n")] == ["a\u2028b\x85c"] * 2


def test_an_analyzer_that_failed_makes_the_report_incomplete() -> None:
    with pytest.raises(UnreadableReport, match="the analyzer printf failed: no types"):
        golang.vet('{"x": {"printf": {"error": "no types"}}}')


def test_generated_code_is_nobodys_dead_code() -> None:
    function = '{"Name": "F", "Position": {"File": "a.go", "Line": 1, "Col": 1}, "Generated": true}'
    assert golang.deadcode(f'[{{"Path": "x", "Funcs": [{function}]}}]') == []


def test_a_line_that_vulture_would_not_print_is_refused() -> None:
    with pytest.raises(UnreadableReport, match="no vulture report: 'Killed'"):
        python.vulture("a.py:1: unused import 'os' (90% confidence)\nKilled\n")


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("unused function 'f'", "unused-function"),
        ("unreachable code after 'return'", "unreachable-code"),
        ("unsatisfiable 'if' condition", "unsatisfiable"),
    ],
)
def test_vultures_rule_is_the_kind_of_code(message: str, rule: str) -> None:
    [found] = python.vulture(f"a.py:3: {message} (100% confidence, 2 lines)")
    assert (found.rule, found.message) == (rule, message)
