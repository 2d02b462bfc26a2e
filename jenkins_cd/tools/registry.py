"""Read an OCI registry: what stands under a tag, and what it is made of.

The protocol is https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md. What a registry answers is
believed only where it is what that says: a page, say, under a tag is a failure, and no manifest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from jenkins_cd import files
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.masking import excerpt
from jenkins_cd.tools import http, leftovers, registry_login
from jenkins_cd.tools.registry_login import PASSWORD as PASSWORD
from jenkins_cd.tools.registry_login import USERNAME as USERNAME
from jenkins_cd.tools.registry_login import authorization
from jenkins_cd.tools.registry_login import login as login

if TYPE_CHECKING:
    import requests

GREETING = 5.0  # seconds that it may take to answer where nothing is wanted of it
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
ANOTHER = "check that the registry, and no proxy or other server, answers there"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


T = TypeVar("T")


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry keeps it; its digest is that of exactly these bytes."""

    media_type: str
    data: bytes

    @property
    def digest(self) -> str:
        """Return `sha256:…`."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def document(self) -> dict[str, Any]:
        """Return its content; raises ExternalFailure where it is no JSON object."""
        try:
            document = json.loads(self.data)
        except (ValueError, RecursionError) as error:
            raise ExternalFailure(
                f"the registry answered a manifest that is no JSON: {excerpt(str(error), 200)}", ANOTHER
            ) from error
        if not isinstance(document, dict):
            raise ExternalFailure("the registry answered a manifest that is no JSON object", ANOTHER)
        return document

    def part(self, name: str, type_: type[T]) -> T | None:
        """Return a part of its content, None where there is none; raises ExternalFailure where it is something else."""
        found = self.document.get(name)
        if found is not None and not isinstance(found, type_):
            raise ExternalFailure(f"the registry answered a manifest whose {name} is none", ANOTHER)
        return found


def split(repository: str) -> tuple[str, str]:
    """Return host (with its port) and path of `host/path` or `oci://host/path`. Raises BadInput without a path."""
    host, _, path = repository.removeprefix("oci://").partition("/")
    if not host or not path:
        raise BadInput(f"{repository} names no registry", "write host/path, such as registry.local/apps")
    return host, path


def greet(repository: str, plain_http: bool = False) -> None:
    """Ask the registry of a repository for nothing, once, without credentials: its answer tells what time it is there.

    Raises ExternalFailure where it does not answer.
    """
    url = f"{'http' if plain_http else 'https'}://{split(repository)[0]}/v2/"
    http.request("GET", url, timeout=GREETING, attempts=1)


def ping(host: str, plain_http: bool = False) -> str:
    """Return what `host` is, in a few words, once it has accepted us.

    Raises ExternalFailure where it does not answer, is no registry, or does not accept the credentials.
    """
    answer = _request("GET", host, "", "", plain_http)
    if answer.status_code != 200:
        raise ExternalFailure(f"{host} answers HTTP {answer.status_code} on /v2/: this is no OCI registry")
    if "html" in answer.headers.get("Content-Type", "").lower():
        raise ExternalFailure(f"{host} answers a page on /v2/: this is no OCI registry", ANOTHER)
    return "credentials accepted" if answer.request.headers.get("Authorization") else "open to everybody"


def digest(repository: str, reference: str, plain_http: bool = False) -> str | None:
    """Return the digest of the manifest under a tag or digest, or None where there is none."""
    host, path = split(repository)
    answer = _request("HEAD", host, path, f"manifests/{reference}", plain_http)
    if _absent(answer):
        return None
    found = answer.headers.get("Docker-Content-Digest", "")
    if DIGEST.fullmatch(found):
        return str(found)
    there = manifest(repository, reference, plain_http)  # the header is optional
    return there.digest if there else None


def manifest(repository: str, reference: str, plain_http: bool = False) -> Manifest | None:
    """Return the manifest under a tag or digest, or None where there is none."""
    host, path = split(repository)
    answer = _request("GET", host, path, f"manifests/{reference}", plain_http)
    if _absent(answer):
        return None
    found = Manifest(answer.headers.get("Content-Type", MANIFESTS[0]).partition(";")[0].strip(), answer.content)
    _ = found.document  # or raise: what is none is not believed
    if reference.startswith("sha256:") and found.digest != reference:
        raise ExternalFailure(f"{repository} answered another manifest for {reference}: {found.digest}", ANOTHER)
    return found


def blob(repository: str, content: str, plain_http: bool = False) -> bytes:
    """Return the blob with the digest `content`. Raises ExternalFailure where it is not there or is another."""
    host, path = split(repository)
    answer = _request("GET", host, path, f"blobs/{content}", plain_http)
    if _absent(answer):
        raise ExternalFailure(f"{repository} has no blob {content}")
    if f"sha256:{hashlib.sha256(answer.content).hexdigest()}" != content:
        raise ExternalFailure(f"{repository} answered a damaged blob for {content}")
    return answer.content


def image_content(repository: str, reference: str, plain_http: bool = False) -> str | None:
    """Return the image ID (digest of its config) under a tag, or the digest of an index; None where nothing is."""
    found = manifest(repository, reference, plain_http)
    if found is None:
        return None
    config = found.part("config", dict)
    return _digest(config, "config") if config is not None else found.digest


def chart_content(repository: str, reference: str, plain_http: bool = False) -> str | None:
    """Return `sha256:…` of the packaged chart under a tag; None where there is nothing, or no chart.

    The layers of a chart: https://helm.sh/docs/topics/registries/#oci-feature-deprecation-and-behavior-changes.
    """
    found = manifest(repository, reference, plain_http)
    layers = (found.part("layers", list) if found else None) or []
    charts = (one for one in layers if isinstance(one, dict) and one.get("mediaType") == HELM_CHART)
    return next((_digest(layer, "layer") for layer in charts), None)


def tag(repository: str, content: str, name: str, plain_http: bool = False) -> None:
    """Let the tag `name` stand for the manifest with digest `content`, which must be there."""
    found = manifest(repository, content, plain_http)
    if found is None:
        raise ExternalFailure(f"{repository} does not have {content} any more")
    host, path = split(repository)
    headers = {"Content-Type": found.media_type}
    answer = _request("PUT", host, path, f"manifests/{name}", plain_http, headers, found.data)
    if answer.status_code != 201:
        raise ExternalFailure(f"cannot tag {repository}@{content} as {name}: HTTP {answer.status_code}")


@contextlib.contextmanager
def credentials(*hosts: str) -> Iterator[dict[str, str]]:
    """Yield the environment that lets helm, buildah, podman and docker log in to `hosts`, for the time of the block.

    The name and password of JENKINS_CD_REGISTRY_USERNAME and _PASSWORD stand in a file that only we can read. Without
    them nothing is yielded: the programs use the logins of whoever runs us. Raises BadInput where one is missing.
    """
    pair = login()
    if pair is None:
        yield {}
        return
    token = registry_login.basic(pair)
    auths = {**_auths_of_user(), **{host: {"auth": token} for host in hosts}}
    with leftovers.folder("login") as folder:
        file = folder / "config.json"
        leftovers.write_secret(file, json.dumps({"auths": auths}).encode())
        yield {"HELM_REGISTRY_CONFIG": str(file), "REGISTRY_AUTH_FILE": str(file), "DOCKER_CONFIG": str(folder)}


def _auths_of_user() -> dict[str, Any]:
    """Return the logins that are there already: base images may come from other registries."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or (files.home() or Path("/")) / ".docker")
    file = Path(os.environ.get("REGISTRY_AUTH_FILE") or folder / "config.json")
    try:
        auths = json.loads(files.read(file)).get("auths", {})
    except (BadInput, ValueError, AttributeError, RecursionError):
        return {}
    return dict(auths) if isinstance(auths, dict) else {}


def _digest(descriptor: Mapping[str, Any], what: str) -> str:
    found = str(descriptor.get("digest", ""))
    if not DIGEST.fullmatch(found):
        raise ExternalFailure(f"the registry answered a manifest whose {what} has no digest", ANOTHER)
    return found


def _absent(answer: requests.Response) -> bool:
    """Tell whether the registry has nothing there. Raises ExternalFailure for any answer but that and the thing."""
    if answer.status_code not in (200, 404):
        raise ExternalFailure(f"{answer.request.method} {answer.url}: HTTP {answer.status_code} {answer.reason}")
    return answer.status_code == 404


def _request(
    method: str,
    host: str,
    path: str,
    tail: str,
    plain_http: bool,
    headers: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> requests.Response:
    """Send a request, and once more with what the registry's challenge asks for."""
    url = f"{'http' if plain_http else 'https'}://{host}/v2/" + (f"{path}/{tail}" if path else "")
    wanted = {"Accept": ", ".join(MANIFESTS), **(headers or {})}
    answer = http.request(method, url, headers=wanted, data=data)
    if answer.status_code == 401:
        asks = urlsplit(answer.url)
        if asks[:2] != urlsplit(url.lower())[:2]:  # what asks for a login names where it would go
            raise ExternalFailure(f"{host} sends us to {asks.netloc}, which wants a login: none is sent there", ANOTHER)
        wanted["Authorization"] = authorization(host, answer.headers.get("WWW-Authenticate", ""), plain_http)
        answer = http.request(method, url, headers=wanted, data=data)
    if answer.status_code in (401, 403):
        who = "the credentials" if login() else "an anonymous visitor"
        raise ExternalFailure(
            f"{host} does not let {who} {'read' if method in ('GET', 'HEAD') else 'write'} {path or 'anything'}"
            f" (HTTP {answer.status_code})",
            f"set {USERNAME} and {PASSWORD} (or {PASSWORD}_FILE) to an account that may",
        )
    return answer
