"""Gates: the rules that turn findings and measures into pass or fail. What cannot be known fails."""

from __future__ import annotations

from collections.abc import Sequence, Set

from jenkins_cd.config.types import Gate
from jenkins_cd.model import Finding, GateResult, TestReport

_COUNTED = {"errors": "error", "warnings": "warning", "total": "finding", "new": "new finding", "tests": "failed test"}


def judge(findings: Sequence[Finding], gate: Gate, known: Set[str]) -> tuple[GateResult, ...]:
    """Return the verdict of each rule that the gate has. `known` are the fingerprints of the baseline."""
    limits = {"errors": gate.errors, "warnings": gate.warnings, "total": gate.total, "new": gate.new}
    return tuple(
        _counted(name, limit, len(counted(name, findings, known)))
        for name, limit in limits.items()
        if limit is not None
    )


def counted(name: str, findings: Sequence[Finding], known: Set[str]) -> list[Finding]:
    """Return the findings that a rule counts."""
    if name == "errors":
        return [finding for finding in findings if finding.level == "error"]
    if name == "warnings":
        return [finding for finding in findings if finding.level == "warning"]
    if name == "new":
        return [finding for finding in findings if finding.fingerprint not in known]
    return list(findings)


def tests(report: TestReport) -> GateResult:
    """Return the verdict on tests: none may fail."""
    return _counted("tests", 0, len(report.failed))


def coverage(percent: float | None, minimum: float, problem: str = "") -> GateResult:
    """Return the verdict on coverage in percent; `problem` says why it is not known."""
    if percent is None:
        return GateResult(name="coverage", limit=minimum, actual=None, passed=False, message=problem)
    message = f"{percent:.1f} % covered, {minimum:g} % wanted"
    return GateResult(name="coverage", limit=minimum, actual=percent, passed=percent >= minimum, message=message)


def unknown(problem: str, name: str = "report", limit: float = 0) -> GateResult:
    """Return the verdict on what cannot be known: failed."""
    return GateResult(name=name, limit=limit, actual=None, passed=False, message=problem)


def _counted(name: str, limit: int, actual: int) -> GateResult:
    message = f"{actual} {_COUNTED[name]}{'' if actual == 1 else 's'}, {limit} allowed"
    return GateResult(name=name, limit=limit, actual=actual, passed=actual <= limit, message=message)
