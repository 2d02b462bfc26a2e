"""The verdict of a run, in words: what a reader must know first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jenkins_cd.model import CiResult, Deployment, Observation, Outcome, Phase, StageResult
from jenkins_cd.report.text import duration, instant, one_line

BAD: tuple[Outcome, ...] = ("failed", "unknown", "blocked", "superseded")  # the one to look at first comes first


@dataclass(frozen=True, kw_only=True)
class Line:
    """The verdict on one thing, and where on the page it is told in full."""

    what: str
    status: str
    sentence: str
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict on all of it, and the first thing to look at where it is not good."""

    title: str
    status: str
    lines: tuple[Line, ...]
    look_at: str = ""
    why: str = ""
    evidence: str = ""


def verdict(ci: CiResult | None, deployments: Sequence[Deployment]) -> Verdict:
    """Return the verdict on the deployments where there are any, else on the run of CI."""
    lines = [_ci(ci)] if ci else []
    lines += [_deployment(index, one) for index, one in enumerate(deployments, 1)]
    subject = deployments[0] if deployments else ci
    if subject is None:
        return Verdict(title="Nothing has run yet", status="skipped", lines=())
    title = f"{subject.app} {subject.version}"
    if deployments:
        return _of_deployments(title, tuple(lines), deployments)
    assert ci is not None  # noqa: S101 - told apart above, which mypy cannot see
    first = first_failure(ci)
    if first is None:
        return Verdict(title=title, status=ci.status, lines=tuple(lines))
    return Verdict(
        title=title,
        status=ci.status,
        lines=tuple(lines),
        look_at=first.stage,
        why=first.reason,
        evidence=first.evidence,
    )


def first_failure(ci: CiResult) -> StageResult | None:
    """Return the stage to look at first: one that failed, else one that was stopped."""
    return next((one for status in ("failed", "stopped") for one in ci.stages if one.status == status), None)


def next_step(deployment: Deployment) -> str:
    """Return what to do after a deployment that was not verified, or an empty string."""
    if deployment.outcome == "verified":
        return ""
    if deployment.outcome == "superseded":
        return f"nothing: a later deployment took over; jenkins-cd history --app {deployment.app} shows it"
    if deployment.outcome == "blocked":
        return "deploy again when the window is open: it is declared already, and Argo CD may sync it by itself"
    if deployment.outcome == "unknown":
        return "mend what the reason names, then deploy it again: what Argo CD has done by then counts"
    if deployment.kind == "rollback":
        return f"{deployment.environment} runs no verified version: mend it by hand, or deploy another version"
    return f"mend what the evidence shows and release it; jenkins-cd status shows what {deployment.environment} runs"


def observed(seen: Observation) -> str:
    """Return in one phrase what a health endpoint answered."""
    if seen.status is None:
        return f"{seen.url} did not answer: {one_line(seen.error) or 'no reason given'} ({instant(seen.at)})"
    version = f"version {seen.version}" if seen.version else "no version"
    return f"{seen.url} answered {seen.status}, {version} ({instant(seen.at)})"


def took(step: StageResult | Phase) -> str:
    """Return the time that a step took, nothing where it did not run."""
    return "" if step.status == "skipped" else duration(step.seconds)


def detail(phase: Phase, said: str) -> str:
    """Return what a phase says of itself; nothing where it failed for the reason that is `said` above it already."""
    return "" if phase.status == "failed" and phase.detail == said else phase.detail


def _of_deployments(title: str, lines: tuple[Line, ...], deployments: Sequence[Deployment]) -> Verdict:
    bad = next((one for outcome in BAD for one in deployments if one.outcome == outcome), None)
    if bad is None:
        return Verdict(title=title, status="verified", lines=lines)
    what = f"{bad.kind} to {bad.environment}"
    return Verdict(title=title, status=bad.outcome, lines=lines, look_at=what, why=bad.reason, evidence=bad.evidence)


def _ci(ci: CiResult) -> Line:
    bad = [one.stage for one in ci.stages if one.status in ("failed", "stopped")]
    ran = sum(one.status != "skipped" for one in ci.stages)
    sentence = f"{len(bad)} of {ran} stages did not pass: {', '.join(bad)}" if bad else f"{ran} stages in order"
    return Line(
        what=f"CI of {ci.version}", status=ci.status, sentence=f"{sentence}, {duration(ci.seconds)}", anchor="stages"
    )


def _deployment(index: int, one: Deployment) -> Line:
    what = (
        f"{one.version} to {one.environment}"
        if one.kind == "deployment"
        else f"{one.environment} back to {one.version}"
    )
    sentence = f"{one.reason}, {duration(one.seconds)}" if one.reason else duration(one.seconds)
    return Line(what=what, status=one.outcome, sentence=sentence, anchor=f"deployment-{index}")
