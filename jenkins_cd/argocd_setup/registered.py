"""Clusters and credentials that Argo CD has, beside those that it should have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jenkins_cd.argocd_setup import clusters
from jenkins_cd.argocd_setup.change import Change
from jenkins_cd.argocd_setup.setup import Entry, Setup
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.tools import argocd_settings
from jenkins_cd.tools.argocd import Server


def changed_clusters(
    server: Server, platform: PlatformFile, setup: Setup, send: dict[str, Callable[[], object]]
) -> Iterator[Change]:
    """Yield what becomes of the clusters: one that is registered can be changed, only its Secret can register it."""
    if not setup.clusters:
        return
    registered = {str(one.get("server", "")).rstrip("/"): one for one in argocd_settings.clusters(server)}
    secrets = {one.object["stringData"].get("name"): one for one in setup.entries if one.kind == "Secret"}
    for name in setup.clusters:
        address = platform.argocd.clusters[name].server.rstrip("/")
        there, entry = registered.get(address), secrets.get(name)
        if there is None:
            yield Change(kind="Cluster", name=name, action="refused", note=_unknown(address, entry))
            continue
        wanted = _as_cluster(entry) if entry else {}
        differs = {key: value for key, value in wanted.items() if (there.get(key) or type(value)()) != value}
        yield Change(
            kind="Cluster",
            name=name,
            action="update" if differs else "unchanged",
            diff="".join(f"-{key}: {there.get(key)}\n+{key}: {value}\n" for key, value in differs.items()),
            fields=tuple(differs),
        )
        if differs:
            send[f"Cluster/{name}"] = _updating(server, address, differs)


def _updating(server: Server, address: str, differs: Mapping[str, Any]) -> Callable[[], object]:
    return lambda: argocd_settings.change_cluster(server, address, differs)


def _as_cluster(secret: Entry) -> dict[str, Any]:
    data = secret.object["stringData"]
    names = [one for one in data["namespaces"].split(",") if one]
    # Without namespaces `clusterResources` says nothing.
    return {"name": data["name"], "namespaces": names, **({"clusterResources": False} if names else {})}


def _unknown(address: str, secret: Entry | None) -> str:
    if secret is None:
        return f"no cluster {address} is registered that we may see; register it, or name its `credential`"
    return (
        f"no cluster {address} is registered that we may see: let your secret manager fill `config` in the Secret "
        f"{secret.name} in {secret.namespace}, and apply the rest of it: {clusters.APPLIED}"
    )


def credential(server: Server, platform: PlatformFile, setup: Setup) -> Iterator[Change]:
    """Yield what is missing for Argo CD to read the deploy repository."""
    found = [one for one in setup.entries if one.kind == "Secret" and one.object["stringData"].get("type") == "git"]
    for entry in found:
        templates, there = argocd_settings.credential_templates(server), argocd_settings.repositories(server)
        known = clusters.known(platform, templates, there)
        note = (
            f"Argo CD has no credential for {entry.object['stringData']['url']} that we may see: let your secret "
            f"manager fill the Secret {entry.name} in {entry.namespace}, and apply the rest of it: {clusters.APPLIED}"
        )
        yield Change(
            kind="Credential",
            name=entry.name,
            action="unchanged" if known else "refused",
            note="" if known else note,
        )
