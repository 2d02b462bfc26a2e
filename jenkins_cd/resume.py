"""Take up a deployment whose run was ended while somebody else, Argo CD or Flux, was at work: the wait goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from jenkins_cd.attempt import Attempt, Course, Request
from jenkins_cd.begun import left_behind, taken_up
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.delivery import Followed, declaration, keeping
from jenkins_cd.deploy import Done, alone, known_environment, resolve
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Begun, Deployment, Plan, Progress
from jenkins_cd.phases import carry_out, conclude


def resume(platform: PlatformFile, app: str, environment: str, folder: Path, progress: Progress) -> Done:
    """Bring the last deployment that was begun and not recorded to its verdict, as the same deployment.

    What policy has allowed stays allowed, as long as its approval is in the ledger. Raises BadInput where there is
    nothing to take up, and what `deploy` raises.
    """
    model = known_environment(platform, environment).model
    begun = Ledger.open(platform).begun(app, environment)
    if begun is None or model == "helm":
        hint = "with the model helm the next jenkins-cd deploy finishes what was begun" if model == "helm" else ""
        raise BadInput(
            f"no deployment of {app} to {environment} waits for its verdict",
            hint or f"jenkins-cd history --app {app} shows how the last ones ended",
        )
    attempt = taken_up(resolve(platform, _request(begun), folder, progress), begun)
    with alone(attempt), keeping.block():
        verified = attempt.ledger.verified(app, environment)
        plan, other = _plan_now(attempt, begun.plan)
        with left_behind(attempt):
            if other:
                return Done(plan=plan, deployments=_superseded(attempt, plan, verified, other))
            return Done(plan=plan, deployments=carry_out(attempt, plan, verified))


def _request(begun: Begun) -> Request:
    return Request(
        app=f"{begun.project}/{begun.app}",
        version=begun.version,
        environment=begun.environment,
        requested_by=begun.requested_by,
        build_url=begun.build_url,
    )


def _plan_now(attempt: Attempt, plan: Plan) -> tuple[Plan, str]:
    """Return what is left to commit of the plan, and the other version that somebody has declared since, or ""."""
    target, release = attempt.target, attempt.release
    repository, place = declaration.repository_of(target), declaration.place_of(target, release)
    tip = repository.tip(declaration.branch_of(target))
    declared = layout.declared(repository.view(tip), place)
    if declared == release.version:
        return replace(plan, files="", manifests="", base=tip or ""), ""
    untouched = tip == plan.base or bool(tip and plan.base and repository.same(plan.base, tip, place))
    return plan, "" if untouched else (declared or "nothing")


def _superseded(attempt: Attempt, plan: Plan, verified: Deployment | None, other: str) -> tuple[Deployment, ...]:
    reason = declaration.superseded(attempt.target, other)
    followed = Followed(reached=False, superseded_by=other, observation=None, reason=reason)
    return conclude(attempt, Course(plan=plan, verified=verified, commit="", followed=followed, tested=None))
