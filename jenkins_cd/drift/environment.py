"""Look at an environment: each app that was deployed there, its release, and what lives in the cluster of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from jenkins_cd.config.types import HelmTarget, PlatformFile, seconds
from jenkins_cd.drift import AppDrift, Change, Drift, Known, State, compare
from jenkins_cd.drift.live import Namespace
from jenkins_cd.drift.release import HelmRelease, Stored, stored
from jenkins_cd.errors import BadInput, ExternalFailure, Interrupted, JenkinsCdError, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import CHANGED_NOTHING, Progress
from jenkins_cd.suggest import nearest
from jenkins_cd.tools.kubernetes import Absent

_ELSEWHERE: Mapping[str, str] = {  # what tells it for other models
    "flux": "flux diff kustomization NAME --path FOLDER; Flux puts back by itself what was changed",
}
Look = Callable[[PlatformFile, str, Sequence[Known], Progress], Iterator[AppDrift]]
# What Helm says of a revision where it is told nothing: a deployment of ours says who asked for it.
_HELMS_WORDS = r"(Install|Upgrade) complete|Rollback to \d+"


@dataclass(frozen=True)
class _Place:
    """An app where it should be."""

    known: Known
    namespace: str
    release: str


def check(platform: PlatformFile, environment: str, app: str | None, progress: Progress) -> Drift:
    """Compare one app of an environment (None: every one that was deployed there) with what was deployed.

    Nothing is changed: where a field differs, the API server may be asked in a dry run how it would write it.
    Raises BadInput for an unknown app or environment, for one of another model, and where there is no kubeconfig or no
    credential for Argo CD. What cannot be known of an app is a result.
    """
    look = _look(platform, environment)
    ledger = Ledger.open(platform)
    names = [_known(ledger, app)] if app else ledger.apps()
    known = [_recorded(ledger, environment, name) for name in names]
    there = [one for one in known if one.last]
    told = {one.app: one for one in look(platform, environment, there, progress)} if there else {}
    shown = [told[one.app] if one.last else _absent(platform, environment, one) for one in known if app or one.last]
    return Drift(environment=environment, at=datetime.now(timezone.utc), apps=tuple(shown))


def _look(platform: PlatformFile, environment: str) -> Look:
    from jenkins_cd.argocd import app_drift
    from jenkins_cd.deploy import known_environment

    models: Mapping[str, Look] = {"argocd": app_drift.look, "helm": _look_at_helm}
    model = known_environment(platform, environment).model
    if model not in models:
        raise BadInput(
            f"{environment} is of the model {model}: drift is for the models {' and '.join(models)}",
            f"this tells it there: {_ELSEWHERE[model]}",
        )
    return models[model]


def _absent(platform: PlatformFile, environment: str, known: Known) -> AppDrift:
    rules, names = platform.environments[environment], {**known.names, "environment": environment}
    argocd = rules.model == "argocd"
    return AppDrift(
        app=known.app,
        project=known.project,
        state="absent",
        reason="nothing was deployed there yet",
        namespace=(rules.argocd.namespace if argocd else rules.helm.namespace).format(**names),
        release=(rules.argocd.application if argocd else rules.helm.release).format(**names),
        model="argocd" if argocd else "helm",
    )


def _known(ledger: Ledger, app: str) -> str:
    apps = ledger.apps()
    if app in apps:
        return app
    raise BadInput(
        f"no release of {app!r} was published{nearest(app, apps)}", f"published apps: {', '.join(apps) or 'none yet'}"
    )


def _recorded(ledger: Ledger, environment: str, app: str) -> Known:
    recorded = [one for one in ledger.deployments(app, environment) if one.outcome not in CHANGED_NOTHING]
    return Known(
        app=app,
        project=ledger.project(app) or "",
        last=recorded[0] if recorded else None,
        verified=next((one for one in recorded if one.outcome == "verified"), None),
    )


def _look_at_helm(
    platform: PlatformFile, environment: str, apps: Sequence[Known], progress: Progress
) -> Iterator[AppDrift]:
    """Look at what Helm has pushed, namespace by namespace. Raises BadInput where there is no kubeconfig."""
    target = platform.environments[environment].helm
    places = []
    for one in apps:
        names = {**one.names, "environment": environment}
        places.append(_Place(one, target.namespace.format(**names), target.release.format(**names)))
    for namespace, group in itertools.groupby(sorted(places, key=lambda one: one.namespace), lambda one: one.namespace):
        yield from _in_namespace(target, namespace, list(group), progress)


def _in_namespace(
    target: HelmTarget, namespace: str, places: Sequence[_Place], progress: Progress
) -> Iterator[AppDrift]:
    """Look at the apps of a namespace, with one credential. What hinders all of them is told of each."""
    from jenkins_cd.cluster import access
    from jenkins_cd.tools import kubeconfig

    left, file = list(places), kubeconfig.locate()
    given = target.context, namespace, target.service_account, seconds(target.session)
    try:
        with access.granted(file, *given) as granted:
            seen = Namespace(granted.cluster, namespace)
            for place in places:
                told = _app(seen, place)
                progress.note(f"drift of {place.known.app}", told.reason)
                left.remove(place)
                yield told
    except Interrupted:
        raise
    except JenkinsCdError as error:
        yield from (_told(place, "unknown", error.sentence) for place in left)


def _app(seen: Namespace, place: _Place) -> AppDrift:
    try:
        found = stored(seen.cluster, seen.name, place.release)
        if found.deployed is None or found.status.startswith("pending-"):
            return _none(place, found)
        return _compared(seen, place, found.deployed, found)
    except (ExternalFailure, Refused, Absent) as error:
        return _told(place, "unknown", error.sentence)


def _none(place: _Place, found: Stored) -> AppDrift:
    """Tell of a release that has nothing to compare with."""
    if found.status.startswith("pending-"):
        reason = f"revision {found.newest} is {found.status}: a deployment is at work, or was killed; look again later"
        return _told(place, "unknown", reason)
    if found.status and found.status != "uninstalled":
        return _told(place, "unknown", f"no revision is deployed; the newest, {found.newest}, is {found.status}")
    if not place.known.verified:
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
            hidden[compare.title(one)] = error.sentence
    strays, unseen = seen.strays(release.name, release.manifests, release.hooks)
    changes += [compare.stray(one) for one in strays]
    reason = compare.sentence(changes, len(release.manifests), hidden)
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
    recorded = [one.version for one in (place.known.last, place.known.verified) if one]
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


def _told(place: _Place, state: State, reason: str, **more: object) -> AppDrift:
    app, project, last = place.known.app, place.known.project, place.known.last
    known = {"app": app, "project": project, "namespace": place.namespace, "release": place.release}
    version = last.version if last else None
    return AppDrift(**known, state=state, reason=reason, version=version, **more)  # type: ignore[arg-type]
