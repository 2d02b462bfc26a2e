"""`jenkins-cd status` and `jenkins-cd history`."""

from __future__ import annotations

from pathlib import Path

import click

from jenkins_cd.cli import options


@click.command()
@options.folder
@options.platform
@options.as_json
def status(folder: Path, platform: str | None, as_json: bool) -> None:
    """Show what runs where: app, environment, version, verdict, since when.

    \b
    Example:
      jenkins-cd status
      jenkins-cd status --json
    """
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.report import console
    from jenkins_cd.status import board
    from jenkins_cd.tools import process

    with process.interruptible():
        shown = board(load_platform(platform, folder))
    if as_json:
        options.show_json(shown)
    elif not shown.places:
        click.echo("no release was published yet: jenkins-cd ci")
    else:
        rows = [
            (
                place.app,
                place.environment,
                place.version or "–",
                place.outcome or "–",
                f"{place.since:%Y-%m-%d %H:%M}Z" if place.since else "–",
                place.note,
            )
            for place in shown.places
        ]
        console.table(("app", "environment", "version", "verdict", "since", "note"), rows)


@click.command()
@click.option("--app", required=True, metavar="NAME", help="The app.")
@options.folder
@options.platform
@options.as_json
def history(app: str, folder: Path, platform: str | None, as_json: bool) -> None:
    """Show the releases and deployments of an app, newest first.

    \b
    Example:
      jenkins-cd history --app storefront
      jenkins-cd history --app storefront --json
    """
    from jenkins_cd import status as room
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    with process.interruptible():
        shown = room.history(load_platform(platform, folder), app)
    if as_json:
        options.show_json(shown)
        return
    releases = [
        (one.version, one.commit[:12], f"{one.published:%Y-%m-%d %H:%M}Z" if one.published else "–")
        for one in shown.releases
    ]
    console.table(("release", "commit", "published"), releases)
    click.echo()
    deployments = [
        (
            f"{one.started:%Y-%m-%d %H:%M}Z",
            one.environment,
            one.version,
            one.outcome if one.kind == "deployment" else f"{one.outcome} (rollback)",
            one.approver or one.requested_by,
            "" if one.outcome == "verified" else one.reason,
        )
        for one in shown.deployments
    ]
    console.table(("deployed", "environment", "version", "verdict", "by", "why"), deployments)
