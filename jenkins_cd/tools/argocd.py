"""Speak to an Argo CD server over REST: one call, who we are there, and what we may. No configuration is known here.

The protocol is https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/; a server shows its paths below
`/swagger-ui`. Applications are in argocd_applications.py, projects and what else is set up in argocd_settings.py,
streams in argocd_streams.py, what is refused in argocd_failures.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jenkins_cd.errors import BadInput
from jenkins_cd.masking import register
from jenkins_cd.tools import answers, process, server_time
from jenkins_cd.tools import argocd_failures as failures
from jenkins_cd.tools import argocd_shapes as shapes
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.argocd_credentials import Credentials as Credentials
from jenkins_cd.tools.argocd_credentials import Login, subject
from jenkins_cd.tools.argocd_credentials import credentials as credentials
from jenkins_cd.tools.argocd_failures import Asked, Need

if TYPE_CHECKING:
    import requests

CONNECT = 10.0  # seconds until a connection has come about
TIMEOUT = 30.0  # seconds for one answer
ATTEMPTS = 8  # within about as many seconds
IDEMPOTENT = frozenset({"GET", "DELETE"})
RETRIED = frozenset({429, 502, 503, 504})
Query = Mapping[str, Any]  # None is left out; a list is a parameter that is repeated


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server and who we are there; threads may share it."""

    url: str  # without a slash at its end
    login: Login = field(repr=False, compare=False)

    @cached_property
    def session(self) -> requests.Session:
        """Return the connections of requests that end."""
        return _session(self)

    @cached_property
    def stream(self) -> requests.Session:
        """Return the connections of those that last."""
        session = _session(self)
        session.headers["Accept-Encoding"] = "identity"  # what is compressed comes in larger pieces, later
        return session


@dataclass(frozen=True, kw_only=True)
class Ref:
    """An Application: its name, its AppProject, and the namespace where that is not Argo CD's own."""

    name: str
    project: str
    namespace: str = ""

    @property
    def rbac(self) -> str:
        """Return its name in policies: https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/."""
        return "/".join(part for part in (self.project, self.namespace, self.name) if part)


def connect(url: str, credentials: Credentials) -> Server:
    """Return a server; nothing is asked yet."""
    token = register(credentials.token) if credentials.token else ""
    return Server(url=url.rstrip("/"), login=Login(credentials, token))


def call(
    server: Server,
    method: str,
    path: str,
    *,
    query: Query | None = None,
    body: Mapping[str, Any] | None = None,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
    stream: bool = False,
    need: Need | None = None,
    shape: Any = dict[str, Any],
) -> Any:
    """Return the JSON that a server answers, of a shape, or the open `requests.Response` with `stream`.

    `timeout` is in seconds. GET and DELETE are tried up to `attempts` times where no answer came or the server is
    overloaded or away; others only where nothing was sent. A token that is not accepted is renewed once, where it can
    be. `need` is for messages. Raises what argocd_failures.py has.
    """
    how: dict[str, Any] = {
        "params": {key: value for key, value in (query or {}).items() if value is not None},
        "json": body,
        "timeout": (CONNECT, timeout),
        "stream": stream,
        "allow_redirects": False,
    }
    need = need or Need(doing=f"{method} {path}")
    token = server.login.token
    if not token and renew(server, token):
        token = server.login.token
    answer = _send(server, method, path, asked(server, need), attempts, how)
    if answer.status_code == 401 and renew(server, token):
        answer.close()
        answer = _send(server, method, path, asked(server, need), attempts, how)
    if answer.status_code < 300:
        return _stream(answer, asked(server, need)) if stream else _document(answer, asked(server, need), shape)
    with answer:
        raise failures.explain(answers.refusal(answer), asked(server, need))


def renew(server: Server, stale: str) -> bool:
    """Get another token than `stale`, which is not accepted; returns whether there is one.

    Raises BadInput where name and password are not accepted.
    """
    return server.login.renew(stale, lambda login: _log_in(server, login))


def asked(server: Server, need: Need) -> Asked:
    """Return what a refusal is explained with."""
    login = server.login.credentials
    who = subject(server.login.token) or login.username
    return Asked(
        url=server.url, doing=need.doing, permission=need.permission, what=need.what, who=who, renewal=login.renewal
    )


def requests_sent(server: Server) -> int:
    """Return how many requests were sent so far, those that were sent again included."""
    return server.login.sent


def version(server: Server) -> str:
    """Return the server's version, such as `v3.2.1`. Anybody may ask."""
    found = call(server, "GET", "/api/version", need=Need(doing="ask for the version"), shape=shapes.Version)
    return found.get("Version") or "unknown"


def user(server: Server) -> str:
    """Return whom the server takes us for: `proj:PROJECT:ROLE` or an account. Raises Expired where that is nobody."""
    need = Need(doing="ask who we are")
    found = call(server, "GET", "/api/v1/session/userinfo", need=need, shape=shapes.User)
    if not found.get("loggedIn"):
        raise failures.told(401, "it takes us for nobody", asked(server, need))
    return found.get("username") or subject(server.login.token)


def may(server: Server, resource: str, action: str, what: str) -> bool:
    """Tell whether we may do `action` (get, sync, …) on `what` (P/APP) of `resource` (applications, logs, …)."""
    path = f"/api/v1/account/can-i/{segment(resource)}/{segment(action)}/{quote(what, safe='/')}"
    found = call(server, "GET", path, need=Need(doing="ask what we may"), shape=shapes.Answer)
    return bool(found["value"] == "yes")


def segment(value: str) -> str:
    """Return a value as one part of a path."""
    return quote(value, safe="")


def _session(server: Server) -> requests.Session:
    import requests

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if server.login.token:
            request.headers["Authorization"] = f"Bearer {server.login.token}"
        return request

    session = requests.Session()
    session.hooks["response"] += [server_time.hook, answers.bounded]
    session.auth = sign  # what .netrc has is for others
    # A body or not: the server takes nothing but JSON from who changes something.
    session.headers.update(
        {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "jenkins-cd"}
    )
    return session


def _send(
    server: Server, method: str, path: str, asked: Asked, attempts: int, how: Mapping[str, Any]
) -> requests.Response:
    """Return the answer, whatever its status."""
    import requests
    import tenacity

    safe = method in IDEMPOTENT

    def again(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            return _passing(error, safe)
        return safe and state.outcome is not None and state.outcome.result().status_code in RETRIED

    retrying = tenacity.Retrying(
        # A server that hangs is asked twice: the first connection may have been a dead one.
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_after_delay(how["timeout"][1] * 1.5),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=5),
        retry=again,
        sleep=process.pause,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    session = server.stream if how["stream"] else server.session

    def once() -> requests.Response:
        server.login.count()
        return session.request(method, server.url + path, **how)

    try:
        answer: requests.Response = retrying(once)
    except requests.RequestException as error:
        raise failures.no_answer(asked, error) from error
    return answer


def _passing(error: BaseException, safe: bool) -> bool:
    """Tell whether asking again can help, and does no harm: unless `safe`, the server must have seen nothing of it."""
    import requests
    from urllib3.exceptions import NewConnectionError

    if isinstance(error, requests.exceptions.SSLError):
        return False
    if safe:
        return isinstance(error, requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError)
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectionError) and isinstance(reason, NewConnectionError)


def _document(answer: requests.Response, asked: Asked, shape: Any) -> Any:
    """Return what is answered. Raises Away where it is not of the shape, or tells of a failure with a good status."""
    try:
        found = answers.document(answer.content, dict[str, Any])
        if "error" in found and "code" in found:  # of a proxy that makes a 200 of it
            failure = answers.checked(found, shapes.Failure)
            raise failures.told(500, failure.get("message") or failure.get("error") or "no reason given", asked)
        return answers.checked(found, shape)
    except Malformed as error:
        raise failures.no_argocd(asked, str(error)) from error


def _stream(answer: requests.Response, asked: Asked) -> requests.Response:
    if "html" in answer.headers.get("Content-Type", ""):
        with answer:
            raise failures.no_argocd(asked, "a page comes in place of a stream")
    return answer


def _log_in(server: Server, login: Credentials) -> str:
    """Return a token for a name and a password."""
    how = {
        "json": {"username": login.username, "password": login.password},
        "timeout": (CONNECT, TIMEOUT),
        "stream": False,
        "allow_redirects": False,
    }
    about = asked(server, Need(doing=f"log in as {login.username}"))
    answer = _send(server, "POST", "/api/v1/session", about, ATTEMPTS, how)
    if answer.status_code in (401, 403):
        raise BadInput(f"{server.url} does not accept name and password of {login.username}", "check both")
    if answer.status_code >= 300:
        raise failures.explain(answer, about)
    return str(_document(answer, about, shapes.Session)["token"])
