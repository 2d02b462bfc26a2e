"""What a run of CI would do: the stages in their order, those that can run at once, and what comes after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from jenkins_cd import pipelines, promote
from jenkins_cd.config.jenkins import Check
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.pipelines import Downstream, Published, Snapshot, Step
from jenkins_cd.results import FOLDER
from jenkins_cd.stages import Build, Stage, checks, unit_tests


@dataclass(frozen=True, kw_only=True)
class CiPlan:
    """What `jenkins-cd ci` would run, and where the release would go."""

    app: str
    project: str
    version: str
    commit: str
    steps: tuple[Step, ...]
    unreleased: str = ""  # why this commit becomes no release, empty where it may
    platform: Snapshot | None = None
    published: Published = field(default_factory=Published)
    delivery: Downstream | None = None  # None: nothing is delivered
    schema: str = "jenkins_cd/ci-plan/v1"


def plan(build: Build, stages: Mapping[str, Stage], platform: Snapshot | None = None) -> CiPlan:
    """Return the order of the stages, what can run at once, and the credentials and reports of each."""
    steps = _in_waves([_step(build, name, stage, stages) for name, stage in stages.items()])
    app = build.config.app
    return CiPlan(
        app=app.app,
        project=app.project,
        version=build.version,
        commit=build.commit,
        steps=tuple(steps),
        unreleased=build.unreleased,
        platform=platform,
        delivery=_delivery(build.config.platform, steps),
    )


def _in_waves(steps: list[Step]) -> list[Step]:
    """Return the steps with the wave in which each can run.

    One that has credentials waits for all that have none: these run the app's own code, which as the same user could
    read them from its neighbour's environment.
    """
    bare = [step.stage for step in steps if not step.credentials and not step.skip_reason]
    waves: dict[str, int] = {}
    for step in steps:
        before = {*step.needs, *bare} if step.credentials else {*step.needs}
        waves[step.stage] = max((waves[name] + 1 for name in before if name in waves), default=0)
    return [replace(step, wave=waves[step.stage]) for step in steps]


def _step(build: Build, name: str, stage: Stage, stages: Mapping[str, Stage]) -> Step:
    skip_reason = stage.skip_reason(build)
    platform = build.config.platform
    return Step(
        stage=name,
        arguments=("ci", name, "--version", build.version),
        needs=tuple(need for need in stage.NEEDS if need in stages),
        skip_reason=skip_reason,
        credentials=() if skip_reason else pipelines.credentials(platform, stage.CREDENTIALS),
        unstable=platform is not None and name in get_args(Check) and name in platform.jenkins.unstable,
        junit=unit_tests.junit_file(build) if name == unit_tests.STAGE and not skip_reason else "",
        findings=f"{FOLDER}/{name}.sarif" if name in checks.STAGES and not skip_reason else "",
    )


def _delivery(platform: PlatformFile | None, steps: list[Step]) -> Downstream | None:
    """Return where a release goes, None where these steps publish none."""
    if platform is None or not any(step.stage == "upload" and not step.skip_reason for step in steps):
        return None
    return Downstream(job=platform.jenkins.deploy_job, environments=tuple(promote.automatic(platform)))
