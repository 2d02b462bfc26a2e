"""What a Jenkins controller says when a request fails, told as what it means and what to do next.

python-jenkins keeps the cause of an error only as the context of its own exception; it is looked up there. What the
controller says stands in headers (X-Error, X-Required-Permission) or in an HTML page, of which one sentence is told.
"""

from __future__ import annotations

import html
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.masking import mask

if TYPE_CHECKING:
    import requests

CREDENTIALS = "set JENKINS_USER and JENKINS_TOKEN (or JENKINS_TOKEN_FILE) to an account that may use it"
STALE_CRUMB = "No valid crumb was included in the request"
GATEWAY = frozenset({502, 503, 504})
LOOK = "it is not known whether the request was accepted: look there before you ask again"
_STARTING = re.compile(r"getting ready to work|Starting Jenkins|Jenkins is (re)?starting|Restarting Jenkins", re.I)
_MISSING = re.compile(r"(\S+) is missing the ([\w/ ]+?) permission")
_NOTHING_DONE = ("Illegal choice for parameter", "This build is not parameterized")  # what a 500 may say for certain
_SENTENCES = (  # the first that is found in a page
    re.compile(r"(Illegal choice for parameter [^<\r\n]+|This build is not parameterized)"),
    re.compile(r'id="main-panel".*?<h1[^>]*>.*?</h1>\s*<p[^>]*>(.*?)</p>', re.S),
    re.compile(r"<title>\s*(?:Error \d+ )?(.*?)\s*</title>", re.S),
    re.compile(r"\A\s*([^<\s][^\r\n]*)"),
)
_OWNERS = {"Item": "Job", "Hudson": "Overall", "Jenkins": "Overall"}  # Java class → what the permission matrix calls it


class Unavailable(ExternalFailure):
    """The controller is down, starting, or cannot be reached: it has not done what was asked."""


class Unsure(ExternalFailure):
    """The answer was lost, or cannot be read: the controller may have done what was asked, so it is not asked again.

    `item` is the queue item that the answer may have meant, where it names one.
    """

    retryable = False

    def __init__(self, message: str, hint: str = LOOK, item: int | None = None) -> None:
        """Keep what may have come of it."""
        super().__init__(message, hint)
        self.item = item


class NotAccepted(BadInput):
    """The token is not accepted: it is wrong, or the controller has only just started and knows no users yet."""


class Absent(BadInput):
    """There is no such job, build or queue item, or this user may not see it."""


@dataclass(frozen=True)
class Asked:
    """What was asked, where and by whom: what a failure is explained with."""

    url: str  # the controller's
    user: str | None
    what: str  # completes "cannot …"
    accepted: bool = False  # the controller has taken us for `user` before
    posted: bool = False  # it may have done what was asked


def translate(error: BaseException, asked: Asked) -> JenkinsCdError:
    """Return what a failed request means."""
    cause = _request_error(error)
    if cause is None:
        return no_jenkins(asked.url, asked.what, one_sentence(str(error)))
    if cause.response is None:
        return _unanswered(cause, asked)
    return _answered(cause.response, asked)


def no_jenkins(url: str, what: str, why: str) -> ExternalFailure:
    """Return the failure of a server that answers something else than Jenkins's remote access API."""
    return ExternalFailure(
        f"cannot {what}: {url} does not answer as a Jenkins controller does ({why or 'it says nothing'})",
        "check the address; a login page or another server may stand there",
    )


def unread(answer: requests.Response, url: str, what: str, item: int | None = None) -> Unsure:
    """Return the failure of a POST whose answer does not say what has come of it."""
    said = one_sentence(answer.text[:100_000])
    place = mask(answer.headers.get("Location", ""))[:200]
    told = f", but leads to {place}" if place else f": {said}" if said else ""
    return Unsure(
        f"cannot {what} for certain: {url} answers HTTP {answer.status_code} without the Location of an item in its "
        f"queue{told}",
        item=item,
    )


def moved(answer: requests.Response, url: str, what: str) -> BadInput:
    """Return the failure of a POST that is sent to the same place on another address: nothing was done."""
    place = mask(answer.headers.get("Location", ""))[:200]
    return BadInput(
        f"cannot {what}: {url} redirects what is sent to it to {place}", "give the address that it redirects to"
    )


def stale_crumb(error: BaseException) -> bool:
    """Tell whether a request failed for a crumb that the controller does not know any more, after its restart."""
    cause = _request_error(error)
    answer = cause.response if cause else None
    return answer is not None and answer.status_code == 403 and STALE_CRUMB in answer.text


def one_sentence(text: str) -> str:
    """Return what a page or message says, without markup, on one line, at most 200 characters, secrets masked."""
    for pattern in _SENTENCES:
        if found := pattern.search(text):
            words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split())
            return mask(words[:200])
    return ""


def _request_error(error: BaseException) -> requests.RequestException | None:
    """Return the error of the HTTP library that is behind `error`, if any."""
    import requests

    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, requests.RequestException):
        seen = seen.__cause__ or seen.__context__
    return seen


def _unanswered(cause: requests.RequestException, asked: Asked) -> JenkinsCdError:
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(cause.args[0], "reason", cause.args[0]) if cause.args else cause
    first = _innermost(cause)
    words = f"cannot {asked.what}: no answer from {asked.url} ({mask(str(first))[:200] or type(first).__name__})"
    if isinstance(first, socket.gaierror):
        return ExternalFailure(words, "check the address")
    if isinstance(cause, requests.exceptions.SSLError):
        return ExternalFailure(words, "REQUESTS_CA_BUNDLE names the file of a private CA")
    if asked.posted and not isinstance(reason, (NewConnectionError, ConnectTimeoutError)):
        return Unsure(words)
    if isinstance(cause, (requests.exceptions.ContentDecodingError, requests.exceptions.InvalidURL)):
        return no_jenkins(asked.url, asked.what, mask(str(first))[:200])
    return Unavailable(words, "check that the address is right and that the server is up")


def _answered(answer: requests.Response, asked: Asked) -> JenkinsCdError:
    status, url, what, user = answer.status_code, asked.url, asked.what, asked.user
    said = mask(answer.headers.get("X-Error", "")) or one_sentence(answer.text[:100_000])
    if status in GATEWAY:
        return _gateway(answer, asked)
    if status == 429:
        return Unavailable(f"cannot {what}: {url} has too much to do (HTTP 429)", "wait until it has less to do")
    if status == 401:
        return _not_accepted(asked)
    if status == 403:
        return _forbidden(answer, url, user, what, said)
    if status == 404:
        return Absent(
            f"cannot {what}: {url} has nothing of that name, or {user or 'an anonymous visitor'} may not see it"
        )
    if status == 409:
        return Refused(f"cannot {what}: {said or 'the job is not buildable'}", "enable the job in Jenkins")
    if "already exists" in said:
        return BadInput(f"cannot {what}: {url} has one of that name already")
    if (status < 500 and status != 408) or any(one in said for one in _NOTHING_DONE):
        return BadInput(f"cannot {what}: {url} refuses it: {said or answer.reason} (HTTP {status})")
    words = f"cannot {what}: {url} answers HTTP {status} {answer.reason}" + (f": {said}" if said else "")
    if asked.posted:
        return Unsure(words, f"{LOOK}, and read the log of the Jenkins controller")
    return ExternalFailure(words, "look into the log of the Jenkins controller")


def _not_accepted(asked: Asked) -> JenkinsCdError:
    """A controller that starts refuses every token until it has loaded its users, and nothing tells that apart."""
    if asked.accepted:
        return Unavailable(
            f"cannot {asked.what}: {asked.url} does not know {asked.user} any more: it starts, or the token "
            "was revoked",
            "wait until it is up; then make a new token if it still does not",
        )
    return NotAccepted(
        f"cannot {asked.what}: the token of {asked.user or 'nobody'} is not accepted by {asked.url}",
        f"make an API token at {asked.url}/user/{asked.user}/security/ and set JENKINS_TOKEN to it"
        if asked.user
        else CREDENTIALS,
    )


def _gateway(answer: requests.Response, asked: Asked) -> JenkinsCdError:
    """A controller that starts says so itself; any other 502, 503 or 504 is a proxy's, which may have passed it on."""
    if answer.status_code == 503 and _STARTING.search(answer.text[:100_000]):
        return Unavailable(f"cannot {asked.what}: {asked.url} is starting", "wait until it is up")
    words = f"cannot {asked.what}: {asked.url} is not available (HTTP {answer.status_code})"
    return Unsure(words) if asked.posted else Unavailable(words, "check that the server is up")


def _forbidden(answer: requests.Response, url: str, user: str | None, what: str, said: str) -> Refused:
    found = _MISSING.search(html.unescape(re.sub(r"<[^>]*>", " ", answer.text[:100_000])))
    required = answer.headers.get("X-Required-Permission", "").rpartition(".")
    owner = required[0].rpartition(".")[2]
    permission = found[2] if found else f"{_OWNERS.get(owner, owner)}/{required[2]}" if required[2] else ""
    if not permission:
        hint = "a proxy may drop the crumb or the session's cookie; use an API token" if STALE_CRUMB in said else ""
        return Refused(f"cannot {what}: {url} forbids it: {said or answer.reason}", hint or CREDENTIALS)
    who = (found[1] if found else user) or "an anonymous visitor"
    hint = f"give {who} the permission {permission} on it" if user else CREDENTIALS
    return Refused(f"cannot {what}: {who} is missing the {permission} permission on {url}", hint)


def _innermost(error: BaseException) -> BaseException:
    seen = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return seen
