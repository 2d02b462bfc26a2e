"""What Argo CD may deliver for a project: from where, to where, of which kinds, when, and on whose word.

https://argo-cd.readthedocs.io/en/stable/operator-manual/project-specification/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from jenkins_cd.argocd_setup import freezes
from jenkins_cd.argocd_setup.applications import API, MANAGER
from jenkins_cd.argocd_setup.placed import ANY, Placed, address, repository
from jenkins_cd.argocd_setup.roles import roles
from jenkins_cd.config.types import PlatformFile

NAMESPACE_KIND = "/Namespace"


def project(platform: PlatformFile, members: Sequence[Placed], now: datetime) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the AppProject of `members`, all of one, and what people must know of it.

    Raises BadInput where its name is not known yet.
    """
    owner = members[0].owner
    projects = sorted({one.project for one in members})
    windows, told = _windows(platform, members, now)
    named = {
        "name": owner,
        "namespace": platform.argocd.namespace,
        "labels": {**MANAGER, "app.kubernetes.io/part-of": projects[0]},
    }
    spec = {
        "description": f"The apps of {', '.join(projects)}, by jenkins-cd.",
        "sourceRepos": _sources(platform),
        **_source_namespaces(members),
        "destinations": _destinations(platform, members),
        **_kinds(platform, members),
        **({"orphanedResources": {"warn": True}} if platform.argocd.orphan_warning else {}),
        "roles": roles(owner, platform.argocd, projects, _own_namespaces(members)),
        **({"syncWindows": windows} if windows else {}),
    }
    return {"apiVersion": API, "kind": "AppProject", "metadata": named, "spec": spec}, tuple(told)


def _sources(platform: PlatformFile) -> list[str]:
    """Return the deploy repository, the registry's charts as Argo CD writes them, and what else may be."""
    charts = platform.registry.charts
    known = [repository(platform), charts.removeprefix("oci://"), f"{charts}/*", *platform.argocd.source_repositories]
    return list(dict.fromkeys(known))


def _own_namespaces(members: Sequence[Placed]) -> list[str]:
    """Return the namespaces of the Applications; none where some are in Argo CD's own."""
    found = {one.rules.argocd.application_namespace for one in members}
    return sorted(one for one in found if one) if None not in found else []


def _source_namespaces(members: Sequence[Placed]) -> dict[str, list[str]]:
    found = sorted({one.rules.argocd.application_namespace or "" for one in members} - {""})
    return {"sourceNamespaces": found} if found else {}


def _destinations(platform: PlatformFile, members: Sequence[Placed]) -> list[dict[str, str]]:
    all_apps = [replace(one, app=ANY) for one in members] if _from_folders(platform) else members
    places = {(address(platform.argocd, one.rules.argocd.cluster), one.namespace) for one in all_apps}
    return [{"server": server, "namespace": namespace} for server, namespace in sorted(places)]


def _from_folders(platform: PlatformFile) -> bool:
    return platform.argocd.generate == "applicationset"


def _kinds(platform: PlatformFile, members: Sequence[Placed]) -> dict[str, list[dict[str, str]]]:
    settings = platform.argocd
    makes_namespaces = any(one.rules.argocd.create_namespace for one in members)
    lists = {
        "clusterResourceWhitelist": {*settings.cluster_kinds, *([NAMESPACE_KIND] if makes_namespaces else [])},
        "namespaceResourceWhitelist": {*settings.allow_kinds},
        "namespaceResourceBlacklist": {*settings.deny_kinds},
    }
    return {name: [_kind(one) for one in sorted(kinds)] for name, kinds in lists.items() if kinds}


def _kind(text: str) -> dict[str, str]:
    group, _, kind = text.partition("/")
    return {"group": group, "kind": kind}


def _windows(
    platform: PlatformFile, members: Sequence[Placed], now: datetime
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the sync windows of all environments, each for its own Applications alone, and what to know of them."""
    found: list[dict[str, Any]] = []
    told: list[str] = []
    for name in dict.fromkeys(one.environment for one in members):
        mine = [one for one in members if one.environment == name]
        once, left_out = freezes.windows(mine[0].rules.freeze, now)
        where = _where(platform, mine)
        found += [{**one, **where} for one in (*_of_freezes(once), *_of_rules(mine[0]))]
        told += [f"{name}: {one}" for one in left_out]
        told += [f"{name}: {_frozen(one)}" for one in once]
    return [one for index, one in enumerate(found) if one not in found[:index]], told


def _frozen(once: freezes.Once) -> str:
    ends = f"{once.end:%Y-%m-%d %H:%M}"
    return f"frozen from {once.start:%Y-%m-%d %H:%M} to {ends} UTC; render again after it, as it comes back in a year"


def _of_freezes(once: Sequence[freezes.Once]) -> Iterator[dict[str, Any]]:
    for one in once:
        yield {
            "kind": "deny",
            "schedule": one.schedule,
            "duration": one.duration,
            "timeZone": "UTC",
            "description": one.description,
        }


def _of_rules(placed: Placed) -> Iterator[dict[str, Any]]:
    for one in placed.rules.argocd.windows:
        window = {"kind": one.kind, "schedule": one.schedule, "duration": one.duration, "timeZone": one.time_zone}
        yield {**window, **({"manualSync": True} if one.manual_sync else {})}


def _where(platform: PlatformFile, mine: Sequence[Placed]) -> dict[str, Any]:
    """Return which Applications a window is for: by name, or where apps are yet to come by name and namespace."""
    if not _from_folders(platform) and all(one.app != ANY for one in mine):
        return {"applications": sorted({one.application for one in mine})}
    any_app = [replace(one, app=ANY) for one in mine]
    return {
        "applications": sorted({one.application for one in any_app}),
        "namespaces": sorted({one.namespace for one in any_app}),
        "andOperator": True,  # `shop-*-dev` alone would also be of an environment eu-dev
    }
