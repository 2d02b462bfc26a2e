from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.config.types import CoverageFormat
from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import coverage


def read(folder: Path, content: str, form: CoverageFormat) -> float:
    file = folder / "coverage"
    file.write_text(content, encoding="utf-8")
    return coverage.read(file, form)


@pytest.mark.parametrize(
    ("blocks", "percent"),
    [
        ("a.go:1.2,3.4 3 1\na.go:5.2,6.4 1 0\n", 75.0),
        ("a.go:1.2,3.4 3 7\n", 100.0),
        ("a.go:1.2,3.4 3 0\n", 0.0),
        # the same block from two test binaries
        ("a.go:1.2,3.4 3 0\na.go:1.2,3.4 3 1\nb.go:1.2,3.4 1 0\n", 75.0),
        ("a.go:1.2,3.4 3 1\na.go:1.2,3.4 3 0\nb.go:1.2,3.4 1 0\n", 75.0),
    ],
)
def test_go_statements_are_counted_once_each(tmp_path: Path, blocks: str, percent: float) -> None:
    assert read(tmp_path, f"mode: set\n{blocks}", "go-cover") == percent


@pytest.mark.parametrize(
    ("attributes", "percent"),
    [
        ('lines-valid="8" lines-covered="6" line-rate="0.7"', 75.0),
        ('line-rate="0.5"', 50.0),
        ('lines-valid="8" lines-covered="0"', 0.0),
    ],
)
def test_cobertura_totals_count_before_its_rounded_rate(tmp_path: Path, attributes: str, percent: float) -> None:
    assert read(tmp_path, f"<coverage {attributes}/>", "cobertura") == percent


@pytest.mark.parametrize(
    ("form", "content", "why"),
    [
        ("go-cover", "", "does not start with `mode:`"),
        ("go-cover", "mode: set\n", "0 of 0"),
        ("go-cover", "mode: set\na.go:1.2,3.4 3\n", "coverage:2 is no block"),
        ("cobertura", "<coverage/>", "None where a number should be"),
        ("cobertura", '<coverage line-rate="nan"/>', "'nan' where a number should be"),
        ("cobertura", '<coverage line-rate="1.5"/>', "1.5 of 1"),
        ("cobertura", '<coverage lines-valid="0" lines-covered="0"/>', "0 of 0"),
        ("cobertura", '<coverage lines-valid="2" lines-covered="3"/>', "3 of 2"),
        ("cobertura", "<report/>", "its root is <report>"),
        ("cobertura", "<coverage", "is no XML"),
    ],
)
def test_what_says_nothing_of_coverage_is_refused_and_named(
    tmp_path: Path, form: CoverageFormat, content: str, why: str
) -> None:
    with pytest.raises(UnreadableReport, match=why) as caught:
        read(tmp_path, content, form)
    assert str(tmp_path / "coverage") in caught.value.message
