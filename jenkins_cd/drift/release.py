"""What Helm keeps of a release in the cluster: a Secret a revision, read without Helm.

The Secret `sh.helm.release.v1.NAME.vN` has the labels owner, name, version and status; its `release` is base64 of gzip
of JSON (https://github.com/helm/helm/blob/main/pkg/storage/driver/util.go). Reading it needs the right to list Secrets
in that namespace, as `helm get manifest` does.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jenkins_cd.drift.compare import Object, title
from jenkins_cd.drift.owners import instant
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.tools import kubernetes, kubernetes_yaml
from jenkins_cd.tools.answers import whole_number
from jenkins_cd.tools.kubernetes import Cluster

_ZIPPED = b"\x1f\x8b"


@dataclass(frozen=True, kw_only=True)
class HelmRelease:
    """A revision of a release: what it wants in the cluster."""

    name: str
    revision: int
    chart: str
    version: str  # of the chart
    deployed: datetime | None
    description: str
    manifests: tuple[Object, ...]
    hooks: frozenset[str]  # Kind/name


@dataclass(frozen=True, kw_only=True)
class Stored:
    """The revisions of a release that count: the one that is deployed, and the newest, which may be another."""

    deployed: HelmRelease | None
    newest: int = 0  # 0: there is no such release
    status: str = ""  # of the newest, as failed or pending-upgrade


def stored(cluster: Cluster, namespace: str, name: str) -> Stored:
    """Return what Helm has deployed under a name.

    Raises Refused where the account may not list Secrets, ExternalFailure where one cannot be read.
    """
    selector = f"owner=helm,name={name},status!=superseded"
    try:
        found = kubernetes.list_(cluster, f"/api/v1/namespaces/{namespace}/secrets", labelSelector=selector).items
    except Refused as error:
        hint = "drift needs the account that deploys, not the one that only reads: Helm keeps its manifests in Secrets"
        raise Refused(error.message, hint) from error
    revisions = {_revision(one): one for one in found}
    deployed = max((number for number, one in revisions.items() if _status(one) == "deployed"), default=None)
    newest = max(revisions, default=0)
    return Stored(
        deployed=None if deployed is None else decode(revisions[deployed]),
        newest=newest,
        status=_status(revisions[newest]) if newest else "",
    )


def decode(secret: Object) -> HelmRelease:
    """Return the release that a Secret of Helm's holds. Raises ExternalFailure where it holds something else."""
    name = (secret.get("metadata") or {}).get("name")
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        content = json.loads(gzip.decompress(packed) if packed[:2] == _ZIPPED else packed)
        chart, info = content["chart"]["metadata"], content["info"]
        return HelmRelease(
            name=content["name"],
            revision=int(content["version"]),
            chart=chart["name"],
            version=chart["version"],
            deployed=instant(_seconds(info.get("last_deployed"))),
            description=str(info.get("description") or ""),
            manifests=tuple(objects(content.get("manifest") or "")),
            hooks=frozenset(title(one) for hook in content.get("hooks") or () for one in objects(hook["manifest"])),
        )
    except (binascii.Error, zlib.error, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ExternalFailure(
            f"the Secret {name} holds no release of Helm that can be read: {type(error).__name__}",
            "helm get manifest says whether Helm can read it; deploy again to make a new one",
        ) from error


def objects(manifest: str) -> Iterator[Object]:
    """Yield the objects of a manifest, those of a List one by one. Raises ValueError where it is no YAML."""
    for one in kubernetes_yaml.load_all(manifest):
        if isinstance(one, dict) and str(one.get("kind")).endswith("List") and isinstance(one.get("items"), list):
            yield from one["items"]
        elif isinstance(one, dict) and one.get("kind"):
            yield one


def _seconds(moment: Any) -> str:
    """Return a moment of Go's without the digits behind microseconds, which Python does not take."""
    return re.sub(r"(\.\d{1,6})\d*", r"\1", str(moment or ""))


def _revision(secret: Object) -> int:
    return whole_number(str(((secret.get("metadata") or {}).get("labels") or {}).get("version", "")))


def _status(secret: Object) -> str:
    return str(((secret.get("metadata") or {}).get("labels") or {}).get("status", ""))
