"""What an Argo CD server's refusals mean. Its errors are `{"error", "code", "message"}`, with gRPC's codes.

Their HTTP statuses: https://github.com/grpc-ecosystem/grpc-gateway/blob/main/runtime/errors.go. A 403 is a right that
is missing or a closed sync window, a 404 also an Application of another project, a 400 also an operation under way.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.masking import mask
from jenkins_cd.tools import answers
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.argocd_shapes import Failure

if TYPE_CHECKING:
    import requests

WINDOW = "blocked by sync window"
OPERATION = "another operation is already in progress"
_PERMISSION = re.compile(r"permission denied: (?P<resource>[\w-]+), (?P<action>[\w/*.:-]+), (?P<what>[^,]+)")
_ROLE = re.compile(r"proj:(?P<project>[^:]+):(?P<role>[^:]+)")
_REJECTED = frozenset({400, 405, 409, 413, 415, 422})


class Absent(BadInput):
    """It is not there, or not in this project, or we may not see it: the server tells no difference."""


class Denied(Refused):
    """A right is missing: `permission` is resource and action, `what` the object, as policies name them."""

    def __init__(self, message: str, hint: str, permission: str, what: str) -> None:
        """Keep what is missing."""
        super().__init__(message, hint)
        self.permission = permission
        self.what = what


class Blocked(Refused):
    """A sync window is closed."""


class Busy(ExternalFailure):
    """Another operation on the Application is in progress."""


class Expired(ExternalFailure):
    """The token is not accepted: it has expired, was revoked, or is of another server."""


class Rejected(BadInput):
    """The server does not do it as it was asked for, and says why."""


class Away(ExternalFailure):
    """The server does not answer, or fails."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """What is done and the right that it needs, for messages."""

    doing: str  # completes "cannot …"
    permission: str = ""  # `applications, sync`
    what: str = ""  # `P/APP`


@dataclass(frozen=True, kw_only=True)
class Asked(Need):
    """What was asked, where and by whom: what a refusal is explained with."""

    url: str
    who: str = ""  # the token's subject: `proj:P:ROLE`, or the name of an account
    renewal: str = ""  # how the token is renewed, for people


def explain(answer: requests.Response, asked: Asked) -> JenkinsCdError:
    """Return the failure that an answer tells of."""
    if answer.is_redirect:
        place = mask(answer.headers.get("Location", ""))
        return BadInput(f"{asked.url} sends us to {place}", "set argocd.url to where Argo CD itself answers")
    try:
        found = answers.document(answer.content, Failure)
    except Malformed:
        found = {}
    said = found.get("message") or found.get("error") or ""
    return told(answer.status_code, said or answer.text[:300].strip() or str(answer.reason), asked)


def told(status: int, said: str, asked: Asked) -> JenkinsCdError:
    """Return the failure that an HTTP status and the server's words tell of."""
    said = mask(said)
    message = f"cannot {asked.doing}: {said} (HTTP {status} from {asked.url})"
    if WINDOW in said:
        return Blocked(f"cannot {asked.doing}: blocked by a sync window of the project", "wait until it opens")
    if OPERATION in said:
        return Busy(f"cannot {asked.doing}: another operation on it is in progress", "wait until that one has ended")
    if status == 401:
        return Expired(f"{asked.url} does not accept the token{_of(asked.who)}: {said}", asked.renewal)
    if status == 403:
        return _denied(said, asked)
    if status == 404:
        hint = "check the names; jenkins-cd render argocd --check tells what is not there, or in another project"
        return Absent(message, hint)
    if status in _REJECTED:
        return Rejected(message, "change what the server names, then try again")
    return Away(message, "the server is ill, or restarts: try again")


def no_argocd(asked: Asked, why: str) -> Away:
    """Return the failure of a server that answers something else than Argo CD's API."""
    return Away(
        f"cannot {asked.doing}: {asked.url} does not answer as Argo CD does: {mask(why)}",
        "check argocd.url in the platform file; a login page or another server may stand there",
    )


def no_answer(asked: Asked, error: BaseException) -> JenkinsCdError:
    """Return the failure of a server that cannot be spoken to."""
    import requests

    place, cause = urlsplit(asked.url).netloc.rpartition("@")[2], mask(str(innermost(error)) or type(error).__name__)
    if isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in cause:
        return BadInput(
            f"the certificate of {place} is not trusted: {cause}",
            "let REQUESTS_CA_BUNDLE name the file with the authority that signed it",
        )
    return Away(
        f"cannot {asked.doing}: no answer from {place} ({cause})", "check argocd.url, and that the server is up"
    )


def innermost(error: BaseException) -> BaseException:
    """Return the first cause of an error; libraries wrap it in several layers."""
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return seen


def _denied(said: str, asked: Asked) -> JenkinsCdError:
    """Name the right that is missing: the server does so at times, else it is the one that the request needs."""
    found = _PERMISSION.search(said)
    permission = f"{found['resource']}, {found['action']}" if found else asked.permission
    what = found["what"].strip() if found else asked.what
    if not permission:
        return Refused(f"cannot {asked.doing}: {said} (HTTP 403 from {asked.url})", "ask for the right in Argo CD")
    who = asked.who or "this account"
    message = f"cannot {asked.doing}: {who} lacks the right `{permission}` on {what} (HTTP 403 from {asked.url})"
    return Denied(message, _remedy(permission, what, asked.who), permission, what)


def _remedy(permission: str, what: str, who: str) -> str:
    """Return the policy line that would allow it, and where it goes."""
    line = f"p, {who or 'ROLE'}, {permission}, {what}, allow"
    role = _ROLE.fullmatch(who)
    if role is None:
        return f"add `{line}` to policy.csv of argocd-rbac-cm"
    project = what.partition("/")[0]
    if role["project"] != project:
        return f"the token is of the project {role['project']}: use one of the project {project}"
    return f"add `{line}` to the role {role['role']} of the AppProject {project}"


def _of(who: str) -> str:
    return f" of {who}" if who else ""
