"""What an API server's refusals mean: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.masking import mask
from jenkins_cd.tools import answers
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.kubernetes_shapes import Status

if TYPE_CHECKING:
    from concurrent.futures import Future

    import requests

    from jenkins_cd.tools.kubeconfig import Cluster

_FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)?'
)
_LONGEST = 60.0  # seconds that a server may ask us to stay away


@dataclass(frozen=True, kw_only=True)
class Right:
    """What an account may do, as an API server names it."""

    user: str
    verb: str
    resource: str  # with its subresource: "pods/log"
    group: str
    namespace: str  # "": the whole cluster

    @property
    def kind(self) -> str:
        """Return the resource with its group, as kubectl takes it."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Forbidden(Refused):
    """A right is missing, or the server does not know of it yet."""

    def __init__(self, message: str, right: Right) -> None:
        """Keep what is missing."""
        super().__init__(message, "jenkins-cd render rbac prints the rights that a deployment needs")
        self.right = right


class Absent(BadInput):
    """The namespace, the object or the kind is not there."""


class Conflict(ExternalFailure):
    """The object is there already (`reason` AlreadyExists), or was changed meanwhile (`reason` Conflict)."""

    def __init__(self, message: str, hint: str = "", reason: str = "") -> None:
        """Keep the server's word for it."""
        super().__init__(message, hint)
        self.reason = reason


class Expired(ExternalFailure):
    """The version to watch from is too old: list again."""


def of_answer(cluster: Cluster, what: str, answer: requests.Response) -> JenkinsCdError:
    """Return the failure that an answer tells of; `what` completes "cannot …"."""
    try:
        status = answers.document(answer.content, Status)
    except Malformed:
        status = {}
    if status.get("kind") != "Status":
        status = {"message": answer.text[:300].strip() or answer.reason}
    return of_status(cluster, what, {**status, "code": answer.status_code})


def of_status(cluster: Cluster, what: str, status: Mapping[str, Any]) -> JenkinsCdError:
    """Return the failure that a Status tells of, in the server's words."""
    code, said = status.get("code"), mask(str(status.get("message") or status.get("reason") or "no reason given"))
    message = f"cannot {what}: {said} (HTTP {code} from {cluster.server})"
    if code == 401:
        return BadInput(
            f"{cluster.server} does not accept the credential (HTTP 401)",
            "it has expired or belongs to another cluster: make a new kubeconfig, or log in again",
        )
    if code == 403:
        return _refused(cluster, said)
    if code == 404:
        return Absent(message, "check the namespace, the name and the version of the API")
    if code == 409:
        return Conflict(message, reason=str(status.get("reason", "")))
    if code == 410:
        return Expired(message, "list again, and go on from there")
    if code in (400, 405, 406, 413, 415, 422):
        return BadInput(message)
    return ExternalFailure(message, "the API server is ill, or restarts: try again")


def no_api(url: str, why: str) -> ExternalFailure:
    """Return the failure of a server that answers something else than the API."""
    place = mask(url.partition("?")[0])
    return ExternalFailure(
        f"{place} does not answer as a Kubernetes API server does: {mask(why)}", "check `server` in the kubeconfig"
    )


def no_answer(url: str, error: BaseException) -> JenkinsCdError:
    """Return the failure of a server that cannot be spoken to."""
    import requests

    place, cause = urlsplit(url).netloc, mask(str(_innermost(error)) or type(error).__name__)
    if isinstance(error, requests.exceptions.SSLError) and not _cut(error):
        return BadInput(
            f"{place} is not the API server that the kubeconfig means: {cause}",
            "check certificate-authority and server in the kubeconfig",
        )
    return ExternalFailure(f"no answer from the API server {place} ({cause})", "check that it is up and can be reached")


def unreachable(error: BaseException, nothing_sent: bool) -> bool:
    """Tell whether asking again can help; with `nothing_sent` only where the server surely saw nothing of it."""
    import requests
    from urllib3.exceptions import NewConnectionError

    if not isinstance(error, requests.RequestException):
        return False
    if isinstance(error, requests.exceptions.SSLError):
        return _cut(error)
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(_innermost(error), ConnectionRefusedError):
        return True
    if nothing_sent:
        return isinstance(getattr(error.args[0] if error.args else None, "reason", None), NewConnectionError)
    transient = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, transient)


def _cut(error: BaseException) -> bool:
    """Tell whether a TLS connection ended in the middle of the handshake: the server stops or starts just then."""
    return isinstance(_innermost(error), ssl.SSLEOFError | ssl.SSLZeroReturnError)


def retry_after(outcome: Future[Any] | None) -> float:
    """Return how long an overloaded server asks us to wait, in seconds."""
    if outcome is None or outcome.exception() is not None:
        return 0.0
    value = outcome.result().headers.get("Retry-After", "")
    return min(float(value), _LONGEST) if re.fullmatch(r"[0-9]{1,9}", value) else 0.0


def missing(said: str) -> Right | None:
    """Return the right that a refusal names, None where it is another one: a quota, an admission policy."""
    found = _FORBIDDEN.search(said)
    return Right(**{name: value or "" for name, value in found.groupdict().items()}) if found else None


def _refused(cluster: Cluster, said: str) -> Refused:
    right = missing(said)
    if right is None:
        return Refused(f"{cluster.server} refuses it: {said}")
    where = f"in the namespace {right.namespace}" if right.namespace else "in the whole cluster"
    return Forbidden(f"{right.user} may not {right.verb} {right.kind} {where} of {cluster.server}", right)


def _innermost(error: BaseException) -> BaseException:
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return seen
