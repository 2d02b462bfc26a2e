"""Look at an environment: each app that was deployed there, its release, and what lives in the cluster of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from jenkins_cd.config.types import HelmTarget, PlatformFile, seconds
from jenkins_cd.drift import AppDrift, Change, Drift, Kind, State, compare
from jenkins_cd.drift.live import Namespace
from jenkins_cd.drift.release import HelmRelease, Stored, stored
from jenkins_cd.errors import BadInput, ExternalFailure, Interrupted, JenkinsCdError, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import CHANGED_NOTHING, Deployment, Progress
from jenkins_cd.suggest import nearest
from jenkins_cd.tools.kubernetes import Absent

_ELSEWHERE: Mapping[str, str] = {  # what tells it for the models that pull
    "flux": "flux diff kustomization NAME --path FOLDER; Flux puts back by itself what was changed",
    "argocd": "argocd app diff NAME; with self-heal Argo CD puts back by itself what was changed",
}
_KINDS: tuple[Kind, ...] = ("changed", "removed", "added", "missing", "extra")
# What Helm says of a revision where it is told nothing: a deployment of ours says who asked for it.
_HELMS_WORDS = r"(Install|Upgrade) complete|Rollback to \d+"


@dataclass(frozen=True)
class _Place:
    """An app where it should be."""

    app: str
    project: str
    namespace: str
    release: str
    last: Deployment | None  # None: none was recorded
    verified: Deployment | None  # the last one that was


def check(platform: PlatformFile, environment: str, app: str | None, progress: Progress) -> Drift:
    """Compare one app of an environment (None: every one that was deployed there) with what was deployed.

    Nothing is changed: where a field differs, the API server is asked in a dry run how it would write it.
    Raises BadInput for an unknown app or environment, for one of another model, and where there is no kubeconfig. What
    cannot be known of an app is a result.
    """
    target = _target(platform, environment)
    ledger = Ledger.open(platform)
    names = [_known(ledger, app)] if app else ledger.apps()
    places = [_place(ledger, target, environment, name) for name in names]
    told: dict[str, AppDrift] = {}
    for namespace, group in itertools.groupby(sorted(places, key=lambda one: one.namespace), lambda one: one.namespace):
        told |= {one.app: one for one in _in_namespace(target, namespace, list(group), progress)}
    shown = [told[place.app] for place in places if app or place.last]
    return Drift(environment=environment, at=datetime.now(timezone.utc), apps=tuple(shown))


def _target(platform: PlatformFile, environment: str) -> HelmTarget:
    from jenkins_cd.deploy import known_environment

    place = known_environment(platform, environment)
    if place.model != "helm":
        raise BadInput(
            f"{environment} is of the model {place.model}: drift compares what the model helm has pushed",
            f"this tells it there: {_ELSEWHERE[place.model]}",
        )
    return place.helm


def _known(ledger: Ledger, app: str) -> str:
    apps = ledger.apps()
    if app in apps:
        return app
    raise BadInput(
        f"no release of {app!r} was published{nearest(app, apps)}", f"published apps: {', '.join(apps) or 'none yet'}"
    )


def _place(ledger: Ledger, target: HelmTarget, environment: str, app: str) -> _Place:
    project = ledger.project(app) or ""
    names = {"app": app.rpartition("/")[2], "project": project, "environment": environment}
    recorded = [one for one in ledger.deployments(app, environment) if one.outcome not in CHANGED_NOTHING]
    return _Place(
        app=app,
        project=project,
        namespace=target.namespace.format(**names),
        release=target.release.format(**names),
        last=recorded[0] if recorded else None,
        verified=next((one for one in recorded if one.outcome == "verified"), None),
    )


def _in_namespace(
    target: HelmTarget, namespace: str, places: Sequence[_Place], progress: Progress
) -> Iterator[AppDrift]:
    """Look at the apps of a namespace, with one credential. What hinders all of them is told of each."""
    from jenkins_cd.cluster import access
    from jenkins_cd.tools import kubeconfig

    yield from (_told(one, "absent", "nothing was deployed there yet") for one in places if not one.last)
    there = [one for one in places if one.last]
    if not there:
        return
    left, file = list(there), kubeconfig.locate()
    given = target.context, namespace, target.service_account, seconds(target.session)
    try:
        with access.granted(file, *given) as granted:
            seen = Namespace(granted.cluster, namespace)
            for place in there:
                told = _app(seen, place)
                progress.note(f"drift of {place.app}", told.reason)
                left.remove(place)
                yield told
    except Interrupted:
        raise
    except JenkinsCdError as error:
        yield from (_told(place, "unknown", _why(error)) for place in left)


def _app(seen: Namespace, place: _Place) -> AppDrift:
    try:
        found = stored(seen.cluster, seen.name, place.release)
        if found.deployed is None or found.status.startswith("pending-"):
            return _none(place, found)
        return _compared(seen, place, found.deployed, found)
    except (ExternalFailure, Refused, Absent) as error:
        return _told(place, "unknown", _why(error))


def _why(error: JenkinsCdError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _none(place: _Place, found: Stored) -> AppDrift:
    """Tell of a release that has nothing to compare with."""
    if found.status.startswith("pending-"):
        reason = f"revision {found.newest} is {found.status}: a deployment is at work, or was killed; look again later"
        return _told(place, "unknown", reason)
    if found.status and found.status != "uninstalled":
        return _told(place, "unknown", f"no revision is deployed; the newest, {found.newest}, is {found.status}")
    if not place.verified:
        return _told(place, "absent", "its first deployment failed, and there is no release")
    gone = Change(object=f"Release/{place.release}", kind="missing")
    reason = "the Helm release is gone: somebody uninstalled it, or deleted its Secrets"
    return _told(place, "drifted", reason, changes=(gone,))


def _compared(seen: Namespace, place: _Place, release: HelmRelease, found: Stored) -> AppDrift:
    scaled = compare.scaled(release.manifests)
    changes, hidden = _by_hand(place, release), dict[str, str]()
    for one in release.manifests:
        try:
            changes += _object(seen, one, compare.title(one) in scaled)
        except (Refused, BadInput) as error:
            hidden[compare.title(one)] = _why(error)
    strays, unseen = seen.strays(release.name, release.manifests, release.hooks)
    changes += [compare.stray(one) for one in strays]
    reason = _sentence(changes, len(release.manifests), hidden)
    return _told(
        place,
        "drifted" if changes else "unknown" if hidden else "same",
        reason + (f"; revision {found.newest} is {found.status}" if found.newest != release.revision else ""),
        revision=release.revision,
        chart=f"{release.chart} {release.version}",
        deployed=release.deployed,
        objects=len(release.manifests),
        changes=tuple(changes),
        unseen=tuple(unseen),
    )


def _by_hand(place: _Place, release: HelmRelease) -> list[Change]:
    """Tell that Helm, started by hand, has deployed a version that nobody recorded.

    After a deployment that failed it may be that one, or the one before.
    """
    recorded = [one.version for one in (place.last, place.verified) if one]
    if release.version in recorded or not re.match(_HELMS_WORDS, release.description):
        return []
    told = Change(
        object=f"Release/{release.name}",
        kind="changed",
        field="version",
        wanted=recorded[0],
        live=release.version,
        by="helm",
        at=release.deployed,
    )
    return [told]


def _object(seen: Namespace, manifest: compare.Object, scaled: bool) -> list[Change]:
    live = seen.get(manifest)
    if live is None:
        return [compare.missing(manifest)]
    differs = compare.differences(manifest, live, scaled)
    if any(one.kind != "added" for one in differs) and (written := seen.written(manifest)):
        differs = compare.confirmed(differs, written, live)
    return compare.changes(differs, live)


def _sentence(changes: Sequence[Change], objects: int, hidden: Mapping[str, str]) -> str:
    """Return what came of comparing objects; `hidden` are those that could not be seen, and why."""
    said = []
    if changes:
        counts = {kind: sum(one.kind == kind for one in changes) for kind in _KINDS}
        listed = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        touched = len({one.object for one in changes})
        said.append(f"{touched} object{'s' if touched != 1 else ''} not as deployed: {listed}")
    elif not hidden:
        said.append(f"all {objects} objects are as deployed" if objects != 1 else "its one object is as deployed")
    if hidden:
        said.append(f"it cannot be known of {', '.join(hidden)}: {next(iter(hidden.values()))}")
    return "; ".join(said)


def _told(place: _Place, state: State, reason: str, **more: object) -> AppDrift:
    known = {"app": place.app, "project": place.project, "namespace": place.namespace, "release": place.release}
    version = place.last.version if place.last else None
    return AppDrift(**known, state=state, reason=reason, version=version, **more)  # type: ignore[arg-type]
