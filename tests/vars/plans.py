"""Plans as jenkins-cd makes them, for pipelines that run against its stand-in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jenkins_cd.ci_plan import CiPlan
from jenkins_cd.deploy_steps import STAGES
from jenkins_cd.pipelines import Credential, Downstream, PipelinePlan, Snapshot, Step

PLATFORM = Snapshot(file=".jenkins-cd/platform.yaml", digest="sha256:0")


def account(name: str) -> Credential:
    """Return a user name and password, in variables that are named for what it opens."""
    prefix = f"JENKINS_CD_{name.upper()}"
    variables = {"usernameVariable": f"{prefix}_USERNAME", "passwordVariable": f"{prefix}_PASSWORD"}
    return Credential(binding="usernamePassword", id=name, variables=variables)


def stage(name: str, *needs: str, wave: int = 0, **more: Any) -> Step:
    return Step(stage=name, arguments=("ci", name, "--version", "1.0.0"), needs=needs, wave=wave, **more)


BUILD = stage("build")
CHECK = stage("dead-code", findings=".jenkins-cd/dead-code.sarif")
TESTS = stage("unit-tests", "build", wave=1, junit=".jenkins-cd/unit-tests/junit.xml")
PACKAGE = stage("package", "build", wave=1, credentials=(account("registry"), account("git")))
UPLOAD = stage(
    "upload", "build", "dead-code", "unit-tests", "package", wave=2, credentials=(account("registry"), account("git"))
)
DELIVERY = Downstream(job="delivery/deploy", environments=("dev", "test"))


def ci(*steps: Step, **changes: Any) -> CiPlan:
    """Return a plan of CI with these steps, or with the usual ones."""
    plan = CiPlan(
        app="storefront",
        project="shop",
        version="1.0.0",
        commit="1a2b3c4d" * 5,
        steps=steps or (BUILD, CHECK, TESTS, PACKAGE, UPLOAD),
        platform=PLATFORM,
        delivery=DELIVERY,
    )
    return replace(plan, **changes)


def deployment(title: str = "storefront 1.0.0 → dev") -> PipelinePlan:
    """Return a plan of a deployment."""
    given = (account("registry"), account("git"))
    names = ("--app", "storefront", "--version", "1.0.0", "--environment", "dev")
    shown = list(STAGES.items())
    steps = [
        Step(
            stage=title,
            arguments=("deploy", *names, "--step", name),
            needs=tuple(before for _, before in shown[:wave][-1:]),
            wave=wave,
            credentials=() if name == "test" else given,
            junit="" if name in ("plan", "test") else ".jenkins-cd/tests/dev/junit.xml",
            always=name == "record",
        )
        for wave, (name, title) in enumerate(shown)
    ]
    return PipelinePlan(title=title, steps=tuple(steps), lock="jenkins-cd deploys storefront to dev", platform=PLATFORM)


def promotion() -> PipelinePlan:
    """Return a plan of a promotion."""
    names = ("--app", "storefront", "--version", "1.0.0")
    given = (account("registry"), account("git"))
    return PipelinePlan(
        title="storefront 1.0.0 → staging",
        steps=(
            Step(
                stage="Question",
                arguments=("promote", *names, "--to", "staging", "--dry-run"),
                credentials=given,
            ),
            Step(stage="Approval", arguments=("approve", *names, "--environment", "staging"), credentials=given[1:]),
        ),
        platform=PLATFORM,
        delivery=Downstream(job="delivery/deploy", environments=("staging",)),
    )
