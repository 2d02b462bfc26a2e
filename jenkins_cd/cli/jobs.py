"""`jenkins-cd jobs plan` and `jenkins-cd jobs apply`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.jobs.plan import Jobs, Plan
    from jenkins_cd.tools.jenkins import Connection


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both take."""
    decorators = (
        click.option("--url", metavar="URL", help="The Jenkins; jenkins.url of the platform file where left out."),
        click.option("--adopt", is_flag=True, help="Take over jobs of these names that jenkins-cd has not made."),
        options.platform,
        options.folder,
        options.as_json,
    )
    for decorator in reversed(decorators):
        command = decorator(command)
    return functools.wraps(command)(command)


@click.group()
def jobs() -> None:
    """The shared deploy and promote jobs in Jenkins, from the platform file and the ledger.

    User and API token are read from JENKINS_USER and JENKINS_TOKEN (or JENKINS_TOKEN_FILE).

    \b
    Example:
      jenkins-cd jobs plan
      jenkins-cd jobs apply
    """


@jobs.command()
@_common
def plan(as_json: bool, **given: Any) -> None:
    """Show which folders and jobs would be made or changed, and how.

    \b
    Example:
      jenkins-cd jobs plan --url https://ci.shop.example
    """
    from jenkins_cd.report.text import clean
    from jenkins_cd.tools import process

    with process.interruptible():
        _, planned = _plan(**given)
    if options.report(planned.jobs, as_json):
        return
    for change in planned.jobs.changes:
        if change.diff:
            click.echo(clean(change.diff))
    _table(planned.jobs)


@jobs.command()
@_common
def apply(as_json: bool, **given: Any) -> None:
    """Make the folders and jobs that are missing, and bring those that we made up to date.

    What others have added to our jobs stays: triggers, properties, parameters. Nothing is removed, and a job that
    jenkins-cd has not made is left alone: that is refused (exit code 4), unless --adopt is given.

    \b
    Example:
      jenkins-cd jobs apply
      jenkins-cd jobs apply --adopt
    """
    from jenkins_cd.jobs import plan as room
    from jenkins_cd.tools import process

    with process.interruptible():
        connection, planned = _plan(**given)
        done = room.apply(connection, planned, lambda text: click.echo(f"jobs: {text}", err=True))
    if not options.report(done, as_json):
        _table(done)


def _plan(url: str | None, adopt: bool, platform: str | None, folder: Path) -> tuple[Connection, Plan]:
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.config.types import URL
    from jenkins_cd.errors import BadInput
    from jenkins_cd.gitops.ledger import Ledger
    from jenkins_cd.jobs import plan as room
    from jenkins_cd.masking import excerpt
    from jenkins_cd.tools import jenkins

    rules = load_platform(platform, folder.resolve())
    address = url or rules.jenkins.url
    if not address:
        raise BadInput("the platform file names no Jenkins", "give --url, or set jenkins.url in the platform file")
    if not re.fullmatch(URL.pattern, address):
        raise BadInput(f"--url: {excerpt(address, 80)!r} is not {URL.expected}")
    connection = jenkins.connect(address)
    return connection, room.plan(connection, rules, Ledger.open(rules).apps(), adopt=adopt)


def _table(shown: Jobs) -> None:
    from jenkins_cd.report import console

    ended = {"create": "created", "update": "updated"} if shown.applied else {}
    click.echo(f"{shown.url}\n")
    rows = [(one.name, one.kind, ended.get(one.action, one.action), one.note) for one in shown.changes]
    console.table(("name", "kind", "what", "note"), rows)
