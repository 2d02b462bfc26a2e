"""What runs where, and what became of an app's releases: read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from jenkins_cd.argocd.live import Live
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import CHANGED_NOTHING, Begun, Deployment, Release
from jenkins_cd.suggest import nearest


@dataclass(frozen=True, kw_only=True)
class Place:
    """One app in one environment."""

    app: str
    project: str
    environment: str
    version: str | None = None  # None: nothing was deployed there yet
    outcome: str = ""  # verified, failed, or unknown: begun, and not judged
    since: datetime | None = None
    requested_by: str = ""
    note: str = ""  # why it is so, where it is not just a deployment that went well
    source: str = ""  # the Git URL that has the release's commit
    commit: str = ""
    live: Live | None = None  # None: not asked


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


def board(platform: PlatformFile, app: str | None = None, environment: str | None = None) -> Board:
    """Return what runs where, of one app or environment where it is named, else of all.

    A deployment that was superseded or blocked says nothing of it, and is passed over. Raises BadInput for a name that
    is not known.
    """
    from jenkins_cd.deploy import known_environment, unknown

    ledger = Ledger.open(platform)
    if environment:
        known_environment(platform, environment)
    if app and app not in ledger.apps():
        raise unknown(ledger, app, "")
    places = []
    for name in [app] if app else ledger.apps():
        deployments, project = ledger.deployments(name), ledger.project(name) or ""
        for place in [environment] if environment else platform.environments:
            there = [one for one in deployments if one.environment == place and one.outcome not in CHANGED_NOTHING]
            shown = _unjudged(name, ledger.begun(name, place), there) or _place(name, project, place, there)
            places.append(_with_origin(shown, ledger))
    return Board(places=tuple(places))


def with_live(platform: PlatformFile, shown: Board) -> Board:
    """Return the board with what Argo CD says now, in the environments that it delivers to.

    What cannot be asked is said in the row.
    """
    from jenkins_cd.argocd import live, site

    asked = [one for one in shown.places if platform.environments[one.environment].model == "argocd"]
    if not asked:
        return shown
    ledger = Ledger.open(platform)
    try:
        server = site.server_of(platform)
    except JenkinsCdError as error:
        found = [Live(trouble=error.message)] * len(asked)
    else:
        rules = platform.environments
        refs = (site.ref_of(one.environment, rules[one.environment], one.project, _bare(one.app)) for one in asked)
        found = live.statuses(server, refs)
    known = {(one.app, one.environment): state for one, state in zip(asked, found, strict=True)}
    releases = {app: list(_releases(ledger, app)) for app in {one.app for one in asked}}
    places = []
    for one in shown.places:
        state = known.get((one.app, one.environment))
        named = replace(state, version=live.version(state.images, releases[one.app])) if state else None
        places.append(replace(one, live=named))
    return replace(shown, places=tuple(places))


def history(platform: PlatformFile, app: str) -> History:
    """Return what was released and deployed of `app`. Raises BadInput where nothing was."""
    ledger = Ledger.open(platform)
    apps = ledger.apps()
    if app not in apps:
        known = ", ".join(apps) or "none yet"
        raise BadInput(f"no release of {app!r} was published{nearest(app, apps)}", f"published apps: {known}")
    return History(app=app, releases=tuple(_releases(ledger, app)), deployments=tuple(ledger.deployments(app)))


def _releases(ledger: Ledger, app: str) -> Iterable[Release]:
    return (release for version in ledger.versions(app) if (release := ledger.release(app, version)))


def _bare(app: str) -> str:
    return app.rpartition("/")[2]


def _with_origin(place: Place, ledger: Ledger) -> Place:
    release = ledger.release(f"{place.project}/{_bare(place.app)}", place.version) if place.version else None
    return replace(place, source=release.source, commit=release.commit) if release else place


def _unjudged(app: str, begun: Begun | None, there: Sequence[Deployment]) -> Place | None:
    """Return the place where a deployment was begun and not judged: nobody knows what it has left."""
    if begun is None:
        return None
    before = f"; before it {there[0].version} was {there[0].outcome}" if there else ""
    return Place(
        app=app,
        project=begun.project,
        environment=begun.environment,
        version=begun.version,
        outcome="unknown",
        since=begun.started,
        requested_by=begun.requested_by,
        note=f"unknown since {begun.started:%Y-%m-%d %H:%M}Z: {begun.version} was begun and is not judged{before}",
    )


def _place(app: str, project: str, environment: str, there: Sequence[Deployment]) -> Place:
    if not there:
        return Place(app=app, project=project, environment=environment)
    last = there[0]
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
