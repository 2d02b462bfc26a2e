from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import baseline
from jenkins_cd.model import Finding


def found(name: str) -> Finding:
    return Finding(tool="t", rule="r", message=name, level="warning", file=f"{name}.c", fingerprint=name)


def entries(*names: str) -> tuple[baseline.Entry, ...]:
    return baseline.compare((), [found(name) for name in names], accept=True).entries


def test_a_missing_baseline_knows_nothing(tmp_path: Path) -> None:
    assert baseline.known(baseline.read(tmp_path / "none.json"), "dead-code") == frozenset()


def test_what_is_written_is_read_again_and_each_stage_knows_its_own(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(baseline.to_json({"dead-code": entries("b", "a"), "code-standard": entries("c")}))
    read = baseline.read(file)
    assert baseline.known(read, "dead-code") == {"a", "b"}
    assert baseline.known(read, "code-standard") == {"c"}
    assert baseline.to_json(read) == file.read_bytes()


def test_the_file_does_not_depend_on_the_order_of_the_findings() -> None:
    assert baseline.to_json({"x": entries("b", "a")}) == baseline.to_json({"x": entries("a", "b")})


def test_what_is_no_longer_found_goes_and_what_is_new_stays_out() -> None:
    change = baseline.compare(entries("old", "gone"), [found("old"), found("new")], accept=False)
    names = [[entry["message"] for entry in part] for part in (change.entries, change.removed, change.new)]
    assert names == [["old"], ["gone"], ["new"]]


def test_what_is_new_enters_only_where_it_is_accepted() -> None:
    change = baseline.compare(entries("old"), [found("old"), found("new")], accept=True)
    assert [entry["message"] for entry in change.entries] == ["old", "new"]
    assert change.new == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is no findings baseline"),
        ("[]", "is no findings baseline"),
        ('{"schema": "x", "stages": {}}', "has the schema 'x'"),
        ('{"schema": "jenkins_cd/findings-baseline/v1", "stages": {"x": [{"file": "a"}]}}', "is no findings baseline"),
        ("<<<<<<< ours", "is no findings baseline"),
    ],
)
def test_a_broken_baseline_is_refused_and_named(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "baseline.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UnreadableReport, match=why) as caught:
        baseline.read(file)
    assert str(file) in caught.value.message
