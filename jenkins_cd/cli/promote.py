"""`jenkins-cd promote`, and `jenkins-cd approve` for who only approves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jenkins_cd.cli import deployments, options

if TYPE_CHECKING:
    from jenkins_cd.attempt import Request
    from jenkins_cd.cli.deployments import Order
    from jenkins_cd.deploy import Done
    from jenkins_cd.model import Approval
    from jenkins_cd.promote import Promotion

_reason = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the ledger.")


@click.command()
@deployments.common
@click.option("--to", "environment", required=True, metavar="NAME", help="The environment to promote to.")
@click.option("--approver", metavar="NAME", help="Who approves it; whoever runs this where left out.")
@_reason
@options.only_plan
@options.dry_run
def promote(only_plan: bool, dry_run: bool, as_json: bool, **given: Any) -> int:
    """Bring a release that is proven in one environment to the next.

    It is refused (exit code 4) unless the release is verified in the environment before, the approver is one that the
    environment names, and no freeze holds. With --dry-run: what runs, what would change, and the proof.

    \b
    Example:
      jenkins-cd promote --app storefront --version 1.4.0 --to staging \\
        --approver qa --reason "sprint 12"
      jenkins-cd promote --app storefront --version 1.4.0 --to staging \\
        --dry-run
    """
    from jenkins_cd import promote as room

    def work(platform: Any, request: Request, out: Path, progress: Any) -> Iterable[Done]:
        yield room.promote(platform, request, out, progress)

    order = deployments.order(**given)
    if only_plan:
        return deployments.show_steps(order, as_json, room.steps)
    if dry_run:
        return _ask(order, as_json)
    return deployments.carry_out(work, order, as_json)


@click.command()
@deployments.common
@click.option("--environment", required=True, metavar="NAME", help="Where the version may then go.")
@click.option("--approver", required=True, metavar="NAME", help="Who approves it.")
@_reason
def approve(as_json: bool, **given: Any) -> int:
    """Record that somebody approves a promotion; the next deployment uses it.

    It is refused (exit code 4) as a promotion would be. `jenkins-cd promote` approves and deploys at once.

    \b
    Example:
      jenkins-cd approve --app storefront --version 1.4.0 \\
        --environment staging --approver qa --reason "sprint 12"
    """
    from jenkins_cd import promote as room
    from jenkins_cd import requester

    order = deployments.order(**given)
    # Whoever approves at a terminal has not asked for it; in Jenkins it is known who has.
    asked = replace(order, request=replace(order.request, requested_by=requester.in_jenkins()))
    approval: Approval = _quietly(room.approve, asked)
    if not options.report(approval, as_json):
        what = f"{approval.app} {approval.version} for {approval.environment}"
        click.echo(f"{what} is approved by {approval.approver}; the next deployment uses that")
    return 0


def _ask(order: Order, as_json: bool) -> int:
    from jenkins_cd import promote as room
    from jenkins_cd.report import console
    from jenkins_cd.report.text import clean

    promotion: Promotion = _quietly(room.ask, order)
    if not options.report(promotion, as_json):
        click.echo(clean(promotion.question))
        click.echo(f"Approvers: {', '.join(promotion.approvers) or 'anybody'}\n")
        console.plan(promotion.plan)
    return 0


def _quietly(work: Any, order: Order) -> Any:
    from jenkins_cd import results
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    with process.interruptible(), console.progress() as progress:
        return work(order.platform, order.request, results.prepare(order.folder.resolve()), progress)
