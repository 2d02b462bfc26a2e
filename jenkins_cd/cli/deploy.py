"""`jenkins-cd deploy`, `deliver` and `promote`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.deploy import Done, Request

_app = click.option("--app", required=True, metavar="NAME", help="The app.")
_version = click.option("--version", required=True, metavar="VERSION", help="A version that CI published.")


def _common(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that all three take."""
    for option in (options.as_json, options.platform, options.folder, _version, _app):
        command = option(command)
    return functools.wraps(command)(command)


@click.command()
@_common
@click.option("--environment", required=True, metavar="NAME", help="Where to.")
@options.dry_run
def deploy(environment: str, dry_run: bool, **common: Any) -> int:
    """Deploy a release to one environment: plan, policy, apply, verify, test, record.

    \b
    Example:
      jenkins-cd deploy --app storefront --version 1.4.0 --environment dev
      jenkins-cd deploy --app storefront --version 1.4.0 --environment dev \\
        --dry-run
    """
    from jenkins_cd import deploy as room

    def work(platform: Any, request: Request, out: Path, progress: Any) -> Iterable[Done]:
        yield room.deploy(platform, request, out, progress, dry_run=dry_run)

    return _carry_out(work, environment=environment, **common)


@click.command()
@_common
def deliver(**common: Any) -> int:
    """Deploy a release to each automatic environment in turn; stop at the first that fails.

    \b
    Example:
      jenkins-cd deliver --app storefront --version 1.4.0
    """
    from jenkins_cd import promote as room

    return _carry_out(room.deliver, environment="", **common)


@click.command()
@_common
@click.option("--to", "environment", required=True, metavar="NAME", help="The environment to promote to.")
@click.option("--approver", metavar="NAME", help="Who approves it; whoever runs this where left out.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the ledger.")
@options.dry_run
def promote(environment: str, approver: str | None, reason: str, dry_run: bool, **common: Any) -> int:
    """Bring a release that is proven in one environment to the next.

    It is refused (exit code 4) unless the release is verified in the environment before, the approver is one that the
    environment names, and no freeze holds.

    \b
    Example:
      jenkins-cd promote --app storefront --version 1.4.0 --to staging \\
        --approver qa --reason "sprint 12"
    """
    from jenkins_cd import promote as room

    def work(platform: Any, request: Request, out: Path, progress: Any) -> Iterable[Done]:
        yield room.promote(platform, request, out, progress, dry_run=dry_run)

    return _carry_out(work, environment=environment, approver=approver, reason=reason, **common)


def _carry_out(
    work: Callable[..., Iterable[Done]],
    *,
    app: str,
    version: str,
    environment: str,
    folder: Path,
    platform: str | None,
    as_json: bool,
    approver: str | None = None,
    reason: str = "",
) -> int:
    from jenkins_cd import requester, results, versions
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.deploy import Deliveries, Request
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    request = Request(
        app=app,
        version=versions.check(version),
        environment=environment,
        requested_by=requester.name(),
        build_url=requester.build_url(),
        approver=approver,
        approval_reason=reason,
    )
    rules = load_platform(platform, folder)
    out = results.prepare(folder.resolve())
    done: list[Done] = []
    with process.interruptible(), console.progress() as progress:
        for one in work(rules, request, out, progress):
            done.append(one)
            for deployment in one.deployments:
                results.save(out / "deployments", deployment.id, deployment)
    page = _report(out, done)
    if as_json:
        options.show_json(Deliveries(done=tuple(done)))
    else:
        for one in done:
            _show(one, page)
    return 0 if all(one.verified or not one.attempted for one in done) else 1


def _show(done: Done, page: Path | None) -> None:
    from jenkins_cd.report import console

    if done.already:
        click.echo(f"{done.plan.environment}: {done.plan.wanted} is deployed and verified already; nothing was changed")
    elif not done.deployments:
        console.plan(done.plan)
    for deployment in done.deployments:
        console.deployment_summary(deployment, page)


def _report(out: Path, done: list[Done]) -> Path | None:
    """Write the page anew, with the run of CI that this checkout holds, if any."""
    from jenkins_cd import results
    from jenkins_cd.model import CiResult
    from jenkins_cd.report import html

    deployments = [deployment for one in done for deployment in one.deployments]
    if not deployments:
        return None
    return html.write(out / "report", results.load(out, "ci", CiResult), deployments)
