"""Of reports that were generated from known findings, none may be lost and none made milder; a part of one neither."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from jenkins_cd.config.types import CoverageFormat, FindingFormat
from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import PARSERS, coverage, junit
from jenkins_cd.findings.place import place
from jenkins_cd.model import Finding, Level
from tests.findings import generated
from tests.findings.generated import RENDER, Known, Report

SEEDS = range(25)
GRAVITY: dict[Level, int] = {"note": 0, "warning": 1, "error": 2}
# What a format says without words: the level of all of its findings.
OWN_LEVEL: dict[FindingFormat, tuple[Level, ...]] = {
    "go-vet-json": ("error", "warning"),
    "deadcode-json": ("warning",),
    "gofmt-list": ("error",),
    "mypy-json": ("error", "note"),
    "vulture": ("warning",),
    "diff": ("error",),
}


def report_of(name: FindingFormat, seed: int) -> tuple[random.Random, list[Known], Report]:
    chance = random.Random(f"{name} {seed}")  # noqa: S311 - the same each time
    known = generated.known(chance, chance.randint(1, 8), OWN_LEVEL.get(name, generated.LEVELS))
    return chance, known, RENDER[name](chance, known)


def lost(name: FindingFormat, known: list[Known], found: list[Finding], *, line: bool = True) -> list[Known]:
    """Return the known findings that no found one stands for, at the place and at least as grave."""
    line = line and name != "gofmt-list"
    return [
        one
        for one in known
        if not any(
            item.file.removeprefix("/src/") == one.file
            and (item.line == one.line or not line)
            and GRAVITY[item.level] >= GRAVITY[one.level]
            for item in found
        )
    ]


def test_every_format_is_generated() -> None:
    assert set(RENDER) == set(PARSERS)


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_report_is_read_whole(name: FindingFormat, seed: int) -> None:
    _, known, report = report_of(name, seed)
    found = PARSERS[name](report.text)
    assert lost(name, known, found) == [], report.text
    assert len(found) == len(known), report.text


@pytest.mark.parametrize("name", RENDER)
def test_what_is_graver_than_it_is_would_be_seen(name: FindingFormat) -> None:
    """Levels are read, not all taken as errors."""
    for seed in SEEDS:
        _, known, report = report_of(name, seed)
        levels = {(item.file.removeprefix("/src/"), item.level) for item in PARSERS[name](report.text)}
        assert levels == {(one.file, one.level) for one in known}, report.text


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_report_that_is_cut_is_refused_or_keeps_what_can_still_be_read(name: FindingFormat, seed: int) -> None:
    chance, known, report = report_of(name, seed)
    for _ in range(15):
        cut = chance.randrange(len(report.text))
        try:
            found = PARSERS[name](report.text[:cut])
        except UnreadableReport:
            continue
        assert lost(name, [one for one in known if report.ends[one] <= cut], found) == [], report.text[:cut]


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_report_with_lines_of_others_in_it_is_refused_or_keeps_what_can_be_read(
    name: FindingFormat, seed: int
) -> None:
    chance, known, report = report_of(name, seed)
    rows = report.text.split("\n")
    for _ in range(10):
        at = chance.randrange(len(rows) + 1)
        text = "\n".join(
            [*rows[:at], chance.choice(["Killed", "", "\x1b[0m", "\x0c", "go: downloading x"]), *rows[at:]]
        )
        try:
            found = PARSERS[name](text)
        except UnreadableReport:
            continue
        # An empty row in a hunk is one of the source's, so that the line may be another one.
        assert lost(name, known, found, line=name != "diff") == [], text


@pytest.mark.parametrize("name", RENDER)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_row_that_is_lost_from_a_report_takes_no_other_finding_with_it(name: FindingFormat, seed: int) -> None:
    chance, known, report = report_of(name, seed)
    rows = report.text.split("\n")
    gone = chance.randrange(len(rows))
    try:
        found = PARSERS[name]("\n".join(rows[:gone] + rows[gone + 1 :]))
    except UnreadableReport:
        return
    assert len(lost(name, known, found)) <= 1, rows[gone]


@pytest.mark.parametrize("name", RENDER)
def test_what_was_read_is_placed_whole_and_each_has_a_fingerprint_of_its_own(
    name: FindingFormat, tmp_path: Path
) -> None:
    for seed in SEEDS:
        _, known, report = report_of(name, seed)
        placed = place([*PARSERS[name](report.text)] * 2, tmp_path, "tool")
        assert lost(name, known, placed) == []
        assert len({item.fingerprint for item in placed}) == len(placed) == len(known)


@pytest.mark.parametrize("seed", range(120))
def test_no_test_that_failed_is_lost_and_none_that_passed_fails(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    report = generated.junit(chance, chance.randint(1, 5))
    file = tmp_path / "junit.xml"
    file.write_text(report.text, encoding="utf-8")
    failed = {case.name for case in junit.read([file]).failed}
    assert failed == report.failed, report.text


@pytest.mark.parametrize("seed", range(60))
def test_a_junit_report_without_some_of_its_cases_still_fails(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    failing = chance.randint(1, 4)
    cases = ["<testcase name='x'><failure/></testcase>"] * failing + ["<testcase name='y'/>"] * chance.randint(0, 3)
    chance.shuffle(cases)
    kept = "".join(cases[: chance.randint(0, len(cases))])
    inner = f"<testsuite tests='{len(cases)}' failures='{failing}'>{kept}</testsuite>"
    file = tmp_path / "junit.xml"
    file.write_text(f"<testsuites>{inner}</testsuites>", encoding="utf-8")
    assert junit.read([file]).failed


@pytest.mark.parametrize("form", ["go-cover", "cobertura"])
@pytest.mark.parametrize("seed", range(30))
def test_coverage_is_never_told_to_be_more_than_it_is(tmp_path: Path, form: CoverageFormat, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same each time
    blocks = [(chance.randint(1, 9), chance.choice([0, 0, 1, 7])) for _ in range(chance.randint(1, 20))]
    total, covered = sum(size for size, _ in blocks), sum(size for size, count in blocks if count)
    if form == "go-cover":
        files = [f"{chance.choice(generated.NAMES)}\u2028.go" for _ in blocks]
        rows = [
            f"x/{file}:{at}.1,{at}.9 {size} {count}"
            for at, (file, (size, count)) in enumerate(zip(files, blocks, strict=True))
        ]
        chance.shuffle(rows)
        end = chance.choice(["\n", "\r\n"])
        text = end.join(["mode: count", *rows, *rows[:3], ""])
    else:
        text = f"<?xml version='1.0'?><coverage lines-valid='{total}' lines-covered='{covered}' line-rate='1'/>"
    file = tmp_path / "coverage"
    file.write_text(text, encoding="utf-8", newline="")
    assert coverage.read(file, form) == pytest.approx(100 * covered / total)
