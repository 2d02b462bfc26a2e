"""`jenkins-cd status` and `jenkins-cd history`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.argocd.live import Live
    from jenkins_cd.model import Release
    from jenkins_cd.status import Place


@click.command()
@click.option("--app", metavar="NAME", help="Only this app.")
@click.option("--environment", metavar="NAME", help="Only this environment.")
@click.option("--live", is_flag=True, help="Ask Argo CD too how it is now, where that delivers.")
@options.folder
@options.platform
@options.as_json
def status(
    app: str | None, environment: str | None, live: bool, folder: Path, platform: str | None, as_json: bool
) -> None:
    """Show what runs where: app, environment, version, verdict, since when.

    With --live also what Argo CD says: whether it is in sync, its health, the commit that it compares with, and the
    version of the image that runs. Where it cannot be asked the row says why.

    \b
    Example:
      jenkins-cd status
      jenkins-cd status --app storefront --live
      jenkins-cd status --json
    """
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.names import check_app, check_environment
    from jenkins_cd.status import board, with_live
    from jenkins_cd.tools import process

    names = check_app(app) if app else None, check_environment(environment) if environment else None
    with process.interruptible():
        loaded = load_platform(platform, folder)
        shown = board(loaded, *names)
        shown = with_live(loaded, shown) if live else shown
    if options.report(shown, as_json):
        return
    if not shown.places:
        click.echo("no release was published yet: jenkins-cd ci")
    else:
        _show(shown.places, live)


def _show(places: Sequence[Place], live: bool) -> None:
    from jenkins_cd.report import console

    titles = ("runs", "now") if live else ("since",)
    rows = [(*_recorded(one), *(_live(one.live) if live else (_since(one),)), _from(one), one.note) for one in places]
    console.table(("app", "environment", "version", "verdict", *titles, "from", "note"), rows)


def _recorded(place: Place) -> tuple[str, ...]:
    return place.app, place.environment, place.version or "–", place.outcome or "–"


def _from(release: Place | Release) -> str:
    """Return where a release comes from: the repository and the commit."""
    return f"{release.source} at {release.commit[:12]}" if release.source else "–"


def _since(place: Place) -> str:
    return f"{place.since:%Y-%m-%d %H:%M}Z" if place.since else "–"


def _live(found: Live | None) -> tuple[str, str]:
    """Return the version that runs, and in a few words how the Application is."""
    if found is None:
        return "–", "–"
    commits = ", ".join(one[:8] for one in found.revision.split(", ") if one)
    said = " ".join(part for part in (found.sync, found.health, f"at {commits}" if commits else "") if part)
    return found.version or "–", "; ".join(part for part in (said, found.trouble) if part)


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
    if options.report(shown, as_json):
        return
    releases = [
        (one.version, _from(one), f"{one.published:%Y-%m-%d %H:%M}Z" if one.published else "–")
        for one in shown.releases
    ]
    console.table(("release", "from", "published"), releases)
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
