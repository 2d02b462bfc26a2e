"""Images that a test makes byte by byte and pushes to a real registry."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from jenkins_cd.demo.services import Registry

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def file(name: str, content: str = "", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """Return an entry of a layer: a file."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content.encode()), mode
    return entry, content.encode()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    """Return an entry of a layer: a symbolic or a hard link."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    """Return an entry of a layer: a folder."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry, b""


def layer(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Return a gzipped layer."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(data.getvalue())


def push(registry: Registry, path: str, tag: str, layers: Sequence[bytes], config: Mapping[str, Any]) -> str:
    """Push an image to `path`:`tag` of the registry and return its digest."""
    document = json.dumps({"architecture": "amd64", "os": "linux", "config": config}).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _blob(registry, path, document, "application/vnd.oci.image.config.v1+json"),
        "layers": [_blob(registry, path, one, LAYER) for one in layers],
    }
    url = f"http://{registry.host}/v2/{path}/manifests/{tag}"
    answer = requests.put(url, json.dumps(manifest), headers={"Content-Type": MANIFEST}, timeout=10)
    assert answer.status_code == 201, answer.text
    return answer.headers["Docker-Content-Digest"]


def _blob(registry: Registry, path: str, data: bytes, media_type: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    upload = requests.post(f"http://{registry.host}/v2/{path}/blobs/uploads/", timeout=10).headers["Location"]
    answer = requests.put(upload, data, params={"digest": digest}, timeout=10)
    assert answer.status_code == 201, answer.text
    return {"mediaType": media_type, "digest": digest, "size": len(data)}
