"""What lives in a namespace: a release's objects, those that say they belong to it; and how the server writes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jenkins_cd.drift.compare import Object, title
from jenkins_cd.errors import JenkinsCdError, Refused
from jenkins_cd.tools import kubernetes, kubernetes_kinds
from jenkins_cd.tools.kubernetes import Absent, Cluster

_RELEASE = "meta.helm.sh/release-name"
_NAMESPACE = "meta.helm.sh/release-namespace"
_INSTANCE = "app.kubernetes.io/instance"
_HELMS = "app.kubernetes.io/managed-by=Helm"  # Helm puts this label on all that it makes
_KINDS = (  # looked through for what no manifest has; custom resources where the release has such
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
)


@dataclass(frozen=True)
class Namespace:
    """A namespace as one account sees it. Each collection is listed once."""

    cluster: Cluster
    name: str
    _listed: dict[tuple[str, str], tuple[Object, ...] | None] = field(default_factory=dict)

    def get(self, manifest: Object) -> Object | None:
        """Return the live object, None where it is gone. Raises Refused, and Absent for a kind that nobody knows."""
        return kubernetes.get(self.cluster, kubernetes_kinds.path(self.cluster, manifest, self.name))

    def written(self, manifest: Object) -> Object | None:
        """Return an object as the API server would store it, or None where it does not say.

        A second one like it is created in a dry run, which stores nothing: that needs the right to create it, and
        shows defaults, normal forms and what admission changes.
        """
        kind, version = str(manifest["kind"]), str(manifest["apiVersion"])
        metadata = {name: value for name, value in manifest["metadata"].items() if name != "name"}
        metadata["generateName"] = f"{str(manifest['metadata']['name'])[:40]}-"
        where = str(metadata.get("namespace") or self.name)
        try:
            place = kubernetes_kinds.collection(version, kubernetes_kinds.find(self.cluster, version, kind), where)
            return kubernetes.post(self.cluster, place, {**manifest, "metadata": metadata}, dryRun="All")
        except JenkinsCdError:
            return None

    def strays(
        self, release: str, manifests: Sequence[Object], hooks: frozenset[str]
    ) -> tuple[list[Object], list[str]]:
        """Return what says that it belongs to a release and is not in it, and the kinds that may not be listed."""
        known = {title(one) for one in manifests} | hooks
        kinds = dict.fromkeys((*_KINDS, *((str(one.get("apiVersion")), str(one.get("kind"))) for one in manifests)))
        found: dict[str, Object] = {}
        unseen = []
        for version, kind in kinds:
            listed = self._list(version, kind)
            if listed is None:
                unseen.append(kind)
            found |= {title(one): one for one in listed or () if _claims(one, release, self.name)}
        return [one for name, one in sorted(found.items()) if name not in known], sorted(set(unseen))

    def _list(self, version: str, kind: str) -> tuple[Object, ...] | None:
        """Return what Helm has made of a kind, or None where it may not be listed."""
        if (version, kind) not in self._listed:
            self._listed[version, kind] = self._ask(version, kind)
        return self._listed[version, kind]

    def _ask(self, version: str, kind: str) -> tuple[Object, ...] | None:
        try:
            resource = kubernetes_kinds.find(self.cluster, version, kind)
            if not resource.namespaced:
                return ()
            place = kubernetes_kinds.collection(version, resource, self.name)
            return kubernetes.list_(self.cluster, place, labelSelector=_HELMS).items
        except Absent:
            return ()
        except Refused:
            return None


def _claims(one: Object, release: str, namespace: str) -> bool:
    """Tell whether an object says that it is the release's. What a controller made belongs to its owner."""
    metadata: Mapping[str, Any] = one.get("metadata") or {}
    annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
    if metadata.get("ownerReferences") or metadata.get("deletionTimestamp"):
        return False
    if _RELEASE in annotations:
        return bool(annotations[_RELEASE] == release and annotations.get(_NAMESPACE, namespace) == namespace)
    # A StatefulSet gives its labels to the claims that it makes, and owns none of them.
    return labels.get(_INSTANCE) == release and one.get("kind") != "PersistentVolumeClaim"
