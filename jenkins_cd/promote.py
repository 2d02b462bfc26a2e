"""A version that is proven in one environment → the next: by a person (promote), or in a row (deliver)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from jenkins_cd import approvals, pipelines, policy
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.deploy import Done, deploy, known_environment, resolve
from jenkins_cd.errors import BadInput
from jenkins_cd.free_text import FreeText
from jenkins_cd.model import Approval, Deployment, Plan, Progress, Release
from jenkins_cd.names import check_person
from jenkins_cd.phases import already, planned
from jenkins_cd.pipelines import Downstream, PipelinePlan, Snapshot, Step


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What somebody who is asked to approve must know: what runs, what would change, and that it was tested."""

    app: str
    project: str
    version: str
    environment: str
    question: FreeText  # all of it in a few lines
    plan: Plan
    commit: str  # of the app
    source: str  # the Git URL that has it
    authors: tuple[str, ...]  # who wrote it, as far as it is known
    running: Deployment | None  # what was verified there last
    proof: Deployment | None  # what shows that the version is good
    approvers: tuple[str, ...]  # empty: anybody
    already: bool  # it is deployed and verified there
    schema: str = "jenkins_cd/promotion/v1"


def automatic(platform: PlatformFile) -> list[str]:
    """Return the environments that releases are brought to in a row: from `ci` on, until a person must decide."""
    order: list[str] = []
    reached = {"ci"}
    while True:
        following = [
            name
            for name, environment in platform.environments.items()
            if name not in reached and environment.after in reached and environment.promotion == "automatic"
        ]
        if not following:
            return order
        order += following
        reached |= set(following)


def deliver(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Iterator[Done]:
    """Deploy to each automatic environment in turn; ends after the first in which the version does not hold.

    `request.environment` is not looked at. Raises BadInput where the platform file has no automatic environment.
    """
    names = automatic(platform)
    if not names:
        raise BadInput(
            "no environment is delivered to automatically",
            "give one `after: ci` and `promotion: automatic` in the platform file, or use jenkins-cd promote",
        )
    for name in names:
        done = deploy(platform, replace(request, environment=name), folder, progress)
        yield done
        if not done.verified:
            return


def promote(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Done:
    """Deploy as `deploy` does, with the approver named; who asks is the approver where nobody else is."""
    approver = check_person(request.approver) if request.approver is not None else request.requested_by
    return deploy(platform, replace(request, approver=approver), folder, progress)


def ask(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Promotion:
    """Return what an approver is to be told; nothing is changed, nobody is asked yet.

    Raises Refused where no approval could help: the version is not proven, or a freeze holds.
    """
    attempt = resolve(platform, request, folder, progress)
    history, now = attempt.ledger.deployments(request.app), datetime.now(timezone.utc)
    server = approvals.told_time(attempt)
    running = attempt.ledger.verified(request.app, request.environment)
    plan = planned(attempt, running)
    there = already(attempt, plan)
    if not there:
        policy.check_before_asking(platform, request.environment, request.version, history, now=now, server=server)
    proof = policy.proof(attempt.target.environment, request.environment, request.version, history)
    return Promotion(
        app=attempt.release.app,
        project=attempt.release.project,
        version=request.version,
        environment=request.environment,
        question=_question(attempt, plan, running, proof),
        plan=plan,
        commit=attempt.release.commit,
        source=attempt.release.source,
        authors=attempt.release.authors,
        running=running,
        proof=proof,
        approvers=policy.approvers(platform, request.environment),
        already=there,
    )


def approve(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Approval:
    """Record that `request.approver` approves, for the deployment that follows.

    Raises Refused where policy does not allow the promotion, or not by them.
    """
    approver = check_person(request.approver or "")
    attempt = resolve(platform, request, folder, progress)
    now, server = datetime.now(timezone.utc), approvals.told_time(attempt)
    history, hands = attempt.ledger.deployments(request.app), approvals.hands_of(attempt)
    policy.check(
        platform,
        request.environment,
        request.version,
        history,
        approver=approver,
        now=now,
        server=server,
        hands=hands,
    )
    return attempt.ledger.approve(approvals.approval_by(attempt, approver, server or now))


def steps(platform: PlatformFile, request: Request, snapshot: Snapshot | None) -> PipelinePlan:
    """Return the steps of a promotion for Jenkins: what to tell, then (with --approver added) the word of whoever
    answers; then the deploy job's. Only the platform file is looked at; raises BadInput for a name."""
    known_environment(platform, request.environment)
    names = ("--app", request.app, "--version", request.version)
    reason = ("--reason", request.approval_reason) if request.approval_reason else ()
    given = pipelines.credentials(platform, ("registry", "git", "cluster"), request.environment)
    return PipelinePlan(
        title=f"{request.app.rpartition('/')[2]} {request.version} → {request.environment}",
        steps=(
            Step(
                stage="Question",
                arguments=("promote", *names, "--to", request.environment, *reason, "--dry-run"),
                credentials=given,
            ),
            Step(
                stage="Approval",
                arguments=("approve", *names, "--environment", request.environment, *reason),
                needs=("Question",),
                wave=1,
                credentials=pipelines.credentials(platform, ("git",)),
            ),
        ),
        platform=snapshot,
        delivery=Downstream(job=platform.jenkins.deploy_job, environments=(request.environment,)),
    )


def _question(attempt: Attempt, plan: Plan, running: Deployment | None, proof: Deployment | None) -> str:
    what = f"{attempt.release.app} {attempt.release.version}"
    now = f"{running.version}, verified {running.started:%Y-%m-%d %H:%M} UTC" if running else "no verified version"
    lines = [
        f"Promote {what} (commit {attempt.release.commit[:12]}) to {attempt.target.name}?",
        _origin(attempt.release),
        f"Runs there now: {now}{'' if plan.running in (None, plan.verified) else f'; it answers {plan.running}'}.",
        _proven(proof),
    ]
    if attempt.request.approval_reason:
        lines.append(f"Reason given: {attempt.request.approval_reason}")
    return "\n".join(lines)


def _origin(release: Release) -> str:
    by = f", by {', '.join(release.authors)}" if release.authors else ""
    return f"Built from {release.source} at {release.commit}{by}."


def _proven(proof: Deployment | None) -> str:
    if proof is None:
        return "Nothing proves it yet: this is the first environment."
    tests = proof.tests.summary if proof.tests else "no tests are asked for there"
    where = f" ({proof.build_url})" if proof.build_url else ""
    return f"Proven in {proof.environment}: verified {proof.started:%Y-%m-%d %H:%M} UTC, {tests}{where}."
