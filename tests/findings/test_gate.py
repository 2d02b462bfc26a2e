from __future__ import annotations

import pytest

from jenkins_cd import model
from jenkins_cd.config.types import Gate
from jenkins_cd.findings import gate
from jenkins_cd.model import Finding, Level


def found(level: Level, fingerprint: str) -> Finding:
    return Finding(tool="t", rule="r", message="m", level=level, file="a.c", fingerprint=fingerprint)


FINDINGS = [found("error", "a"), found("warning", "b"), found("warning", "c"), found("note", "d")]


@pytest.mark.parametrize(
    ("rule", "actual"),
    [({"errors": 1}, 1), ({"warnings": 2}, 2), ({"total": 4}, 4), ({"new": 3}, 3)],
)
def test_a_rule_counts_its_findings_and_allows_so_many(rule: dict[str, int], actual: int) -> None:
    [passed] = gate.judge(FINDINGS, Gate(**rule), {"b"})
    assert (passed.name, passed.actual, passed.passed) == (next(iter(rule)), actual, True)
    [failed] = gate.judge(FINDINGS, Gate(**{name: limit - 1 for name, limit in rule.items()}), {"b"})
    assert not failed.passed
    assert str(actual) in failed.message


def test_a_gate_without_rules_has_no_verdicts() -> None:
    assert gate.judge(FINDINGS, Gate(), frozenset()) == ()


def test_no_test_may_fail_or_break() -> None:
    cases = [model.TestCase(suite="s", name="n", seconds=0, outcome=outcome) for outcome in ("passed", "skipped")]
    assert gate.tests(model.TestReport(cases=tuple(cases))).passed
    broken = model.TestCase(suite="s", name="n", seconds=0, outcome="error")
    assert not gate.tests(model.TestReport(cases=(*cases, broken))).passed


@pytest.mark.parametrize(("percent", "passed"), [(80.0, True), (79.99, False), (None, False)])
def test_coverage_must_reach_its_minimum_and_be_known(percent: float | None, passed: bool) -> None:
    verdict = gate.coverage(percent, 80.0, "no report")
    assert (verdict.passed, verdict.actual, verdict.limit) == (passed, percent, 80.0)
    assert verdict.message == ("no report" if percent is None else f"{percent:.1f} % covered, 80 % wanted")


def test_what_is_unknown_fails() -> None:
    verdict = gate.unknown("report.xml is missing")
    assert (verdict.name, verdict.passed, verdict.actual) == ("report", False, None)
