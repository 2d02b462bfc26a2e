"""The steps of a deployment, each a command of its own, for a pipeline that shows them: plan, apply, verify, test.

What a step found out is handed to the next one in the results folder. A step may be killed and run again; `test`, or
the step that fails, records the verdict and puts the version before back where the environment wants it so.

That folder is open to whatever else runs in the workspace, so nothing in it decides anything: `apply` plans and asks
policy itself, the steps after it go by what it has put into the ledger, and look again at what is said to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from jenkins_cd import attempt as phases
from jenkins_cd import pipelines, results
from jenkins_cd.attempt import Attempt, Course, Request
from jenkins_cd.begun import left_behind, taken_up
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import Followed
from jenkins_cd.deploy import Done, alone, known_environment, resolve
from jenkins_cd.errors import BadInput
from jenkins_cd.model import Deployment, Phase, Plan, Progress
from jenkins_cd.pipelines import PipelinePlan, Snapshot, Step

STAGES: Mapping[str, str] = {"plan": "Plan", "apply": "Deploy", "verify": "Verify", "test": "Tests"}  # as shown


@dataclass(frozen=True, kw_only=True)
class Underway:
    """What the steps so far have found out."""

    request: Request
    plan: Plan
    started: datetime
    id: str = ""  # under which it was begun in the ledger
    phases: tuple[Phase, ...] = ()
    commit: str = ""
    followed: Followed | None = None
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
            credentials=given,
            junit=junit if name != "plan" else "",
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
    attempt = resolve(platform, request, folder, progress)
    file = folder / "deploy"
    name = f"{request.environment}-{attempt.release.project}-{attempt.release.app}"
    with alone(attempt):
        if step == "plan":
            underway = _plan(attempt)
        else:
            before = _before(results.load(file, name, Underway), request, step)
            attempt, underway = _continue(step, attempt, before)
        results.save(file, name, replace(underway, phases=tuple(attempt.phases)))
    return Done(plan=underway.plan, deployments=underway.ended, already=underway.already)


def _plan(attempt: Attempt) -> Underway:
    verified = attempt.ledger.verified(attempt.request.app, attempt.request.environment)
    plan = phases.planned(attempt, verified)
    underway = Underway(request=attempt.request, plan=plan, started=attempt.started)
    if phases.already(attempt, plan):
        return replace(underway, already=True)
    # Told before anything is changed; asked, and recorded, when it is.
    phases.allowed(replace(attempt, phases=[]), record=False)
    return underway


def _continue(step: str, attempt: Attempt, before: Underway) -> tuple[Attempt, Underway]:
    """Run a step that is not the first; returns the attempt that it worked on, too."""
    if before.already:
        return attempt, _still_already(attempt, before)
    if ended := _recorded(attempt, before):
        return replace(attempt, phases=list(before.phases)), replace(before, ended=ended)
    before = replace(before, ended=())
    if step == "apply":
        return _apply(replace(attempt, started=before.started), before)
    attempt = _begun(attempt, before, step)
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
    return known if ours and len(known) == len(found) and latest == known[-1] else ()


def _begun(attempt: Attempt, before: Underway, step: str) -> Attempt:
    """Return the attempt as `apply` has begun it: who asked, who approved and since when is what the ledger says."""
    request = attempt.request
    begun = attempt.ledger.begun_as(request.app, request.environment, before.id) if before.id else None
    if begun is None or begun.version != request.version or begun.build_url != request.build_url:
        raise _missing(request, "apply" if step == "verify" else "verify")
    return taken_up(replace(attempt, phases=list(before.phases)), begun)


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
    return underway if followed.reached else _concluded(attempt, underway, followed)


def _test(attempt: Attempt, before: Underway) -> Underway:
    if before.followed is None:
        raise _missing(before.request, "verify")
    return _concluded(attempt, before, _seen_again(attempt, before))


def _seen_again(attempt: Attempt, before: Underway) -> Followed:
    """Return how it stands now: that it came up stands in a file, and is not believed. It need not settle again."""
    at_once = replace(attempt.target, environment=replace(attempt.target.environment, settle="0ms"))
    place = replace(attempt, target=at_once).place
    return attempt.model.follow(place, attempt.release, before.commit)


def _concluded(attempt: Attempt, before: Underway, followed: Followed) -> Underway:
    tested = phases.test(attempt, followed)
    verified = attempt.ledger.verified(before.request.app, before.request.environment, before=attempt.id)
    course = Course(plan=before.plan, verified=verified, commit=before.commit, followed=followed, tested=tested)
    return replace(before, ended=phases.conclude(attempt, course))


_STEPS: Mapping[str, Callable[[Attempt, Underway], Underway]] = {"verify": _verify, "test": _test}


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
