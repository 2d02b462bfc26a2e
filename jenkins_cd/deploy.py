"""One release to one environment: resolve → plan → policy → apply → verify → test → record, and back if it fails."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from jenkins_cd import environment_tests, policy
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import DeliveryModel, Followed, Target
from jenkins_cd.delivery import load as load_models
from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Outcome, Phase, Plan, Progress, Release, Status, TestReport
from jenkins_cd.suggest import nearest
from jenkins_cd.tools import lock


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for."""

    app: str
    version: str
    environment: str
    requested_by: str
    build_url: str = ""
    approver: str | None = None  # None: nobody promotes it
    approval_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A deployment under way: what it works on, and the phases that it has behind it."""

    request: Request
    release: Release
    target: Target
    model: DeliveryModel
    ledger: Ledger
    folder: Path  # for checkouts of tests
    kind: Literal["deployment", "rollback"] = "deployment"
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    clock: float = field(default_factory=time.monotonic)
    phases: list[Phase] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a request: the plan, what was recorded, and whether there was nothing to do."""

    plan: Plan
    deployments: tuple[Deployment, ...] = ()  # the attempt, and the rollback if there was one
    already: bool = False

    @property
    def verified(self) -> bool:
        """Tell whether the requested version runs and is verified."""
        return self.already or (self.attempted and self.deployments[0].outcome == "verified")

    @property
    def attempted(self) -> bool:
        """Tell whether anything was deployed: not by a dry run, and not where nothing was to do."""
        return bool(self.deployments)


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """What came of a command: one entry an environment."""

    done: tuple[Done, ...]
    schema: str = "jenkins_cd/deliveries/v1"


def deploy(
    platform: PlatformFile, request: Request, folder: Path, progress: Progress, *, dry_run: bool = False
) -> Done:
    """Bring a release to an environment and record the verdict. Running it again changes nothing and succeeds.

    Raises BadInput for an unknown app, version or environment, Refused where policy forbids it (nothing is changed
    then), ExternalFailure where a server fails. A version that does not come up is a result, not an error.
    """
    attempt = resolve(platform, request, folder, progress)
    with _alone(attempt):
        verified = attempt.ledger.verified(request.app, request.environment)
        with _phase(attempt, "plan") as phase:
            plan = attempt.model.plan(attempt.target, attempt.release, verified.version if verified else None)
            phase.detail = f"{plan.running or 'nothing'} → {plan.wanted}"
        if _already(attempt, plan):
            return Done(plan=plan, already=True)
        if dry_run:
            return Done(plan=plan)
        with _phase(attempt, "policy"):
            history = attempt.ledger.deployments(request.app)
            now = datetime.now(timezone.utc)
            policy.check(platform, request.environment, request.version, history, approver=request.approver, now=now)
        deployment = _carry_out(attempt, plan, verified)
        if deployment.outcome == "failed" and attempt.target.environment.on_failure == "rollback" and verified:
            return Done(plan=plan, deployments=(deployment, *_roll_back(attempt, verified, deployment)))
    return Done(plan=plan, deployments=(deployment,))


def resolve(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Attempt:
    """Return the release that is asked for and the place it goes to. Raises BadInput with the nearest valid names."""
    environment = platform.environments.get(request.environment)
    if environment is None:
        raise BadInput(
            f"there is no environment {request.environment!r}{nearest(request.environment, platform.environments)}",
            f"the environments are {', '.join(platform.environments)}",
        )
    ledger = Ledger.open(platform)
    release = ledger.release(request.app, request.version)
    if release is None:
        raise unknown(ledger, request.app, request.version)
    names = {"app": release.app, "project": release.project, "environment": request.environment}
    target = Target(
        name=request.environment,
        environment=environment,
        platform=platform,
        url=environment.health_url.format(**names).rstrip("/"),
        progress=progress,
    )
    model = load_models()[environment.model]
    return Attempt(request=request, release=release, target=target, model=model, ledger=ledger, folder=folder)


def unknown(ledger: Ledger, app: str, version: str) -> BadInput:
    """Return the error for a release that the ledger does not have, with the nearest that it has."""
    if app not in ledger.apps():
        known = ", ".join(ledger.apps()) or "none yet"
        return BadInput(f"no release of {app!r} was published{nearest(app, ledger.apps())}", f"published apps: {known}")
    versions = ledger.versions(app)
    return BadInput(
        f"{app} {version} was never published{nearest(version, versions)}",
        f"the newest versions are {', '.join(versions[:5])}; jenkins-cd history --app {app} shows more",
    )


def _alone(attempt: Attempt) -> contextlib.AbstractContextManager[None]:
    """Hold off other deployments of the same app to the same environment on this machine."""
    release, progress = attempt.release, attempt.target.progress
    file = lock.cache_folder() / "locks" / f"{attempt.target.name}.{release.project}.{release.app}.lock"
    return lock.held(file, lambda holder: progress.note("plan", f"waiting for another deployment: {holder}"))


def _already(attempt: Attempt, plan: Plan) -> bool:
    latest = attempt.ledger.latest(attempt.request.app, attempt.request.environment)
    return (
        not plan.changes
        and plan.running == plan.wanted
        and latest is not None
        and latest.version == plan.wanted
        and latest.outcome == "verified"
    )


def _carry_out(attempt: Attempt, plan: Plan, verified: Deployment | None) -> Deployment:
    """Apply, verify, test and record. Returns what was recorded."""
    with _phase(attempt, "apply") as phase:
        commit = attempt.model.apply(attempt.target, attempt.release, plan, _message(attempt))
        phase.detail = commit[:12]
    with _phase(attempt, "verify") as phase:
        followed = attempt.model.follow(attempt.target, attempt.release, commit)
        phase.status, phase.detail = "passed" if followed.reached else "failed", followed.reason
    tests: TestReport | None = None
    failure = "" if followed.reached else followed.reason
    if followed.reached and attempt.target.environment.tests and attempt.kind == "deployment":
        with _phase(attempt, "test") as phase:
            outcome = environment_tests.run(attempt.release, attempt.target, attempt.folder)
            tests, failure = outcome.tests, outcome.failure
            phase.status, phase.detail = "failed" if failure else "passed", failure or tests.summary
    return _record(attempt, plan, verified, commit, followed, tests, failure)


def _record(
    attempt: Attempt,
    plan: Plan,
    verified: Deployment | None,
    commit: str,
    followed: Followed,
    tests: TestReport | None,
    failure: str,
) -> Deployment:
    request, release = attempt.request, attempt.release
    outcome: Outcome = "verified" if not failure else "superseded" if followed.superseded_by else "failed"
    deployment = Deployment(
        id=f"{attempt.started:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}",
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
        previous=verified.version if verified else None,
        commit=commit,
        diff=plan.files,
        observation=followed.observation,
        tests=tests,
        approver=request.approver or "",
        approval_reason=request.approval_reason,
        build_url=request.build_url,
        evidence=attempt.model.diagnose(attempt.target, release, followed) if failure else "",
    )
    with _phase(attempt, "record") as phase:
        attempt.ledger.record(deployment)
        phase.detail = outcome
    return replace(deployment, phases=tuple(attempt.phases), seconds=time.monotonic() - attempt.clock)


def _roll_back(attempt: Attempt, verified: Deployment, failed: Deployment) -> tuple[Deployment, ...]:
    """Put the version that was verified before back, verify that, record it. Nothing to do where it never left."""
    release = attempt.ledger.release(verified.app, verified.version)
    if release is None or verified.version == failed.version:
        return ()
    note = f"put back after {failed.version} failed: {failed.reason}"
    back = Attempt(
        request=replace(attempt.request, version=release.version, approval_reason=note),
        release=release,
        target=attempt.target,
        model=attempt.model,
        ledger=attempt.ledger,
        folder=attempt.folder,
        kind="rollback",
    )
    with _phase(back, "plan", "rollback") as phase:
        plan = back.model.plan(back.target, release, verified.version)
        phase.detail = f"{plan.running or 'nothing'} → {plan.wanted}"
    return (_carry_out(back, plan, verified),)


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
        running.status, running.detail = "failed", error.message.splitlines()[0]
        raise
    finally:
        seconds = time.monotonic() - clock
        attempt.phases.append(
            Phase(name=name, status=running.status, seconds=seconds, started=started, detail=running.detail)
        )
        progress.finished(shown, running.status, running.detail, seconds)
