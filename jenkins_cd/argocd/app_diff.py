"""What a sync would change on the live objects of an Application, asked of Argo CD before it is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from jenkins_cd.argocd import managed, predicted, site, states
from jenkins_cd.argocd.managed import Managed
from jenkins_cd.argocd.states import Object
from jenkins_cd.delivery import Target, charts, declaration, manifests
from jenkins_cd.errors import BadInput
from jenkins_cd.model import Release
from jenkins_cd.tools import argocd_applications, helm, helm_release
from jenkins_cd.tools.argocd import Ref, Server

_HOOKS = ("helm.sh/hook", "argocd.argoproj.io/hook")
_TRACKED = "argocd.argoproj.io/tracking-id"
MASKED = "the values of {}: Argo CD does not show them, so whether they change is not known"


def of_declared(server: Server, ref: Ref) -> tuple[str, tuple[str, ...]]:
    """Return what a sync would change as Git is now, as a unified diff; and what the diff does not show.

    Raises Absent, Denied and Away as the server says, BadInput where Argo CD cannot compare.
    """
    app = argocd_applications.read(server, ref, "normal")
    if errors := states.conditions(app, *states.UNREADY):
        raise BadInput(f"Argo CD cannot compare {ref.name}: {errors[0]}", "mend what it names, then look again")
    return shown(managed.read(server, ref)), ()


def of_release(target: Target, release: Release) -> tuple[str, tuple[str, ...]]:
    """Return what a sync would change once a release is declared, which it need not be yet; nothing is written.

    Raises as `of_declared`, and BadInput where the chart does not render.
    """
    place = site.opened(target, release)
    items = managed.read(place.server, place.ref)
    wanted = [one for one in _rendered(target, release) if not _hook(one)]
    return shown(planned(items, wanted, prune=place.rules.prune)), tuple(_unknown(items, wanted))


def planned(items: Iterable[Managed], wanted: Iterable[Object], *, prune: bool) -> list[Managed]:
    """Return objects with what a sync of other manifests would make of them. Pure."""
    known, found = {one.key: one for one in items}, []
    for manifest in wanted:
        key = managed.key_of(manifest)
        item = known.pop(key, None) or Managed(group=key[0], kind=key[1], name=key[2])
        found.append(replace(item, declared=manifest, predicted=_predicted(item, manifest)))
    left = [replace(one, declared=None, predicted=None) for one in known.values() if one.live]
    return [*found, *(left if prune else ())]


def shown(items: Iterable[Managed]) -> str:
    """Return the unified diff of objects: what lives, and what a sync would make of it."""
    parts = []
    for one in sorted(items, key=lambda each: (each.kind, each.name)):
        if one.live is None and one.declared is None:
            continue
        parts.append(predicted.diff(f"{one.title}.yaml", one.compared, one.predicted))
    return "".join(parts)


def _predicted(item: Managed, manifest: Object) -> Object:
    if item.compared is None:
        return manifest
    declared = item.declared or {}
    wanted = predicted.heeded(_marked(manifest, item), declared, item.predicted or declared)
    if item.kind == "Secret":
        wanted = _masked(wanted, item.compared)
    return predicted.merged(wanted, declared, item.compared)


def _marked(manifest: Object, item: Managed) -> Object:
    """Return a manifest with what Argo CD adds to each: the mark by which it knows its own, and the namespace."""
    there = ((item.compared or {}).get("metadata") or {}).get("annotations") or {}
    metadata: Mapping[str, object] = manifest.get("metadata") or {}
    mark = {_TRACKED: there[_TRACKED]} if _TRACKED in there else {}
    annotations = {**(metadata.get("annotations") or {}), **mark}  # type: ignore[dict-item]
    named = {"namespace": item.namespace} if item.namespace else {}
    return {**manifest, "metadata": {**metadata, **named, **({"annotations": annotations} if annotations else {})}}


def _masked(wanted: Object, live: Object) -> dict[str, object]:
    """Return a Secret with the values that the live one shows, as those are masked: only its keys can be compared."""
    there = live.get("data") or {}
    names = {**(wanted.get("data") or {}), **(wanted.get("stringData") or {})}
    rest = {name: value for name, value in wanted.items() if name not in ("data", "stringData")}
    return {**rest, "data": {name: there.get(name, "+") for name in names}} if names else rest


def _unknown(items: Iterable[Managed], wanted: Iterable[Object]) -> Iterator[str]:
    live = {one.key for one in items if one.live}
    secrets = [one for one in wanted if one.get("kind") == "Secret" and managed.key_of(one) in live]
    if secrets:
        yield MASKED.format(", ".join(manifests.name(one) for one in secrets))


def _rendered(target: Target, release: Release) -> list[dict[str, object]]:
    """Return what the chart would be as Argo CD renders it once it is declared, its CRDs included."""
    names = {"app": release.app, "project": release.project, "environment": target.name}
    rules, wanted = target.environment.argocd, declaration.read(target, release)
    with charts.unpacked(wanted.after, release, target.platform.registry.plain_http) as chart:
        text = helm.template(chart, rules.release.format(**names), rules.namespace.format(**names))
        return manifests.objects(text, helm_release.crds(chart))


def _hook(manifest: Object) -> bool:
    annotations = (manifest.get("metadata") or {}).get("annotations") or {}
    return any(name in annotations for name in _HOOKS)
