"""What runs where, and what became of an app's releases: read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import CHANGED_NOTHING, Deployment, Release
from jenkins_cd.suggest import nearest


@dataclass(frozen=True, kw_only=True)
class Place:
    """One app in one environment."""

    app: str
    project: str
    environment: str
    version: str | None = None  # None: nothing was deployed there yet
    outcome: str = ""  # verified or failed
    since: datetime | None = None
    requested_by: str = ""
    note: str = ""  # why it is so, where it is not just a deployment that went well


@dataclass(frozen=True, kw_only=True)
class Board:
    """Every app in every environment."""

    places: tuple[Place, ...]
    schema: str = "jenkins_cd/status/v1"


@dataclass(frozen=True, kw_only=True)
class History:
    """The releases and deployments of an app, newest first."""

    app: str
    releases: tuple[Release, ...]
    deployments: tuple[Deployment, ...]
    schema: str = "jenkins_cd/history/v1"


def board(platform: PlatformFile) -> Board:
    """Return what runs where. A deployment that was superseded or blocked says nothing of it, and is passed over."""
    ledger = Ledger.open(platform)
    places = []
    for app in ledger.apps():
        deployments = ledger.deployments(app)
        project = ledger.project(app) or ""
        for environment in platform.environments:
            there = [
                one for one in deployments if one.environment == environment and one.outcome not in CHANGED_NOTHING
            ]
            places.append(_place(app, project, environment, there[0] if there else None))
    return Board(places=tuple(places))


def history(platform: PlatformFile, app: str) -> History:
    """Return what was released and deployed of `app`. Raises BadInput where nothing was."""
    ledger = Ledger.open(platform)
    apps = ledger.apps()
    if app not in apps:
        known = ", ".join(apps) or "none yet"
        raise BadInput(f"no release of {app!r} was published{nearest(app, apps)}", f"published apps: {known}")
    releases = [release for version in ledger.versions(app) if (release := ledger.release(app, version))]
    return History(app=app, releases=tuple(releases), deployments=tuple(ledger.deployments(app)))


def _place(app: str, project: str, environment: str, last: Deployment | None) -> Place:
    if last is None:
        return Place(app=app, project=project, environment=environment)
    note = last.approval_reason if last.kind == "rollback" else "" if last.outcome == "verified" else last.reason
    return Place(
        app=app,
        project=project,
        environment=environment,
        version=last.version,
        outcome=last.outcome,
        since=last.started,
        requested_by=last.requested_by,
        note=note,
    )
