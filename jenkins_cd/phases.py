"""One attempt to bring a release to an environment, phase by phase: plan, policy, apply, verify, test, and the verdict.

`deploy` runs them in a row, `deploy_steps` each in a process of its own.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from jenkins_cd import approvals, environment_tests, faults, policy
from jenkins_cd.attempt import Attempt, Course
from jenkins_cd.delivery import Followed
from jenkins_cd.environment_tests import TestOutcome
from jenkins_cd.errors import GateFailed, JenkinsCdError
from jenkins_cd.gitops import order
from jenkins_cd.lines import split_lines
from jenkins_cd.model import Begun, Deployment, Outcome, Phase, Plan, Status, TestReport


def planned(attempt: Attempt, verified: Deployment | None, title: str = "") -> Plan:
    """Return what would change; nothing is written."""
    with _phase(attempt, "plan", title) as phase:
        plan = attempt.model.plan(attempt.target, attempt.release, verified.version if verified else None)
        phase.detail = f"{plan.running or 'nothing'} → {plan.wanted}"
    return plan


def already(attempt: Attempt, plan: Plan) -> bool:
    """Tell whether the release is declared, runs, and was verified by the last deployment that was begun there."""
    if attempt.ledger.begun(attempt.request.app, attempt.request.environment):
        return False  # nobody has judged what that left
    latest = attempt.ledger.latest(attempt.request.app, attempt.request.environment)
    return (
        not plan.changes
        and plan.running == plan.wanted
        and latest is not None
        and latest.version == plan.wanted
        and latest.outcome == "verified"
    )


def allowed(attempt: Attempt, *, record: bool = True) -> Attempt:
    """Return the attempt, with the approval that it rests on. Raises Refused where policy forbids it.

    A person who approves by asking (`promote`) is recorded as approver first, unless nothing is to be written.
    """
    request, platform = attempt.request, attempt.target.platform
    with _phase(attempt, "policy") as phase:
        history, server = attempt.ledger.deployments(request.app), approvals.told_time(attempt)
        now = datetime.now(timezone.utc)
        if approval := approvals.unused(attempt, history, server or now):
            request = approvals.resting_on(request, approval)
        hands = approvals.hands_of(replace(attempt, request=request))
        policy.check(
            platform,
            request.environment,
            request.version,
            history,
            approver=request.approver,
            now=now,
            server=server,
            hands=hands,
        )
        if request.approver is not None and not request.approval and record:
            approval = approvals.approval_by(attempt, request.approver, server or now)
            request = approvals.resting_on(request, attempt.ledger.approve(approval))
        phase.detail = f"approved by {request.approver}" if request.approver else ""
    return replace(attempt, request=request)


def begin(attempt: Attempt, plan: Plan) -> Attempt:
    """Record that it is about to be applied; returns the attempt with the ID that the ledger gives it.

    A run that is killed leaves that record: what it has left is unknown until somebody judges it.
    """
    request, release = attempt.request, attempt.release
    begun = attempt.ledger.begin(
        Begun(
            id=attempt.id,
            app=release.app,
            project=release.project,
            version=release.version,
            environment=attempt.target.name,
            started=attempt.started,
            requested_by=request.requested_by,
            plan=plan,
            build_url=request.build_url,
            approver=request.approver or "",
            approval_reason=request.approval_reason,
            approval=request.approval,
        )
    )
    return replace(attempt, id=begun.id, token=order.token(begun.id))


def carry_out(attempt: Attempt, plan: Plan, verified: Deployment | None) -> tuple[Deployment, ...]:
    """Apply, verify, test and record. Returns what was recorded: the attempt, and the rollback if there was one."""
    commit, followed = tried(attempt, plan)
    followed = followed or verify(attempt, commit)
    outcome = test(attempt, followed, fetched=False)
    return conclude(attempt, Course(plan=plan, verified=verified, commit=commit, followed=followed, tested=outcome))


def tried(attempt: Attempt, plan: Plan) -> tuple[str, Followed | None]:
    """Apply; returns the commit, and the verdict where it is known by then: a check failed, and nothing is applied.

    Raises as the model does. On the way back, which is after another version was applied, every failure is a verdict.
    """
    if attempt.kind == "rollback":
        return faults.caught(lambda: (apply(attempt, plan), None), lambda why: ("", _not_reached(why)))
    try:
        return apply(attempt, plan), None
    except GateFailed as error:
        return "", _not_reached(error.message)


def apply(attempt: Attempt, plan: Plan) -> str:
    """Make the environment want the release; returns the commit that says so."""
    with _phase(attempt, "apply") as phase:
        commit = attempt.model.apply(attempt.place, attempt.release, plan, _message(attempt))
        phase.detail = commit[:12]
    return commit


def verify(attempt: Attempt, commit: str) -> Followed:
    """Wait until the environment runs the release, or does not. What cannot be known is not reached."""
    with _phase(attempt, "verify") as phase:
        # The page is written once there is a verdict: now there is time to load what that needs.
        threading.Thread(target=_load_ahead, daemon=True).start()
        followed = follow(attempt, commit)
        phase.status, phase.detail = "passed" if followed.reached else "failed", followed.reason
    return followed


def follow(attempt: Attempt, commit: str) -> Followed:
    """Return what the model makes of it. What cannot be known is not reached."""
    return faults.caught(
        lambda: attempt.model.follow(attempt.place, attempt.release, commit),
        lambda why: _not_reached(f"it cannot be known whether it came up: {why}"),
    )


def _load_ahead() -> None:
    from jenkins_cd.report import html

    pages = html.environment()
    for name in pages.list_templates(extensions=["j2"]):
        pages.get_template(name)


def fetch_tests(attempt: Attempt, followed: Followed) -> TestOutcome | None:
    """Check out what the tests need, which may take credentials; returns an outcome only where that failed."""
    if not _tests_wanted(attempt, followed):
        return None
    return faults.caught(
        lambda: environment_tests.fetch(attempt.release, attempt.target, attempt.folder),
        lambda why: TestOutcome(TestReport(), f"the tests cannot be had: {why}"),
    )


def test(attempt: Attempt, followed: Followed, *, fetched: bool) -> TestOutcome | None:
    """Run the environment's tests against what runs; None where there is nothing to run them against, or none.

    They are the app's own code, and given no credentials; where they are `fetched`, none are needed for them either.
    """
    if not _tests_wanted(attempt, followed):
        return None
    with _phase(attempt, "test") as phase:
        outcome = (None if fetched else fetch_tests(attempt, followed)) or faults.caught(
            lambda: environment_tests.run(attempt.release, attempt.target, attempt.folder),
            lambda why: TestOutcome(TestReport(), f"the tests cannot be run: {why}"),
        )
        phase.status = "failed" if outcome.failure else "passed"
        phase.detail = outcome.failure or outcome.tests.summary
    return outcome


def _tests_wanted(attempt: Attempt, followed: Followed) -> bool:
    return followed.reached and bool(attempt.target.environment.tests) and attempt.kind != "rollback"


def _not_reached(why: str) -> Followed:
    return Followed(reached=False, superseded_by="", observation=None, reason=why)


def conclude(attempt: Attempt, course: Course) -> tuple[Deployment, ...]:
    """Record the verdict; where it failed and the environment wants it so, put the version before back."""
    deployment = _record(attempt, course)
    rolls_back = attempt.target.environment.on_failure == "rollback" and attempt.kind == "deployment"
    if deployment.outcome == "failed" and rolls_back and course.verified:
        return (deployment, *_roll_back(attempt, course.verified, deployment))
    return (deployment,)


def _record(attempt: Attempt, course: Course) -> Deployment:
    request, release = attempt.request, attempt.release
    followed, failure = course.followed, course.failure
    outcome = _outcome(followed, failure)
    deployment = Deployment(
        id=attempt.id,
        app=release.app,
        project=release.project,
        version=release.version,
        environment=attempt.target.name,
        model=attempt.target.environment.model,
        kind=attempt.kind,
        outcome=outcome,
        reason=failure or followed.reason,
        started=attempt.started,
        seconds=time.monotonic() - attempt.clock,
        requested_by=request.requested_by,
        phases=tuple(attempt.phases),
        previous=course.verified.version if course.verified else None,
        commit=course.commit,
        diff=course.plan.files,
        observation=followed.observation,
        tests=course.tested.tests if course.tested else None,
        approver=request.approver or "",
        approval_reason=request.approval_reason,
        approval=request.approval,
        build_url=request.build_url,
        evidence=_evidence(attempt, course, outcome) if failure else "",
        resources=followed.resources,
    )
    with _phase(attempt, "record") as phase:
        deployment = attempt.ledger.record(deployment)
        phase.detail = f"recorded as {outcome}"
    return replace(deployment, phases=tuple(attempt.phases), seconds=time.monotonic() - attempt.clock)


def _outcome(followed: Followed, failure: str) -> Outcome:
    if not failure:
        return "verified"
    if followed.reached:  # it came up, and its tests failed
        return "failed"
    return "superseded" if followed.superseded_by else followed.outcome


def _evidence(attempt: Attempt, course: Course, outcome: Outcome) -> str:
    """Return what there is to see of a failure, and what was done about a first deployment."""
    model, target, release = attempt.model, attempt.target, attempt.release
    lines = [
        faults.caught(lambda: model.diagnose(target, release, course.followed), lambda why: f"no evidence: {why}"),
    ]
    if outcome == "failed" and attempt.kind == "deployment" and course.verified is None:
        lines.append(faults.caught(lambda: model.withdraw(target, release), lambda why: f"it was not withdrawn: {why}"))
    return "\n".join(line for line in lines if line)


def _roll_back(attempt: Attempt, verified: Deployment, failed: Deployment) -> tuple[Deployment, ...]:
    """Put the version that was verified before back, verify that, record it. Nothing to do where it never left."""
    release = attempt.ledger.release(verified.app, verified.version)
    if release is None or verified.version == failed.version:
        return ()
    note = f"put back after {failed.version} failed: {failed.reason}"
    back = Attempt(
        request=replace(attempt.request, version=release.version, approval_reason=note, approval=""),
        release=release,
        target=attempt.target,
        model=attempt.model,
        ledger=attempt.ledger,
        folder=attempt.folder,
        kind="rollback",
    )
    plan, unplanned = faults.caught(
        lambda: (planned(back, verified, "rollback"), ""), lambda why: (_no_plan(back, verified), why)
    )
    if unplanned:
        followed = _not_reached(f"the way back cannot be planned: {unplanned}")
        return conclude(back, Course(plan=plan, verified=verified, commit="", followed=followed, tested=None))
    return carry_out(back, plan, verified)


def _no_plan(attempt: Attempt, verified: Deployment) -> Plan:
    return Plan(
        environment=attempt.target.name,
        declared=None,
        running=None,
        verified=verified.version,
        wanted=attempt.release.version,
    )


def _message(attempt: Attempt) -> str:
    request, release = attempt.request, attempt.release
    verb = "Roll back" if attempt.kind == "rollback" else "Deploy"
    trailers = [f"Requested-by: {request.requested_by}"]
    trailers += [f"Approved-by: {request.approver}"] if request.approver else []
    trailers += [f"Build: {request.build_url}"] if request.build_url else []
    return f"{verb} {release.app} {release.version} in {attempt.target.name}\n\n" + "\n".join(trailers) + "\n"


@dataclass
class _Running:
    """A phase under way; whoever runs it says how it went."""

    status: Status = "passed"
    detail: str = ""


@contextlib.contextmanager
def _phase(attempt: Attempt, name: str, title: str = "") -> Iterator[_Running]:
    """Tell the progress of a phase, and keep it with its duration."""
    progress, running = attempt.target.progress, _Running()
    shown = f"{attempt.target.name} {title or name}"
    started, clock = datetime.now(timezone.utc), time.monotonic()
    progress.started(shown)
    try:
        yield running
    except JenkinsCdError as error:
        running.status, running.detail, error.phase = "failed", split_lines(error.message)[0], name
        raise
    finally:
        seconds = time.monotonic() - clock
        attempt.phases.append(
            Phase(name=name, status=running.status, seconds=seconds, started=started, detail=running.detail)
        )
        progress.finished(shown, running.status, running.detail, seconds)
