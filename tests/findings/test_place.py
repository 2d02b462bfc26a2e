from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import masking
from jenkins_cd.findings.place import place
from jenkins_cd.model import Finding, Level

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


MOVED = [
    ("x is defined again on line 12", "x is defined again on line 17"),
    ("Line 12 ends the block", "Line 17 ends the block"),
    ("LINE 12", "LINE 17"),
    ("line 12, column 3", "line 17, column 3"),
    ("line 12:3", "line 17:3"),
    ("line no. 12", "line no. 17"),
    ("line: 12", "line: 17"),
    ("copied from lines 12-20", "copied from lines 17-25"),
    ("lines 12–20", "lines 17–25"),
    ("lines 12 to 20", "lines 17 to 25"),
    ("lines 12, 14 and 20", "lines 17, 19 and 25"),
    ("10-20 lines are duplicate of `b.go:30-40`", "15-25 lines are duplicate of `b.go:35-45`"),
    ("Similar lines in 2 files ==a:[10:20] ==b:[30:40]", "Similar lines in 2 files ==a:[15:25] ==b:[35:45]"),
    ("Clone found: [10:1 - 20:5]", "Clone found: [15:1 - 25:5]"),
    ("see b.c:12", "see b.c:17"),
    ("see b.c:12:3-14:9", "see b.c:17:3-19:9"),
    ("see b.y:12.3-14.5", "see b.y:17.3-19.5"),
    ("first seen at a.py(12,3)", "first seen at a.py(17,3)"),
    ("first seen at a.cs(12)", "first seen at a.cs(17)"),
    ("first seen at a.cs(12,3,14,5)", "first seen at a.cs(17,3,19,5)"),
    ("first seen at (12, 3)", "first seen at (17, 3)"),
    ("declared at 12:5", "declared at 17:5"),
    ("see a.py#L12", "see a.py#L17"),
    ("see a.py#L12-L20", "see a.py#L17-L25"),
    ("see a.py#L12C3-L20C5", "see a.py#L17C3-L25C5"),
    ("see a.py#L12-20", "see a.py#L17-25"),
    ("copied, L12-L20", "copied, L17-L25"),
    ("copied (L12)", "copied (L17)"),
    ("see L12", "see L17"),
    ("Ln 12, Col 3", "Ln 17, Col 3"),
    ("on line(s) 12", "on line(s) 17"),
    ("lineno=12", "lineno=17"),
    ("see b.c:12,3", "see b.c:17,3"),
    ("lines 12-20 and 30-40", "lines 17-25 and 35-45"),
    ("Lines 12-20 duplicate lines 30-40.", "Lines 17-25 duplicate lines 35-45."),
    ("first seen at A.java:[12,3]", "first seen at A.java:[17,3]"),
    ("line 12 (column 3)", "line 17 (column 3)"),
    ("on line (12)", "on line (17)"),
    ("line\u00a012", "line\u00a017"),
    ("row 12, col 3", "row 17, col 5"),
    ("see b.rs:12:3..14:9", "see b.rs:17:3..19:9"),
    ("L12: it ends here", "L17: it ends here"),
]


@pytest.mark.parametrize(("before", "after"), MOVED)
def test_a_fingerprint_outlives_places_in_the_message_that_move(tmp_path: Path, before: str, after: str) -> None:
    [known] = fingerprints(tmp_path, "int x;\n", at(1, message=before))
    assert fingerprints(tmp_path, "\nint x;\n", at(2, message=after)) == [known]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("complexity is 12", "complexity is 17"),
        ("function has 12 lines", "function has 17 lines"),
        ("line too long (120 > 100)", "line too long (121 > 100)"),
        ("error C2065", "error C2066"),
        ("use [0-9]", "use [1-9]"),
        ("L12 is unused", "L17 is unused"),
        ("expected 2 arguments", "expected 3 arguments"),
        ("x1 is unused", "x2 is unused"),
        ("f(1) is odd", "f(2) is odd"),
        ("on line 3 and 4 more errors", "on line 3 and 5 more errors"),
        ("Go 1.21 or newer", "Go 1.22 or newer"),
        ("issue #12", "issue #17"),
    ],
)
def test_a_number_that_is_no_place_makes_another_finding(tmp_path: Path, one: str, other: str) -> None:
    assert fingerprints(tmp_path, "x\n", at(1, message=one)) != fingerprints(tmp_path, "x\n", at(1, message=other))


@pytest.mark.parametrize(
    ("message", "fingerprint"),
    [
        ("bad", "6a52a86e20ca19efa976946dd180bf19"),
        ("defined on line 3, see b.c:7:12", "c76fc9dc2ef94687663c7b077feaaf86"),
        ("1 of 2 is unused", "6ed102a934f72f059d8707268309abec"),
    ],
)
def test_a_baseline_of_earlier_versions_is_still_known(tmp_path: Path, message: str, fingerprint: str) -> None:
    assert fingerprints(tmp_path, "int x;\n", at(1, message=message)) == [fingerprint]


@pytest.mark.parametrize(
    "message",
    [
        "Duplicate module, also at {}/b.py",
        "see {}/sub/b.py:{}",
        "file://{}/b.py",
        "not a package: {}",
        "in {}.",
        "'{}' and `{}/x y/b.py`",
    ],
)
def test_a_fingerprint_is_the_same_in_each_workspace(tmp_path: Path, message: str) -> None:
    found = set()
    for name in ("shop", "shop@2", "a b", "deeper/shop"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        found |= set(fingerprints(folder, "x\n", at(1, message=message.replace("{}", str(folder)))))
    (tmp_path / "link").symlink_to("shop")
    for shown in (tmp_path / "link", tmp_path / "shop"):
        found |= set(fingerprints(tmp_path / "link", "x\n", at(1, message=message.replace("{}", str(shown)))))
    assert len(found) == 1


def test_another_workspace_beside_ours_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    ours, sibling, backup = (f"see {tmp_path}/{name}/b.py" for name in ("shop", "shop@2", "shop.old"))
    assert len({fingerprints(tmp_path / "shop", "x\n", at(1, message=one))[0] for one in (ours, sibling, backup)}) == 3


def test_findings_that_differ_only_in_places_are_counted_one_by_one(tmp_path: Path) -> None:
    both = fingerprints(
        tmp_path, "x\nx\n", at(1, message="see b.c:7"), at(1, message="see b.c:9"), at(2, message="see b.c:7")
    )
    assert len(set(both)) == 3


def test_of_two_levels_of_the_same_finding_the_graver_one_counts(tmp_path: Path) -> None:
    levels: list[Level] = ["note", "error", "warning"]
    for order in (levels, levels[::-1]):
        [found] = place([replace(at(1), level=level) for level in order], tmp_path, "lint")
        assert found.level == "error"


@pytest.mark.parametrize(
    ("file", "relative"),
    [
        ("a.c", "a.c"),
        ("./sub/../a.c", "a.c"),
        ("vendor/../a.c", "a.c"),
        ("../shop/a.c", "a.c"),
        ("{}/a.c", "a.c"),
        ("{}/sub//x/../a.c", "sub/a.c"),
        ("sub\\a.c", "sub/a.c"),
        (".\\a.c", "a.c"),
        ("C:\\src\\a.c", "C:/src/a.c"),
        ("app/[id]/(x)/a b.c", "app/[id]/(x)/a b.c"),
        ("日本/é.c", "日本/é.c"),
        ("../other/a.c", "../other/a.c"),
        ("/usr/include/a.h", "/usr/include/a.h"),
        ("{}@2/a.c", "{}@2/a.c"),
        ("{}", ""),
        (".", ""),
        ("", ""),
    ],
)
def test_a_path_is_relative_to_the_checkout_however_it_is_written(tmp_path: Path, file: str, relative: str) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    [found] = place([at(1, file.replace("{}", str(shop)))], shop, "lint", ["vendor"])
    assert found.file == relative.replace("{}", str(shop))


def test_a_backslash_stays_where_a_file_has_it_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "a\\b.c").write_text("x\n", encoding="utf-8")
    [found] = place([at(1, "a\\b.c")], tmp_path, "lint")
    assert (found.file, found.source[0]) == ("a\\b.c", "x")


def test_a_path_by_another_link_to_the_checkout_is_ours(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "link").symlink_to("shop")
    [found] = place([at(1, f"{tmp_path}/link/a.c")], tmp_path / "shop", "lint")
    assert found.file == "a.c"


def test_colours_in_a_message_make_no_other_finding(tmp_path: Path) -> None:
    [plain] = fingerprints(tmp_path, "x\n", at(1))
    assert fingerprints(tmp_path, "x\n", at(1, message="\x1b[31mbad\x1b[0m")) == [plain]


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


def test_a_secret_changes_no_fingerprint_and_takes_no_finding_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    (tmp_path / "a.go").write_text("one\nx := s3cret-of-an-agent\n", encoding="utf-8")
    found = [
        Finding(tool="lint", rule="r", message=f"bad {word}", level="error", file="a.go", line=2)
        for word in ("s3cret-of-an-agent", "other-s3cret-of-it")
    ]
    before = place(found, tmp_path, "lint")
    masking.register("s3cret-of-an-agent")
    masking.register("other-s3cret-of-it")
    after = place(found, tmp_path, "lint")
    assert [one.fingerprint for one in after] == [one.fingerprint for one in before]
    assert [one.message for one in after] == ["bad ****"] * 2
    assert after[0].source == ("one", "x := ****", "")


def test_a_secret_over_several_lines_moves_no_line_of_the_source(tmp_path: Path) -> None:
    masking.register("first-l1ne of it\nsecond-l1ne of it")
    (tmp_path / "a.go").write_text("one\nfirst-l1ne of it\nsecond-l1ne of it\nfour\n", encoding="utf-8")
    finding = Finding(tool="lint", rule="r", message="bad", level="error", file="a.go", line=4)
    assert place([finding], tmp_path, "lint")[0].source == ("one", "****", "****", "four", "")
