"""The steps of a deployment, each a command of its own, for a pipeline that shows them: from plan to record.

What a step found out is handed to the next one in the results folder. A step may be killed and run again; `record`, or
the step before the tests that fails, records the verdict and puts the version before back where the environment wants
it so. `test` runs code of the app: it needs no credentials, since `verify` has fetched what it runs, and gets none.

That folder is open to whatever else runs in the workspace, so nothing in it decides anything: `apply` plans and asks
policy itself, the steps after it go by what it has put into the ledger, and look again at what is said to run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from jenkins_cd import files, phases, pipelines, results
from jenkins_cd.attempt import Attempt, Course, Request
from jenkins_cd.begun import left_behind, taken_up
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import Followed
from jenkins_cd.delivery import load as load_model
from jenkins_cd.deploy import Done, alone, known_environment, resolve, target_of
from jenkins_cd.environment_tests import TestOutcome
from jenkins_cd.errors import BadInput, GateFailed
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Phase, Plan, Progress, Release, TestReport
from jenkins_cd.pipelines import PipelinePlan, Snapshot, Step

STAGES: Mapping[str, str] = {  # as shown
    "plan": "Plan", "apply": "Deploy", "verify": "Verify", "test": "Tests", "record": "Record",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Underway:
    """What the steps so far have found out."""

    request: Request
    release: Release
    plan: Plan
    started: datetime
    id: str = ""  # under which it was begun in the ledger
    phases: tuple[Phase, ...] = ()
    commit: str = ""
    followed: Followed | None = None
    testing: bool = False  # the tests have begun; unless `tested` they did not get to their end
    tested: bool = False
    outcome: TestOutcome | None = None  # of the tests; None: there are none
    already: bool = False
    ended: tuple[Deployment, ...] = ()  # what was recorded: nothing is left to do


def planned(platform: PlatformFile, request: Request, junit: str, snapshot: Snapshot | None) -> PipelinePlan:
    """Return the steps of a deployment for Jenkins. Only the platform file is looked at; raises BadInput for a name."""
    known_environment(platform, request.environment)
    names = ("--app", request.app, "--version", request.version, "--environment", request.environment)
    given = pipelines.credentials(platform, ("registry", "git", "cluster"), request.environment)
    steps = [
        Step(
            stage=shown,
            arguments=("deploy", *names, "--step", name),
            needs=tuple(list(STAGES.values())[:wave][-1:]),
            wave=wave,
            credentials=() if name == "test" else given,
            junit=junit if name not in ("plan", "test") else "",
            always=name == "record",
        )
        for wave, (name, shown) in enumerate(STAGES.items())
    ]
    app = request.app.rpartition("/")[2]  # both spellings of an app hold the same lock
    return PipelinePlan(
        title=f"{app} {request.version} → {request.environment}",
        steps=tuple(steps),
        lock=f"jenkins-cd deploys {app} to {request.environment}",
        platform=snapshot,
    )


def run(step: str, platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Done:
    """Run one of STAGES on top of what the steps before it left in `folder`.

    Raises as `deploy` does, and BadInput where the step before has not run for this request.
    """
    if step == "test":
        attempt = _without_ledger(platform, request, folder, progress)
    else:
        attempt = resolve(platform, request, folder, progress)
    name = f"{request.environment}-{attempt.release.project}-{attempt.release.app}"
    with alone(attempt):
        if step == "plan":
            underway = _plan(attempt)
        else:
            before = _before(results.load(_place(folder), name, Underway), request, step)
            if step == "test":
                before = _testing(before)
                results.save(_place(folder), name, before)
            attempt, underway = _continue(step, attempt, before)
        results.save(_place(folder), name, replace(underway, phases=tuple(attempt.phases)))
    failure = underway.outcome.failure if underway.outcome and not underway.ended else ""
    return Done(plan=underway.plan, deployments=underway.ended, already=underway.already, failure=failure)


def _place(folder: Path) -> Path:
    return folder / "deploy"


def _without_ledger(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Attempt:
    """Return the attempt as the steps before have left it: to ask the ledger would take credentials."""
    before = _before(_left_for(folder, request), request, "test")
    return Attempt(
        request=request,
        release=before.release,
        target=target_of(platform, request.environment, before.release, progress),
        model=load_model(known_environment(platform, request.environment).model),
        ledger=Ledger.open(platform),
        folder=folder,
        phases=list(before.phases),
    )


def _left_for(folder: Path, request: Request) -> Underway | None:
    """Return what was left last for a request whose project is not known; what else lies there counts for nothing."""
    app = request.app.rpartition("/")[2]
    left = _place(folder).glob(f"{request.environment}-*-{app}.json")
    for file in sorted(left, key=lambda file: file.lstat().st_mtime, reverse=True):
        with contextlib.suppress(GateFailed, files.Unfit):
            state = results.load(_place(folder), file.stem, Underway)
            if state and _names(state.request) == _names(request):
                return state
    return None


def _plan(attempt: Attempt) -> Underway:
    verified = attempt.ledger.verified(attempt.request.app, attempt.request.environment)
    plan = phases.planned(attempt, verified)
    underway = Underway(request=attempt.request, release=attempt.release, plan=plan, started=attempt.started)
    if phases.already(attempt, plan):
        return replace(underway, already=True)
    # Told before anything is changed; asked, and recorded, when it is.
    phases.allowed(replace(attempt, phases=[]), record=False)
    return underway


def _continue(step: str, attempt: Attempt, before: Underway) -> tuple[Attempt, Underway]:
    """Run a step that is not the first; returns the attempt that it worked on, too."""
    if step == "test":
        return attempt, before if before.already or before.ended else _test(attempt, before)
    if before.already:
        return attempt, _still_already(attempt, before)
    if ended := _recorded(attempt, before):
        return replace(attempt, phases=list(before.phases)), replace(before, ended=ended)
    before = replace(before, ended=())
    if step == "apply":
        return _apply(replace(attempt, started=before.started), before)
    attempt, before = _begun(attempt, before, step)
    if judged := _judged(attempt):
        return attempt, replace(before, ended=judged)
    with left_behind(attempt):
        return attempt, _STEPS[step](attempt, before)


def _still_already(attempt: Attempt, before: Underway) -> Underway:
    """Return what the plan found, if it is so."""
    plan = attempt.model.plan(attempt.target, attempt.release, before.plan.verified)
    if not phases.already(attempt, plan):
        raise _missing(before.request, "plan")
    return before


def _recorded(attempt: Attempt, before: Underway) -> tuple[Deployment, ...]:
    """Return the verdicts that the steps before have recorded, as the ledger has them; none where it has not."""
    app, environment = attempt.request.app, attempt.request.environment
    found = [attempt.ledger.deployment(app, environment, one.id) for one in before.ended]
    known = tuple(one for one in found if one)
    latest = attempt.ledger.latest(app, environment)
    ours = known and known[0].version == attempt.release.version and known[0].build_url == attempt.request.build_url
    if not ours or len(known) != len(found) or latest != known[-1] or attempt.ledger.begun(app, environment):
        return ()
    return known


def _judged(attempt: Attempt) -> tuple[Deployment, ...]:
    """Return what was recorded of this very attempt, where more was recorded since: nothing is left to do for it."""
    app, environment = attempt.request.app, attempt.request.environment
    own, latest = attempt.ledger.deployment(app, environment, attempt.id), attempt.ledger.latest(app, environment)
    if own is None or latest is None or own == latest:
        return ()
    return (own, latest) if latest.kind == "rollback" else (own,)


def _begun(attempt: Attempt, before: Underway, step: str) -> tuple[Attempt, Underway]:
    """Return the attempt as `apply` has begun it: who asked, who approved, since when and with which plan is what the
    ledger says."""
    request = attempt.request
    begun = attempt.ledger.begun_as(request.app, request.environment, before.id) if before.id else None
    if begun is None or begun.version != request.version or begun.build_url != request.build_url:
        raise _missing(request, "apply" if step == "verify" else "verify")
    return taken_up(replace(attempt, phases=list(before.phases)), begun), replace(before, plan=begun.plan)


def _apply(attempt: Attempt, before: Underway) -> tuple[Attempt, Underway]:
    verified = attempt.ledger.verified(before.request.app, before.request.environment)  # maybe not the plan's any more
    plan = phases.planned(attempt, verified)
    attempt = phases.begin(phases.allowed(attempt), plan)
    with left_behind(attempt):
        commit, followed = phases.tried(attempt, plan)
        applied = replace(before, request=attempt.request, plan=plan, id=attempt.id, commit=commit, followed=None)
        return attempt, _concluded(attempt, applied, followed) if followed else applied


def _verify(attempt: Attempt, before: Underway) -> Underway:
    if not before.commit:
        raise _missing(before.request, "apply")
    followed = phases.verify(attempt, before.commit)
    underway = replace(before, followed=followed)
    failure = phases.fetch_tests(attempt, followed)
    return underway if followed.reached and not failure else _concluded(attempt, underway, followed, failure)


def _testing(before: Underway) -> Underway:
    """Return the state while the tests run. That they began is kept: where that step is lost, `record` judges it."""
    if before.followed is None or before.already or before.ended:
        return before
    return replace(before, testing=True, tested=False, outcome=None)


def _test(attempt: Attempt, before: Underway) -> Underway:
    if before.followed is None:
        raise _missing(before.request, "verify")
    return replace(before, outcome=phases.test(attempt, before.followed, fetched=True), tested=True)


def _record(attempt: Attempt, before: Underway) -> Underway:
    if before.followed is None:
        raise _missing(before.request, "verify")
    outcome = before.outcome
    if before.testing and not before.tested:
        outcome = TestOutcome(TestReport(), "the step that runs the tests did not get to its end")
    elif not before.tested or (attempt.target.environment.tests and outcome is None):
        raise _missing(before.request, "test")
    return _concluded(attempt, before, _seen_again(attempt, before), outcome)


def _seen_again(attempt: Attempt, before: Underway) -> Followed:
    """Return how it stands now: that it came up stands in a file, and is not believed. It need not settle again."""
    at_once = replace(attempt.target, environment=replace(attempt.target.environment, settle="0ms"))
    return phases.follow(replace(attempt, target=at_once), before.commit)


def _concluded(attempt: Attempt, before: Underway, followed: Followed, outcome: TestOutcome | None = None) -> Underway:
    verified = attempt.ledger.verified(before.request.app, before.request.environment, before=attempt.id)
    course = Course(plan=before.plan, verified=verified, commit=before.commit, followed=followed, tested=outcome)
    return replace(before, ended=phases.conclude(attempt, course))


_STEPS: Mapping[str, Callable[[Attempt, Underway], Underway]] = {"verify": _verify, "record": _record}


def _before(underway: Underway | None, request: Request, step: str) -> Underway:
    """Return what the steps before have left. Raises BadInput where that is of another request, or nothing."""
    if underway is None or _names(underway.request) != _names(request):
        raise _missing(request, "plan" if step == "apply" else f"plan, then the others up to {step}")
    return underway


def _names(request: Request) -> tuple[str, str, str]:
    return request.app, request.version, request.environment


def _missing(request: Request, step: str) -> BadInput:
    what = f"{request.app} {request.version} to {request.environment}"
    return BadInput(
        f"the steps before this one have not run here for {what}",
        f"run jenkins-cd deploy with --step {step} first, or without --step for all of it",
    )
