from __future__ import annotations

from pathlib import Path

from jenkins_cd import masking
from jenkins_cd.findings.place import place
from jenkins_cd.model import Finding

CODE = "".join(f"line {number}\n" for number in range(1, 21))


def at(line: int, file: str = "a.c", message: str = "bad", **values: object) -> Finding:
    return Finding(tool="lint", rule="r", message=message, level="error", file=file, line=line, **values)  # type: ignore[arg-type]


def fingerprints(workspace: Path, code: str, *findings: Finding) -> list[str]:
    (workspace / "a.c").write_text(code, encoding="utf-8")
    return [item.fingerprint for item in place(findings, workspace, "lint")]


def test_a_finding_gets_the_source_lines_around_it(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text(CODE, encoding="utf-8")
    first, middle, last = place([at(1), at(10), at(20)], tmp_path, "lint")
    assert (middle.source_start, middle.source) == (7, tuple(f"line {number}" for number in range(7, 14)))
    assert (first.source_start, len(first.source)) == (1, 4)
    assert last.source[20 - last.source_start] == "line 20"


def test_a_fingerprint_outlives_lines_that_move_and_are_indented_anew(tmp_path: Path) -> None:
    [before] = fingerprints(tmp_path, "int x;\n", at(1))
    assert fingerprints(tmp_path, "\n\n  int  x;\n", at(3)) == [before]


def test_a_fingerprint_outlives_line_numbers_in_the_message(tmp_path: Path) -> None:
    [before] = fingerprints(tmp_path, "int x;\n", at(1, message="defined on line 3, see b.c:7"))
    assert fingerprints(tmp_path, "int x;\n", at(1, message="defined on line 13, see b.c:17")) == [before]


def test_another_line_message_rule_or_tool_is_another_finding(tmp_path: Path) -> None:
    [before] = fingerprints(tmp_path, "int x;\n", at(1))
    assert fingerprints(tmp_path, "int y;\n", at(1)) != [before]
    assert fingerprints(tmp_path, "int x;\n", at(1, message="worse")) != [before]


def test_equal_findings_are_counted_so_that_each_has_its_own(tmp_path: Path) -> None:
    code = "x();\ny();\nx();\n"
    both = fingerprints(tmp_path, code, at(1), at(3))
    assert len(set(both)) == 2
    assert fingerprints(tmp_path, code, at(3), at(1)) == both
    assert fingerprints(tmp_path, "y();\nx();\n", at(2)) == both[:1]


def test_what_a_tool_says_twice_counts_once(tmp_path: Path) -> None:
    assert len(place([at(1), at(1)], tmp_path, "lint")) == 1


def test_absolute_paths_become_relative_also_through_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    found = place([at(1, f"{real}/a.c"), at(2, f"{tmp_path}/link/a.c"), at(3, "./a.c")], tmp_path / "link", "lint")
    assert [item.file for item in found] == ["a.c"] * 3


def test_files_outside_the_checkout_are_not_read(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (tmp_path / "secret").write_text("secret\n", encoding="utf-8")
    (checkout / "link").symlink_to(tmp_path / "secret")
    found = place([at(1, "../secret"), at(1, str(tmp_path / "secret")), at(1, "link")], checkout, "lint")
    assert [item.source for item in found] == [()] * 3


def test_places_that_do_not_exist_are_survived(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("x\n", encoding="utf-8")
    odd = [at(99), at(1, ""), at(1, "gone.c"), at(1, "\0"), at(1, "x" * 5000), at(1, "."), at(10**8)]
    assert {item.source for item in place(odd, tmp_path, "lint")} == {()}


def test_folders_of_foreign_code_are_left_out(tmp_path: Path) -> None:
    found = place([at(1, "vendor/x/a.c"), at(1, "vendored.c")], tmp_path, "lint", ["vendor"])
    assert [item.file for item in found] == ["vendored.c"]


def test_a_format_that_names_no_tool_gets_the_commands(tmp_path: Path) -> None:
    nameless = Finding(tool="", rule="r", message="m", level="note", file="a.c")
    assert place([nameless], tmp_path, "gofmt")[0].tool == "gofmt"


def test_secrets_are_masked_in_message_and_source(tmp_path: Path) -> None:
    masking.register("hunter2-of-tests")
    (tmp_path / "a.c").write_text("password = 'hunter2-of-tests'\n", encoding="utf-8")
    [found] = place([at(1, message="hunter2-of-tests is hard-coded")], tmp_path, "lint")
    assert "hunter2" not in found.message + found.source[0]


def test_a_source_that_is_no_utf8_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"caf\xe9\n")
    assert place([at(1)], tmp_path, "lint")[0].source[0] == "caf\ufffd"


def test_nothing_that_a_report_says_can_steer_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"x\x1b[2J\r\n")
    [found] = place([at(1, message="bad\x1b]0;title\x07\tword")], tmp_path, "lint")
    assert (found.message, found.source[0]) == ("bad\tword", "x[2J")


def test_a_very_long_source_line_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("x" * 100_000, encoding="utf-8")
    assert len(place([at(1)], tmp_path, "lint")[0].source[0]) == 300
