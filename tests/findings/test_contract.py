"""What holds for every format: real output of the real tool is read, and no garbage breaks the reader."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from jenkins_cd.config.types import FindingFormat
from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import PARSERS, coverage, junit
from jenkins_cd.model import Finding
from jenkins_cd.tools import process
from tests.stages.projects import GO, PYTHON, write

PROJECTS = {"go": GO, "python": PYTHON}
DIFF_WANTED = "not formatted: expected 'return a + b'"
# format → project, the tool's command, and (rule, level, file, line, column, message) of one finding in its output
CONTRACT: Mapping[FindingFormat, tuple[str, list[str], tuple[str, str, str, int, int | None, str]]] = {
    "go-vet-json": (
        "go",
        ["go", "vet", "-json", "./..."],
        ("printf", "error", "main.go", 6, 14, 'fmt.Printf format %d has arg "one" of wrong type string'),
    ),
    "sarif": (
        "go",
        ["staticcheck", "-f", "sarif", "./..."],
        ("SA4018", "warning", "main.go", 8, 2, "self-assignment of total to total"),
    ),
    "deadcode-json": (
        "go",
        ["deadcode", "-json", "./..."],
        ("unreachable-function", "warning", "main.go", 16, 6, "no main package reaches forgotten"),
    ),
    "gofmt-list": ("go", ["gofmt", "-l", "."], ("format", "error", "main.go", 1, None, "not formatted")),
    "diff": ("python", ["ruff", "format", "--diff", "."], ("format", "error", "shop.py", 5, None, DIFF_WANTED)),
    "mypy-json": (
        "python",
        ["mypy", "--output", "json", "."],
        ("return-value", "error", "shop.py", 9, 12, 'Incompatible return value type (got "str", expected "int")'),
    ),
    "vulture": (
        "python",
        ["vulture", "."],
        ("unused-function", "warning", "shop.py", 8, None, "unused function 'forgotten'"),
    ),
    "text": ("go", ["go", "vet", "."], ("text", "error", "main.go", 8, 2, "self-assignment of total")),
}
GARBAGE = [
    *("", "\n", "Traceback (most recent call last):", "null", "[]", "{}", "0", '"x"', "[[]]", "\ufeff[]", "\0"),
    *("[" * 5000, "{" * 5000, '{"a":' * 2000, "9" * 5000, "@@ -1,9 +1,9 @@", "--- a\n+++ b\n@@ -1 +1 @@"),
    *(
        '{"x": {"\\ud800": [{"posn": "-", "message": "\\ud800 half a pair"}]}}',
        '{"version":"2.1.0","runs":[{}]}',
        '{"p": {"a": [{}]}}',
        '{"file": 1}',
        '[{"Path": "x", "Funcs": [{"Name": 1}]}]',
    ),
]
STRUCTURED = ("go-vet-json", "sarif", "deadcode-json", "mypy-json")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[FindingFormat, tuple[Path, str]]:
    """Return what each tool really prints, and where it was run."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    folders = {name: write(tmp_path_factory.mktemp(name), files) for name, files in PROJECTS.items()}
    printed: dict[FindingFormat, tuple[Path, str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", path)
        for name, (project, argv, _) in CONTRACT.items():
            done = process.run(argv, cwd=folders[project], install=f"see toolchains/{project}.yaml")
            printed[name] = (folders[project], done.stdout or done.stderr)
    return printed


def test_every_format_is_in_the_contract() -> None:
    assert set(CONTRACT) == set(PARSERS)


@pytest.mark.parametrize("name", CONTRACT)
def test_what_the_real_tool_prints_is_read(outputs: dict[FindingFormat, tuple[Path, str]], name: FindingFormat) -> None:
    folder, printed = outputs[name]
    found = [
        (item.rule, item.level, item.file.replace(f"{folder}/", ""), item.line, item.column, item.message)
        for item in PARSERS[name](printed)
    ]
    assert CONTRACT[name][2] in found


@pytest.mark.parametrize("name", CONTRACT)
def test_a_report_that_is_cut_off_or_garbled_is_refused_or_read_but_never_breaks_the_reader(
    outputs: dict[FindingFormat, tuple[Path, str]], name: FindingFormat
) -> None:
    printed = outputs[name][1]
    chance = random.Random(name)  # noqa: S311 - the same each time
    whole = len(printed.strip())
    for _ in range(60):
        cut = chance.randrange(1, whole)
        refused = not survives(PARSERS[name], printed[:cut])
        # A cut between two of mypy's lines leaves a whole report.
        assert refused or name not in STRUCTURED or printed[cut - 1 : cut + 1].count("\n"), printed[:cut][-80:]
        at = chance.randrange(whole)
        survives(PARSERS[name], printed[:at] + chance.choice('\0{}[]":,-9\ud800\n<&') + printed[at + 1 :])


@pytest.mark.parametrize("name", CONTRACT)
@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_never_breaks_a_reader(name: FindingFormat, text: str) -> None:
    survives(PARSERS[name], text)


@pytest.mark.parametrize("name", ["sarif", "go-vet-json", "deadcode-json"])
def test_an_empty_report_is_no_report_where_the_tool_always_prints_one(name: FindingFormat) -> None:
    with pytest.raises(UnreadableReport):
        PARSERS[name]("")


@pytest.mark.parametrize("name", ["text", "diff", "mypy-json", "vulture", "gofmt-list"])
def test_an_empty_report_is_no_finding_where_the_tool_prints_findings_only(name: FindingFormat) -> None:
    assert PARSERS[name]("") == []


@pytest.mark.parametrize(
    "content",
    [
        '<testsuites><testsuite name="a"><testcase name="b" time="1"/></testsuite></testsuites>',
        '<coverage lines-valid="4" lines-covered="3"/>',
        "mode: set\na.go:1.2,3.4 5 1\n",
    ],
)
def test_no_garbled_test_or_coverage_report_breaks_its_reader(tmp_path: Path, content: str) -> None:
    file = tmp_path / "report"
    for cut in range(len(content)):
        for text in (content[:cut], content[:cut] + "\0" + content[cut:], content[:cut] + "é" + content[cut + 1 :]):
            file.write_bytes(text.encode("latin-1"))
            for reader in (lambda: junit.read([file]), lambda: coverage.read(file, "cobertura")):
                silent(reader)
            silent(lambda: coverage.read(file, "go-cover"))


def survives(parser: Callable[[str], list[Finding]], text: str) -> bool:
    """Tell whether the report was read; anything but UnreadableReport fails the test."""
    try:
        found = parser(text)
    except UnreadableReport:
        return False
    assert all(item.line >= 1 for item in found)
    if "\ud800" not in text:
        assert all((item.rule + item.message + item.file).encode() is not None for item in found)
    return True


def silent(reader: Callable[[], object]) -> None:
    with contextlib.suppress(UnreadableReport):
        reader()
