"""Turn the credential that Jenkins holds into one of minutes, in one namespace, that only one step has.

The step asks for a token of a service account (TokenRequest,
https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/) that is bound to a
Secret of its own, which holds nothing: deleting that at the end revokes the token. An API server remembers a token that
it has checked for ten seconds. The kubeconfig with the token is a file that only we can read, in a folder that only we
can enter, locked as long as the step lives. A step that is killed leaves it there, without the lock: the next step on
this machine removes it, and revokes its token.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

from jenkins_cd.errors import BadInput, JenkinsCdError, Refused
from jenkins_cd.masking import register
from jenkins_cd.tools import kubeconfig as config
from jenkins_cd.tools import kubernetes, leftovers
from jenkins_cd.tools.answers import converted
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.kubernetes_failures import no_api
from jenkins_cd.tools.kubernetes_shapes import Moment

SHORTEST = 600  # seconds; an API server gives no token for less
PURPOSE = "jenkins-cd/purpose=token"
_EXPIRES = "jenkins-cd/expires"
_FAREWELL = 3.0  # seconds that revoking may take: the token dies by itself anyway
_CONFIG, _SECRET = "kubeconfig", "secret"


@dataclass(frozen=True)
class Access:
    """What a step may use as long as it lives. `secret` is the path of what the token is bound to; "": of nothing."""

    cluster: Cluster
    kubeconfig: Path  # its one context has the namespace
    expires: datetime | None = None  # None: the given credential itself
    secret: str = ""

    def lasts(self, seconds: float) -> bool:
        """Tell whether it is good for that long from now on."""
        return self.expires is None or (self.expires - datetime.now(timezone.utc)).total_seconds() >= seconds


@contextlib.contextmanager
def granted(
    kubeconfig: Path, context: str | None, namespace: str, service_account: str | None, seconds: float
) -> Iterator[Access]:
    """Yield access to a namespace as a service account of it, for the length of the block and `seconds` at most.

    Without a service account it is the given credential, in a file of its own. The server gives no token of less than
    ten minutes. Where the account may not make Secrets, as one that only reads, the token is good for its whole time.
    Raises BadInput where the account is not there, and what `Cluster.of` and the API server raise.
    """
    clean_up()
    given = dataclasses.replace(Cluster.of(kubeconfig, context), namespace=namespace)
    access = _as_account(given, service_account, seconds) if service_account else Access(given, Path())
    try:
        with _written(access) as file:
            yield dataclasses.replace(access, kubeconfig=file)
    finally:
        _revoke(access.cluster, access.secret)


def clean_up() -> None:
    """Remove what killed steps have left on this machine, and revoke their tokens where their server still answers."""
    left = [one for folder in leftovers.abandoned(_root(), "*") for one in _remains(folder)]
    for cluster, secret in left:
        _revoke(cluster, secret)


def _as_account(given: Cluster, account: str, seconds: float) -> Access:
    """Return the access of an account: a token that never leaves this process, and with it one that can be revoked."""
    first = _token(given, account, seconds)
    try:
        secret = _secret(first.cluster, seconds)
    except Refused:
        return first
    path = f"{_secrets(given)}/{secret['name']}"
    try:
        bound = {"kind": "Secret", "apiVersion": "v1", **secret}
        return dataclasses.replace(_token(given, account, seconds, bound), secret=path)
    except BaseException:
        _revoke(first.cluster, path)
        raise


def _token(given: Cluster, account: str, seconds: float, bound: dict[str, str] | None = None) -> Access:
    path = f"/api/v1/namespaces/{quote(given.namespace)}/serviceaccounts/{quote(account)}/token"
    spec = {"expirationSeconds": max(int(seconds), SHORTEST), **({"boundObjectRef": bound} if bound else {})}
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
    try:
        status = kubernetes.post(given, path, asked)["status"]
    except kubernetes.Absent as error:
        raise BadInput(
            f"there is no service account {account} in the namespace {given.namespace} of {given.server}",
            "apply what jenkins-cd render rbac prints, or set `helm.service_account` of the environment to null",
        ) from error
    token, expires = register(status["token"]), converted(status["expirationTimestamp"], Moment)
    return Access(dataclasses.replace(given, token=token, certificate=None, key=None), Path(), expires)


def _secret(cluster: Cluster, seconds: float) -> dict[str, str]:
    """Make the Secret that a token is bound to, and delete those whose tokens have died; returns its name and uid."""
    now = datetime.now(timezone.utc)
    for old in kubernetes.list_(cluster, _secrets(cluster), labelSelector=PURPOSE, resourceVersion="0").items:
        ends = str((old["metadata"].get("annotations") or {}).get(_EXPIRES, ""))
        if ends < now.isoformat(timespec="seconds"):
            kubernetes.delete(cluster, f"{_secrets(cluster)}/{old['metadata']['name']}")
    ends = (now + timedelta(seconds=max(seconds, SHORTEST) + 60)).isoformat(timespec="seconds")
    label, _, value = PURPOSE.partition("=")
    metadata = {"generateName": "jenkins-cd-step-", "labels": {label: value}, "annotations": {_EXPIRES: ends}}
    made = kubernetes.post(cluster, _secrets(cluster), {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})
    if not made["metadata"].get("uid"):
        raise no_api(cluster.server, "it makes a Secret without a uid")
    return {"name": made["metadata"]["name"], "uid": made["metadata"]["uid"]}


def _secrets(cluster: Cluster) -> str:
    return f"/api/v1/namespaces/{quote(cluster.namespace)}/secrets"


def _revoke(cluster: Cluster, secret: str) -> None:
    """Delete what a token is bound to, with that token. Where that fails it dies by its time."""
    if secret:
        with contextlib.suppress(JenkinsCdError):
            kubernetes.delete(dataclasses.replace(cluster, patience=_FAREWELL), secret)


@contextlib.contextmanager
def _written(access: Access) -> Iterator[Path]:
    """Yield the kubeconfig of an access, in a folder that is locked for the length of the block, and then removed."""
    with leftovers.made(_root(), f"{os.getpid()}-") as folder:
        (folder / _SECRET).write_text(access.secret, encoding="utf-8")
        leftovers.write_secret(folder / _CONFIG, config.dump(access.cluster))
        yield folder / _CONFIG


def _remains(folder: Path) -> list[tuple[Cluster, str]]:
    try:
        secret = (folder / _SECRET).read_text(encoding="utf-8")
        return [(Cluster.of(folder / _CONFIG), secret)] if secret else []
    except (OSError, JenkinsCdError):  # it was killed before it had written them
        return []


def _root() -> Path:
    """Return the folder of all steps of this user, in memory where the machine has such a place for users.

    Raises BadInput where somebody else has made it.
    """
    place = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    user = os.getuid()
    root = place / "jenkins-cd" if place.is_dir() else Path(tempfile.gettempdir()) / f"jenkins-cd-{user}"
    root.mkdir(mode=0o700, exist_ok=True)
    found = root.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise BadInput(f"{root} is not a folder of ours alone: no credential is put there", "remove it, or set TMPDIR")
    return root
