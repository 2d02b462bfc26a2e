"""`jenkins-cd diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options, outcome

if TYPE_CHECKING:
    from jenkins_cd.diff import Difference


@click.command()
@click.option("--app", required=True, metavar="NAME", help="The app.")
@click.option("--environment", required=True, metavar="NAME", help="Where it runs.")
@click.option("--version", metavar="VERSION", help="A release; what is declared, or was deployed last, where left out.")
@options.folder
@options.platform
@options.as_json
def diff(app: str, environment: str, version: str | None, folder: Path, platform: str | None, as_json: bool) -> int:
    """Show what a deployment would change where the app runs; nothing is changed.

    For the model argocd it is what a sync would change on the live objects, read through Argo CD; for helm what an
    upgrade would change of the release; for flux what is rendered, before and after. Values of Secrets are hidden.

    Exit code 0 where nothing differs, 1 where something does (as `argocd app diff`); others as for every command.

    \b
    Example:
      jenkins-cd diff --app storefront --environment prod
      jenkins-cd diff --app storefront --environment prod --version 1.4.0
    """
    from jenkins_cd import versions
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.diff import Question, difference
    from jenkins_cd.names import check_app, check_environment
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    wanted = versions.check(version) if version else None
    names = {"app": check_app(app), "environment": check_environment(environment)}
    with process.interruptible(), console.progress() as progress:
        question = Question(platform=load_platform(platform, folder), **names, version=wanted, progress=progress)
        found = difference(question)
    if found.exit_code:
        what = found.version or "what is declared"
        outcome.fail(f"{found.environment}: {what} would change what runs of {found.app}", found.text)
    if not options.report(found, as_json):
        _show(found)
    return found.exit_code


def _show(found: Difference) -> None:
    from jenkins_cd.report.text import clean

    if found.source:
        about = f"{found.app} {found.version} comes from {found.source} at {found.commit[:12]}"
        click.echo(f"jenkins-cd: {clean(about)}", err=True)
    for note in found.notes:
        click.echo(f"jenkins-cd: not shown: {clean(note)}", err=True)
    if found.text:
        click.echo(clean(found.text).rstrip("\n"))
    else:
        what = found.version or "what is declared"
        click.echo(f"{found.environment}: {what} would change nothing of {found.app}")
