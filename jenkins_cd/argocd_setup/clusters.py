"""Clusters and repositories that Argo CD knows: what it is told of them, never what it logs in with.

https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#clusters. Argo CD reads a cluster's name,
server and credential from one Secret. A secret manager fills its `config`, as an `execProviderConfig` or a token; what
is rendered here has no such key, and APPLIED to that Secret it leaves it as it is. (Unless that was made with `kubectl
apply`: what that has put there kubectl takes for ours, and removes it. Secret managers work otherwise.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jenkins_cd.argocd_setup.applications import MANAGER
from jenkins_cd.argocd_setup.placed import ANY, Placed, repository
from jenkins_cd.config.argocd import OWN_CLUSTER, ArgoCd, ArgoCdCluster
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput

APPLIED = "kubectl apply --server-side --field-manager=jenkins-cd -f -"
KIND_OF_SECRET = "argocd.argoproj.io/secret-type"  # noqa: S105 - the label's name


def used(settings: ArgoCd, placed: Sequence[Placed]) -> dict[str, ArgoCdCluster]:
    """Return the clusters that apps go to, but for Argo CD's own, by name."""
    names = {one.rules.argocd.cluster for one in placed} - {OWN_CLUSTER}
    return {name: settings.clusters[name] for name in sorted(names)}


def namespaces(name: str, cluster: ArgoCdCluster, placed: Sequence[Placed]) -> list[str]:
    """Return the namespaces that Argo CD is given in a cluster; none: all.

    Raises BadInput where one is named after an app that is not known yet.
    """
    if not cluster.namespaces:
        return []
    found = sorted({one.namespace for one in placed if one.rules.argocd.cluster == name})
    unknown = [one for one in found if ANY in one]
    if unknown:
        raise BadInput(
            f"Argo CD is to be given single namespaces of {name}, and {', '.join(unknown)} is not known yet",
            "run this again after the first release, or let environments.<name>.argocd.namespace have no {app}",
        )
    return found


def secret(name: str, cluster: ArgoCdCluster, given: Sequence[str], namespace: str) -> dict[str, Any]:
    """Return the Secret of a cluster, without what Argo CD logs in with; `given` are the namespaces, none: all."""
    data = {
        "name": name,
        "server": cluster.server.rstrip("/"),
        # All keys, always: applying leaves what is left out as it was.
        "namespaces": ",".join(given),
        "clusterResources": "false" if given else "true",
    }
    return _secret(cluster.credential or name, namespace, "cluster", data)


def credential(platform: PlatformFile) -> dict[str, Any] | None:
    """Return the Secret with the credential of the deploy repository, without that; None where none is named."""
    named = platform.argocd.repository_credentials
    data = {"type": "git", "url": repository(platform)}
    return _secret(named, platform.argocd.namespace, "repo-creds", data) if named else None


def known(platform: PlatformFile, templates: Sequence[Mapping[str, Any]], there: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a template of credentials, or a repository, is for the deploy repository."""
    url = repository(platform)
    prefixes = [str(one.get("url") or "") for one in templates]
    return any(one and url.startswith(one) for one in prefixes) or any(one.get("repo") == url for one in there)


def _secret(name: str, namespace: str, kind: str, data: Mapping[str, str]) -> dict[str, Any]:
    labels = {**MANAGER, KIND_OF_SECRET: kind}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": dict(data)}
