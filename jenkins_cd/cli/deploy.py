"""`jenkins-cd deploy` and `deliver`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jenkins_cd.cli import deployments, options

if TYPE_CHECKING:
    from jenkins_cd.attempt import Request
    from jenkins_cd.deploy import Done


@click.command()
@deployments.common_or_resumed
@click.option("--environment", required=True, metavar="NAME", help="Where to.")
@click.option("--resume", is_flag=True, help="Take up the wait of a deployment whose run was ended.")
@click.option(
    "--step",
    type=click.Choice(["plan", "apply", "verify", "test", "record"]),
    help="One step alone, on top of those before it; all of them where left out.",
)
@options.only_plan
@options.dry_run
def deploy(resume: bool, step: str | None, only_plan: bool, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Deploy a release to one environment: plan, policy, apply, verify, test, record.

    \b
    Example:
      jenkins-cd deploy --app storefront --version 1.4.0 --environment dev
      jenkins-cd deploy --app storefront --version 1.4.0 --environment dev \\
        --dry-run
      jenkins-cd deploy --app storefront --version 1.4.0 --environment dev \\
        --step plan
      jenkins-cd deploy --app storefront --environment dev --resume
    """
    from jenkins_cd import deploy as room
    from jenkins_cd import deploy_steps
    from jenkins_cd import resume as again

    def work(platform: Any, request: Request, out: Path, progress: Any) -> Iterable[Done]:
        if resume:
            yield again.resume(platform, request.app, request.environment, out, progress)
        elif step:
            yield deploy_steps.run(step, platform, request, out, progress)
        else:
            yield room.deploy(platform, request, out, progress, dry_run=dry_run)

    if resume == bool(given["version"]):
        raise click.UsageError("give --version, or --resume for the version of the deployment that was begun")
    if resume and (step or dry_run or only_plan):
        raise click.UsageError("--resume goes on with all that is left of a deployment: it takes no other option")
    if step and dry_run:
        raise click.UsageError("--dry-run is for all of a deployment: --step plan alone changes nothing")
    order = deployments.order(**given)
    if only_plan:
        return deployments.show_steps(order, as_json, _steps)
    return deployments.carry_out(work, order, as_json, show_plan=step in (None, "plan"))


def _steps(platform: Any, request: Request, snapshot: Any) -> Any:
    from jenkins_cd import deploy_steps

    junit = deployments.junit_file(Path(".jenkins-cd"), request.environment).as_posix()
    return deploy_steps.planned(platform, request, junit, snapshot)


@click.command()
@deployments.common
def deliver(as_json: bool, **given: Any) -> int:
    """Deploy a release to each automatic environment in turn; stop at the first that fails.

    \b
    Example:
      jenkins-cd deliver --app storefront --version 1.4.0
    """
    from jenkins_cd import promote as room

    return deployments.carry_out(room.deliver, deployments.order(environment="", **given), as_json)
