"""Who works on a rollback: Helm gives that the labels of the revision that it puts back, so it is written beside it.

A record is a Secret without content, with labels: any account that deploys with Helm may make one.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from jenkins_cd.delivery import release_owner
from jenkins_cd.errors import JenkinsCdError, Refused
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.answers import whole_number
from jenkins_cd.tools.helm_release import Place
from jenkins_cd.tools.kubernetes import Cluster

PURPOSE, RELEASE, REVISION = "jenkins-cd/purpose", "jenkins-cd/release", "jenkins-cd/revision"
_FAREWELL = 3.0  # seconds that removing one may take


@dataclass(frozen=True, kw_only=True)
class _Record:
    path: str
    revision: int  # that the rollback makes
    labels: Mapping[str, str]  # of whoever began it

    @property
    def dead(self) -> bool:
        return release_owner.dead(release_owner.of(self.labels))


def begin(place: Place, revision: int, ours: Mapping[str, str]) -> Callable[[], None]:
    """Let everybody know by labels whose the rollback is that makes `revision`; nobody knows where we may not write.

    Returns what is to be called once the release is not pending any more. Else it stays until a later rollback ends.
    """
    others = _read(place)
    _remove(place, *(one.path for one in others if one.revision == revision and one.dead))
    path = _write(place, revision, ours)
    return lambda: _remove(place, path, *(one.path for one in others if one.revision < revision))


def labels(place: Place, revision: int) -> Mapping[str, str]:
    """Return the labels of whoever works on the rollback that makes `revision`; none where that is not clear."""
    known = [one for one in _read(place) if one.revision == revision]
    living = [one for one in known if not one.dead]
    return (living or known)[0].labels if known and len(living) < 2 else {}


def _read(place: Place) -> list[_Record]:
    """Return the records of a release. Where we may not look there are none."""
    selector = f"{PURPOSE}=rollback,{RELEASE}={place.name}"
    try:
        found = kubernetes.list_(Cluster.of(place.kubeconfig), _secrets(place), labelSelector=selector).items
    except Refused:
        return []
    records = []
    for metadata in (one["metadata"] for one in found):
        known, path = metadata.get("labels") or {}, f"{_secrets(place)}/{metadata['name']}"
        if revision := whole_number(known.get(REVISION, "")):  # else somebody else's, or changed by hand
            records.append(_Record(path=path, revision=revision, labels=known))
    return records


def _write(place: Place, revision: int, ours: Mapping[str, str]) -> str:
    """Return the path of a new record, "" where we may not write one."""
    named = {**ours, PURPOSE: "rollback", RELEASE: place.name, REVISION: str(revision)}
    metadata = {"generateName": "jenkins-cd-rollback-", "labels": named}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}
    try:
        made = kubernetes.post(Cluster.of(place.kubeconfig), _secrets(place), body)
    except Refused:
        return ""
    return f"{_secrets(place)}/{made['metadata']['name']}"


def _remove(place: Place, *paths: str) -> None:
    """Remove records. Where that fails a later rollback does so."""
    cluster = dataclasses.replace(Cluster.of(place.kubeconfig), patience=_FAREWELL)
    with contextlib.suppress(JenkinsCdError):
        for path in filter(None, paths):
            kubernetes.delete(cluster, path)


def _secrets(place: Place) -> str:
    return f"/api/v1/namespaces/{quote(place.namespace)}/secrets"
