"""Speak to a Jenkins controller: who we are there, and one request.

python-jenkins sends, with who we are and the crumb; what is answered is read here. The protocol is
https://www.jenkins.io/doc/book/using/remote-access-api/.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.masking import from_environment
from jenkins_cd.tools import answers, process
from jenkins_cd.tools import jenkins_failures as failures
from jenkins_cd.tools.jenkins_failures import NotAccepted, Unavailable

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
TIMEOUT = 30.0  # seconds for one answer
ATTEMPTS = 5
USERS = ("JENKINS_CD_JENKINS_USER", "JENKINS_USER")
TOKENS = ("JENKINS_CD_JENKINS_TOKEN", "JENKINS_TOKEN")


@dataclass(frozen=True)
class Connection:
    """A controller and who we are there. While it is unavailable it is tried `attempts` times."""

    url: str  # without a slash at its end
    user: str | None = None
    token: str | None = field(default=None, repr=False)  # an API token, or a password
    attempts: int = ATTEMPTS
    timeout: float = TIMEOUT

    @cached_property
    def server(self) -> Any:
        """Return the python-jenkins client; it keeps the session and the crumb."""
        import jenkins  # type: ignore[import-untyped]

        disabled = logging.root.manager.disable
        logging.disable()  # it would log the headers of JENKINS_API_EXTRA_HEADERS, and what secrets they hold
        try:
            made = jenkins.Jenkins(self.url, self.user, self.token, timeout=self.timeout)
        finally:
            logging.disable(disabled)
        made._session.hooks["response"] += [answers.bounded, _unfollowed]
        return made

    @cached_property
    def accepted(self) -> threading.Event:
        """Return what is set once the controller has taken us for who we are."""
        return threading.Event()


class Unfollowed(Exception):
    """A POST is answered by a redirect, which is the answer."""

    def __init__(self, answer: requests.Response) -> None:
        """Keep the answer."""
        super().__init__("a redirect that is not followed")
        self.answer = answer


class _Crumb(TypedDict):
    crumbRequestField: str
    crumb: str


def connect(url: str) -> Connection:
    """Return a connection as who the environment says we are; nothing is sent yet.

    Raises BadInput where only one of user and token is given, or a `…_FILE` cannot be read.
    """
    user = next((value for name in USERS if (value := _user(name))), None)
    token = next((value for name in TOKENS if (value := from_environment(name))), None)
    if bool(user) != bool(token):
        missing = TOKENS[1] if user else USERS[1]
        raise BadInput(f"{missing} is not set, but its other half is", "set both, or neither")
    return Connection(url.rstrip("/"), user, token)


def get(connection: Connection, below: str, **query: str | int) -> requests.Response:
    """Return the answer to a GET of a path below the controller's address, not yet quoted. For `call`."""
    return _request(connection, "GET", below, params=query)


def post(connection: Connection, what: str, below: str, **more: Any) -> requests.Response:
    """Return the answer to a POST, which is sent once: 2xx, or 3xx, which is not followed. `more` as in requests.

    Raises BadInput where it is only sent on to another address, and nothing was done.
    """
    _fetch_crumb(connection, what)
    answer = call(connection, what, lambda: _request(connection, "POST", below, **more), posted=True)
    place = urljoin(answer.url, answer.headers.get("Location", ""))
    if answer.is_redirect and urlsplit(place).path == urlsplit(answer.url).path:
        raise failures.moved(answer, connection.url, what)
    return answer


def read(connection: Connection, what: str, item: str, tree: str, shape: Any) -> Any:
    """Return the fields `tree` of an item (a path, not yet quoted) as JSON of a shape. Raises Absent without it."""
    below = f"{item}/api/json" if item else "api/json"
    answer = call(connection, what, lambda: get(connection, below, tree=tree))
    return understood(connection, what, lambda: answers.document(answer.content, shape))


def understood(connection: Connection, what: str, reader: Callable[[], T]) -> T:
    """Return what `reader` makes of an answer. Raises ExternalFailure where it cannot: no Jenkins answers so."""
    try:
        return reader()
    except ValueError as error:
        raise failures.no_jenkins(connection.url, what, failures.one_sentence(str(error))) from error


def call(connection: Connection, what: str, work: Callable[[], T], *, posted: bool = False) -> T:
    """Do `work` with python-jenkins and return its result; `what` completes "cannot …" in messages.

    It is tried again, with full-jitter backoff, while the controller is unavailable, and with a new crumb where that is
    stale: in both cases nothing was done yet. What may have been done, as it is `posted`, is not tried again. Raises
    Unavailable, Unsure, Absent, NotAccepted, and otherwise BadInput, Refused or ExternalFailure.
    """
    import tenacity

    seen: list[JenkinsCdError] = []

    def again(error: BaseException) -> bool:
        starting = bool(seen)  # what was away a moment ago knows no users yet
        if isinstance(error, Unavailable):
            seen.append(error)
        return isinstance(error, Unavailable) or (isinstance(error, NotAccepted) and starting)

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(connection.attempts),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        retry=tenacity.retry_if_exception(again),
        sleep=process.pause,
        reraise=True,
    )
    result: T = retrying(_once, connection, what, work, posted)
    return result


def _once(connection: Connection, what: str, work: Callable[[], T], posted: bool) -> T:
    import jenkins
    import requests

    # The last three: python-jenkins takes the crumb for what it should be.
    wrong = (jenkins.JenkinsException, requests.RequestException, ValueError, KeyError, TypeError, AttributeError)
    try:
        try:
            result = work()
        except wrong as error:
            if not failures.stale_crumb(error):
                raise
            connection.server.crumb = None  # python-jenkins fetches another
            result = work()
    except wrong as error:
        about = failures.Asked(connection.url, connection.user, what, connection.accepted.is_set(), posted)
        raise failures.translate(error, about) from error
    if connection.user:
        connection.accepted.set()
    return result


def _request(connection: Connection, method: str, below: str, **more: Any) -> requests.Response:
    import requests

    request = requests.Request(method, f"{connection.url}/{quote(below)}", **more)
    try:
        answer: requests.Response = connection.server.jenkins_request(request, add_crumb=method != "GET")
    except Unfollowed as error:
        return error.answer
    return answer


def _unfollowed(answer: requests.Response, **_how: Any) -> None:
    """Keep requests from making a GET of a POST that is answered by a redirect: a hook for `response`."""
    if answer.is_redirect and answer.request.method == "POST":
        raise Unfollowed(answer)


def _fetch_crumb(connection: Connection, what: str) -> None:
    """Fetch the crumb that a POST needs, unless there is one: what goes wrong with it did not send anything."""
    import requests

    call(connection, what, lambda: connection.server.maybe_add_crumb(requests.Request()))
    crumb = connection.server.crumb
    if crumb is False:  # the controller wants none
        return
    try:
        answers.checked(crumb, _Crumb)
    except ValueError as error:
        connection.server.crumb = None
        raise failures.no_jenkins(connection.url, what, f"its crumb is none: {error}") from error


def _user(name: str) -> str | None:
    """Return the user's name: no secret, and masking it would hide half of every message."""
    return os.environ.get(name)
