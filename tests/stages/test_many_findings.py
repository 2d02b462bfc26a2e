"""Very many findings: what is done and kept for each of them is little, and pages show the worst."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import files, long_json, masking, results
from jenkins_cd.findings import PARSERS, place, sarif, sarif_file
from jenkins_cd.model import CiResult, Finding, StageResult
from jenkins_cd.report import html
from jenkins_cd.stages import checks
from tests.report import samples
from tests.stages.projects import build

MANY = 20_000
LEVELS = ("note", "warning", "error")


def report(count: int) -> str:
    lines = (f"src/f{i % 50}.c:{i // 50 + 1}:3: {LEVELS[i % 3]}: number {i} is odd [-W{i % 20}]" for i in range(count))
    return "\n".join(lines)


def findings(count: int) -> tuple[Finding, ...]:
    return tuple(
        Finding(tool="cc", rule=f"r{i % 9}", message=f"number {i}", level="error", file=f"f{i % 50}.c", line=i + 1)
        for i in range(count)
    )


def stage(count: int) -> StageResult:
    return samples.stage("code-standard", 0, 1, findings=findings(count))


def run_of(*stages: StageResult) -> CiResult:
    return replace(samples.passed(), stages=stages)


def test_all_of_them_are_told_and_take_little_memory(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for number in range(50):
        (tmp_path / f"src/f{number}.c").write_text("int x;\n" * 500)
    text = report(MANY)
    tracemalloc.start()
    placed = place.place(PARSERS["text"](text), tmp_path, "cc")
    sarif_file.write(tmp_path / "x.sarif", placed, ["cc"], [])
    results.save(tmp_path, "x", samples.stage("code-standard", 0, 1, findings=tuple(placed)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(placed) == MANY
    assert len(json.loads((tmp_path / "x.sarif").read_text())["runs"][0]["results"]) == MANY
    assert len(json.loads((tmp_path / "x.json").read_text())["findings"]) == MANY
    assert peak / MANY < 2500  # bytes of each, while parsed, placed and written


def test_source_lines_are_kept_for_the_worst_of_them(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for number in range(50):
        (tmp_path / f"src/f{number}.c").write_text("int x;\n" * 500)
    placed = place.place(PARSERS["text"](report(MANY)), tmp_path, "cc")
    shown = [finding for finding in placed if finding.source]
    assert len(shown) == place.SOURCES
    assert {finding.level for finding in shown} == {"error"}
    few = place.place(PARSERS["text"](report(place.SOURCES)), tmp_path, "cc")
    assert all(finding.source for finding in few)


def test_each_file_is_read_and_masked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/f0.c").write_text("int x;\n" * 10)
    masked: list[str] = []

    def mask(text: str) -> str:
        masked.append(text)
        return text

    monkeypatch.setattr(place, "mask", mask)
    told = "\n".join(f"src/f0.c:{i % 10 + 1}: warning: number {i}" for i in range(1000))
    assert len(place.place(PARSERS["text"](told), tmp_path, "cc")) == 1000
    assert len(masked) <= 1000 + 11  # each message, and each line of the file


@pytest.mark.parametrize("count", [0, 3, long_json.LONG, long_json.LONG + 1])
def test_a_long_list_is_the_same_document_written_another_way(tmp_path: Path, count: int) -> None:
    masking.register("horse-battery-staple")
    run = run_of(stage(count), samples.stage("build", 0, 1, evidence='"findings": [] horse-battery-staple\n"x"'))
    results.save(tmp_path, "ci", run)
    text = (tmp_path / "ci.json").read_text(encoding="utf-8")
    assert json.loads(text) == json.loads(results.to_json(run))
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert "horse" not in text


@pytest.mark.parametrize("problems", [(), ("cc crashed",)])
def test_the_sarif_file_is_what_the_log_says(tmp_path: Path, problems: tuple[str, ...]) -> None:
    found = [*findings(1234), Finding(tool="other", rule="r", message='odd "text" ☃', level="note", file="")]
    sarif_file.write(tmp_path / "x.sarif", found, ["quiet", "cc"], problems)
    assert json.loads((tmp_path / "x.sarif").read_text(encoding="utf-8")) == sarif.to_sarif(
        found, ["quiet", "cc"], problems
    )


def test_the_page_shows_the_worst_with_their_number_and_a_link_to_all(tmp_path: Path) -> None:
    first = stage(5000)
    files.write(tmp_path / ".jenkins-cd/code-standard.sarif", b"{}")
    page = html.write(tmp_path / ".jenkins-cd/report", run_of(first), ()).read_text(encoding="utf-8")
    assert page.count('<article class="finding">') == html.FINDINGS
    assert "5,000 findings" in page
    assert f"The first {html.FINDINGS} of 5,000 findings are shown" in page
    assert 'href="../code-standard.sarif"' in page
    assert len(page) < 400_000


def test_reports_of_several_stages_are_read_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Python reads one at a time anyway; at once they would only be in memory together.
    seen: list[bool] = []

    def placed(found: list[Finding], *_: object) -> list[Finding]:
        seen.append(checks._reading.locked())
        return found

    monkeypatch.setattr(checks, "place", placed)
    ready = build(tmp_path, "ci: {code-standard: {run: 'echo a.c:1: warning: x', format: text}}", "custom")
    results.prepare(tmp_path)
    checks.run(ready, "code-standard", ready.config.app.ci.code_standard, ())
    assert seen == [True]
