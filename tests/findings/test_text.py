from __future__ import annotations

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import golang, python, text

DIFF = """diff --git a/cart.go b/cart.go
--- a/cart.go\t2026-01-01
+++ b/cart.go\t2026-01-01
@@ -1,7 +1,8 @@ func Total()
 one
-  two
+two
 three
-four
 five
+six
+
 seven
 eight
\\ No newline at end of file
"""


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
    ],
)
def test_lines_that_name_no_place_are_passed_over(line: str) -> None:
    assert text.lines(line) == []


def test_a_very_long_line_is_read_in_no_time() -> None:
    assert len(text.lines("a:1: " + "x (" * 1_000_000)) == 1


def test_each_change_of_a_diff_is_a_finding_at_its_line_in_the_present_file() -> None:
    assert [(item.file, item.line, item.message) for item in text.diff(DIFF)] == [
        ("cart.go", 2, "not formatted: white space differs"),
        ("cart.go", 4, "not formatted: expected nothing here"),
        ("cart.go", 6, "not formatted: expected 'six'"),
    ]


@pytest.mark.parametrize("cut", [3, 6, 10])
def test_a_diff_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(UnreadableReport, match="diff"):
        text.diff("\n".join(DIFF.splitlines()[:cut]))


def test_a_new_and_a_removed_file_have_their_names() -> None:
    new = "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x\n"
    gone = "--- old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert [(item.file, item.line) for item in text.diff(new + gone)] == [("b/new.py", 1), ("old.py", 1)]


def test_vet_reports_of_older_go_are_read_too() -> None:
    one = '{"x": {"assign": [{"posn": "a.go:3:1", "message": "self-assignment"}]}}'
    found = golang.vet(f"# example.com/x\n{one}\n# example.com/y\n{{}}\n")
    assert [(item.rule, item.level, item.file, item.line) for item in found] == [("assign", "warning", "a.go", 3)]


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
