"""The lab's images: one static program in several versions, put into the registry by HTTP, without a builder.

Media types and the order of the requests: https://github.com/opencontainers/distribution-spec and image-spec.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.lab import places

LAYER = "probe.tar.gz"
VERSIONS = ("1.0.0", "1.0.1", "2.0.0")
PAUSE = "pause"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def layer(program: Path) -> bytes:
    """Return a layer that holds nothing but the program; the same bytes each time."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        entry = tarfile.TarInfo("probe")
        entry.size, entry.mode = program.stat().st_size, 0o755
        with program.open("rb") as content:
            archive.addfile(entry, content)
    return gzip.compress(data.getvalue(), mtime=0)


def push_all(host: str) -> dict[str, str]:
    """Put the pause image and each version of the probe app into the registry; returns their digests by name:tag.

    One after the other: the registry mixes up uploads of the same layer that come at once.
    """
    content = (places.BIN / LAYER).read_bytes()
    wanted: dict[str, dict[str, Any]] = {f"{PAUSE}:1": {"Entrypoint": ["/probe", "pause"]}}
    for version in VERSIONS:
        labels = {"org.opencontainers.image.version": version}
        wanted[f"probe:{version}"] = {"Entrypoint": ["/probe"], "Env": [f"VERSION={version}"], "Labels": labels}
    return {name: push(host, name, content, config) for name, config in wanted.items()}


def push(host: str, name: str, content: bytes, config: Mapping[str, Any]) -> str:
    """Put an image of one layer under `name` (path:tag), and return its digest."""
    path, _, tag = name.rpartition(":")
    document = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"User": "65534:65534", **config},
        "rootfs": {"type": "layers", "diff_ids": [_digest(gzip.decompress(content))]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": _blob(host, path, json.dumps(document).encode(), _CONFIG),
        "layers": [_blob(host, path, content, _LAYER)],
    }
    data = json.dumps(manifest).encode()
    _put(f"http://{host}/v2/{path}/manifests/{tag}", data, _MANIFEST)
    return _digest(data)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _blob(host: str, path: str, data: bytes, media_type: str) -> dict[str, Any]:
    from jenkins_cd.tools import http

    digest = _digest(data)
    known = http.request("HEAD", f"http://{host}/v2/{path}/blobs/{digest}", expect=(200, 404))
    if known.status_code == 404:
        begun = http.request("POST", f"http://{host}/v2/{path}/blobs/uploads/", expect=(202,))
        _put(f"{begun.headers['Location']}&digest={digest}", data, "application/octet-stream")
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _put(url: str, data: bytes, media_type: str) -> None:
    from jenkins_cd.tools import http

    http.request("PUT", url, data=data, headers={"Content-Type": media_type}, expect=(201,))
