from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import text
from jenkins_cd.tools import process

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


def places(report: str) -> list[tuple[str, int]]:
    return [(item.file, item.line) for item in text.diff(report)]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_a_row_ends_with_its_line_feed_and_nowhere_else(character: str) -> None:
    first = (
        f"--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n a{character}b\n-x  = 1{character}\n+x = 1{character}\n {character}\n"
    )
    assert places(first + "--- b.py\n+++ b.py\n@@ -7 +7 @@\n-y\n+z\n") == [("a.py", 2), ("b.py", 7)]


def test_rows_of_a_source_that_ends_lines_with_cr_are_told_apart() -> None:
    """ruff's way."""
    report = "--- a.py\n+++ a.py\n@@ -1,3 +1,3 @@\n-x=1\r-y=2\r+x = 1\r+y = 2\r z = 3\r\n"
    assert places(f"{report}--- b.py\n+++ b.py\n@@ -7 +7 @@\n-y\n+z\n") == [("a.py", 1), ("b.py", 7)]


def test_windows_line_ends_do_not_matter() -> None:
    assert places(DIFF.replace("\n", "\r\n")) == places(DIFF)


def test_colours_do_not_matter() -> None:
    coloured = "".join(f"\x1b[31m{row}\x1b[0m\x1b[K\n" for row in DIFF.split("\n"))
    assert places(coloured) == places(DIFF)
    rows = "\x1b[31m-\x1b[0m\x1b[31mx\n\x1b[0m\x1b[32m+\x1b[0m\x1b[32my\n\x1b[0m\n"
    ruffs = f"--- \x1b[31ma.py\x1b[0m\n+++ \x1b[32ma.py\x1b[0m\n@@ -1 +1 @@\n{rows}"
    assert places(ruffs) == [("a.py", 1)]


def test_an_escape_sequence_without_an_end_swallows_no_row() -> None:
    assert places("--- a\n+++ a\n@@ -1,2 +1,2 @@\n-x\x1b]0;\n+y\n z\n--- b\n+++ b\n@@ -1 +1 @@\n-x\n+y\n") == [
        ("a", 1),
        ("b", 1),
    ]


@pytest.mark.parametrize(
    ("report", "file"),
    [
        ("Binary files a/x.png and b/x.png differ\n", "x.png"),
        ("Binary files old/x.png and new/x.png differ\n", "new/x.png"),
        ("Only in new/sub: x y.go\n", "new/sub/x y.go"),
        ("Files a/x and b/x differ\n", "x"),
        ("diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n", "run.sh"),
        ("diff --git a/a b.go b/a b.go\nnew file mode 100644\nindex 0000000..e69de29\n", "a b.go"),
        ("diff --git a/old.go b/newer.go\nsimilarity index 100%\nrename from old.go\nrename to newer.go\n", "newer.go"),
        ("diff --git a/x.png b/x.png\nindex 1..2 100644\nGIT binary patch\ndelta 3\nabc\n", "x.png"),
    ],
)
def test_a_file_of_which_no_lines_are_shown_differs_all_the_same(report: str, file: str) -> None:
    other = "diff --git a/z.go b/z.go\n--- a/z.go\n+++ b/z.go\n@@ -3 +3 @@\n-x\n+y\n"
    assert sorted(places(report + other)) == sorted([(file, 1), ("z.go", 3)])
    assert sorted(places(other + report)) == sorted([(file, 1), ("z.go", 3)])


@pytest.mark.parametrize(
    ("old", "new", "file"),
    [
        ('"a/caf\\303\\251 \\"x\\".py"', '"b/caf\\303\\251 \\"x\\".py"', 'café "x".py'),
        ("a/[id]/(x) y.py\t", "b/[id]/(x) y.py\t", "[id]/(x) y.py"),
        ("a.py\t2026-01-01 00:00:00", "a.py\t2026-01-01 00:00:00", "a.py"),
        ("src\\a.py", "src\\a.py", "src\\a.py"),
        ("/x/a.py", "/x/a.py", "/x/a.py"),
        ("a.go.orig", "a.go", "a.go"),
    ],
)
def test_a_name_is_read_as_it_was_quoted(old: str, new: str, file: str) -> None:
    assert places(f"--- {old}\n+++ {new}\n@@ -1 +1 @@\n-x\n+y\n") == [(file, 1)]


def test_a_file_that_git_adds_or_removes_has_its_name() -> None:
    new = "diff --git a/n.py b/n.py\nnew file mode 100644\n--- /dev/null\n+++ b/n.py\n@@ -0,0 +1 @@\n+x\n"
    gone = "diff --git a/o.py b/o.py\ndeleted file mode 100644\n--- a/o.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    assert places(new + gone) == [("n.py", 1), ("o.py", 1)]


HEAD = "--- a\n+++ a\n"
WHOLE = "--- b\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"


@pytest.mark.parametrize(
    "broken",
    [
        HEAD,
        f"{HEAD}@@ -1,2 +1,2 @@\n-x\n+y\n",
        f"{HEAD}@@ -1,9 +1,9 @@\n-x\n+y\n",
        f"{HEAD}@@ -1 +1 @@\n-x\n+y\n+z\n",
        f"{HEAD}@@ -1,2 +1 @@\n-x\n+y\n",
        f"{HEAD}@@ -1 +1 @@\nx\n+y\n",
        f"{HEAD}@@ -x +y @@\n-x\n+y\n",
        f"{HEAD}@@@ -1 -1 +1 @@@\n- x\n -x\n++y\n",
        "@@ -1 +1 @@\n-x\n+y\n",
    ],
)
def test_a_hunk_whose_rows_do_not_add_up_is_refused_wherever_it_stands(broken: str) -> None:
    for report in (broken + WHOLE, WHOLE + broken):
        if not report.startswith("--- b") or not broken.startswith("@@ -1 +1"):  # there it is one more hunk of b
            with pytest.raises(UnreadableReport, match="cut off or broken"):
                text.diff(report)


@pytest.mark.parametrize(
    "last", ["--- c", "--- c\n+++ c", "--- c\n+++ c\n@@ -1 +1 @@", "--- c\n+++ c\n@@ -1 +1 @@\n-x"]
)
def test_a_diff_that_ends_within_a_file_is_refused(last: str) -> None:
    with pytest.raises(UnreadableReport, match="cut off or broken"):
        text.diff(f"{WHOLE}{last}\n")


def test_words_around_a_diff_are_passed_over() -> None:
    assert places(f"From 1a2b Mon Sep 17\nSubject: x\n---\n a | 2 +-\n\n{WHOLE}-- \n2.39.0\n\n") == [("b", 1)]


def test_a_diff_of_many_hunks_is_read_in_no_time() -> None:
    hunks = "".join(f"@@ -{line} +{line} @@\n-x\n+y\n" for line in range(1, 60_001))
    assert len(text.diff(f"{HEAD}{hunks}")) == 60_000


SOURCES = {
    "form feed": b'x = {  "a":1 }\n\x0c\ny = [ 1 ]\n',
    "U+2028": 'x = {  "a":1 }\n# \u2028\ny = [ 1 ]\n'.encode(),
    "CRLF": b'x = {  "a":1 }\r\ny = [ 1 ]\r\n',
    "CR": b'x = {  "a":1 }\ry = [ 1 ]\r',
    "no end": b'x = {  "a":1 }\ny = [ 1 ]',
    "tabs": b'def f():\n\tx = {  "a":1 }\n',
}


def test_what_ruff_prints_of_odd_sources_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{name} [x] (y) é.py" for name in SOURCES]
    for name, source in zip(names, SOURCES.values(), strict=True):
        (tmp_path / name).write_bytes(source)
    monkeypatch.setenv("FORCE_COLOR", "1")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ruff = shutil.which("ruff", path=path)
    assert ruff, "ruff is missing: python3 -m pip install ruff"
    done = process.run([ruff, "format", "--no-cache", "--diff", "."], cwd=tmp_path)
    assert {item.file for item in text.diff(done.stdout)} == set(names)
    forced = process.run(
        [ruff, "format", "--no-cache", "--diff", "."], cwd=tmp_path, env={"FORCE_COLOR": "1", "NO_COLOR": ""}
    )
    assert "\x1b[" in forced.stdout
    assert places(forced.stdout) == places(done.stdout)


def test_what_gofmt_prints_of_odd_sources_is_read_whole(tmp_path: Path) -> None:
    names = ["a.go", "b [x] (y) é.go"]
    for name in names:
        (tmp_path / name).write_bytes("package main\n\n// \x0c\u2028 x\ry\nfunc  main( ) {}\n".encode())
    done = process.run(["gofmt", "-d", "."], cwd=tmp_path, install="apt-get install golang-go")
    assert {item.file for item in text.diff(done.stdout)} == set(names)
