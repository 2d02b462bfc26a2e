"""What the API server calls the kinds of objects, and which of them live in a namespace.

The kinds that every cluster has are in a table, from https://kubernetes.io/docs/reference/kubernetes-api/; others are
asked for: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster


@dataclass(frozen=True)
class Resource:
    """A kind, as paths and rights name it: `deployments` in the group `apps`."""

    group: str  # "" for the core group
    name: str  # plural
    namespaced: bool


_NAMESPACED: Mapping[str, str] = {
    "": "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret Service ServiceAccount",
    "apps": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "autoscaling": "HorizontalPodAutoscaler",
    "batch": "CronJob Job",
    "coordination.k8s.io": "Lease",
    "discovery.k8s.io": "EndpointSlice",
    "events.k8s.io": "Event",
    "networking.k8s.io": "Ingress NetworkPolicy",
    "policy": "PodDisruptionBudget",
    "rbac.authorization.k8s.io": "Role RoleBinding",
    "storage.k8s.io": "CSIStorageCapacity",
}
_CLUSTER_SCOPED: Mapping[str, str] = {
    "": "Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingAdmissionPolicy "
    "ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "networking.k8s.io": "IngressClass IPAddress ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment",
}


def group(api_version: str) -> str:
    """Return the group of an apiVersion: `apps` of `apps/v1`, the empty one of `v1`."""
    return api_version.rpartition("/")[0]


def plural(kind: str) -> str:
    """Return a kind's name in paths as nearly every kind forms it: `Ingress` is `ingresses`."""
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return name if name == "endpoints" else f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def builtin(api_version: str, kind: str) -> Resource | None:
    """Return what a kind is, or None where it is not one that every cluster has."""
    return _BUILTIN.get((group(api_version), kind))


def known_as(kind: str) -> Resource | None:
    """Return what a kind is where only its name is known, or None where it is not built in, or not the only one."""
    found = [resource for (_, name), resource in _BUILTIN.items() if name == kind]
    return found[0] if len(found) == 1 else None


def find(cluster: Cluster, api_version: str, kind: str) -> Resource:
    """Return what a kind is in a cluster, which is asked where it is not built in.

    Raises Absent where the cluster does not know it, as where its CustomResourceDefinition is missing.
    """
    known = builtin(api_version, kind) or _served(cluster, api_version).get(kind)
    if known is None:
        raise kubernetes.Absent(
            f"{cluster.server} knows no kind {kind} in {api_version}",
            "its CustomResourceDefinition is not installed, or has another version",
        )
    return known


def path(cluster: Cluster, item: Mapping[str, Any], namespace: str = "") -> str:
    """Return where an object is on the API server; `namespace` is for one that names none.

    Raises BadInput for what is no object, Absent where the cluster does not know its kind.
    """
    metadata = item.get("metadata") or {}
    if not item.get("apiVersion") or not item.get("kind") or not metadata.get("name"):
        raise BadInput(f"an object without apiVersion, kind or name: {sorted(item)}")
    resource = find(cluster, str(item["apiVersion"]), str(item["kind"]))
    where = str(metadata.get("namespace") or namespace)
    name = quote(str(metadata["name"]), safe="")
    return f"{collection(str(item['apiVersion']), resource, where)}/{name}"


def collection(api_version: str, resource: Resource, namespace: str = "") -> str:
    """Return where the objects of a kind are listed, in one namespace or (empty) in all."""
    base = f"/apis/{api_version}" if resource.group else f"/api/{api_version}"
    if resource.namespaced and namespace:
        base += f"/namespaces/{quote(namespace, safe='')}"
    return f"{base}/{resource.name}"


@functools.lru_cache(maxsize=64)
def _served(cluster: Cluster, api_version: str) -> dict[str, Resource]:
    base = "/apis" if group(api_version) else "/api"
    found = kubernetes.get(cluster, f"{base}/{api_version}") or {}
    return {
        one["kind"]: Resource(group(api_version), one["name"], one["namespaced"])
        for one in found.get("resources") or ()
        if "/" not in one["name"]
    }


_BUILTIN: Mapping[tuple[str, str], Resource] = {
    (name, kind): Resource(name, plural(kind), namespaced)
    for table, namespaced in ((_NAMESPACED, True), (_CLUSTER_SCOPED, False))
    for name, kinds in table.items()
    for kind in kinds.split()
}
