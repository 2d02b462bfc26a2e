"""Speak to a Jenkins controller: who we are there, and its jobs and folders. Builds are in jenkins_builds.py.

python-jenkins does the speaking; the protocol is https://www.jenkins.io/doc/book/using/remote-access-api/. A job is
named by its full name, folders before it: `Team A/delivery/deploy`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import quote

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.masking import from_environment
from jenkins_cd.tools import process
from jenkins_cd.tools.jenkins_failures import Absent, Unavailable, stale_crumb, translate

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
            return jenkins.Jenkins(self.url, self.user, self.token, timeout=self.timeout)
        finally:
            logging.disable(disabled)


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


def ping(connection: Connection) -> str:
    """Return what stands there and whom it takes us for, such as `Jenkins 2.516.1, as robot`.

    Raises BadInput where the token is not accepted, Refused where we may not even look, ExternalFailure else.
    """
    who = "an anonymous visitor"
    if connection.user is None:
        read(connection, "look at Jenkins", "", "mode")
    else:
        who = call(connection, "log in", lambda: connection.server.get_whoami())["id"]
    # Not before: python-jenkins does not log in for this one, and takes the login from those before.
    version = call(connection, "ask for the version", lambda: connection.server.get_version())
    return f"Jenkins {version}, as {who}"


def config(connection: Connection, name: str) -> str | None:
    """Return the config.xml of a job or folder as the controller writes it, or None where there is none.

    The controller adds defaults and versions of plugins: it is never byte for byte what was sent.
    """
    try:
        answer = call(connection, f"read {name}", lambda: get(connection, f"{path(name)}/config.xml"))
    except Absent:
        return None
    return str(answer.content.decode("utf-8"))


def create(connection: Connection, name: str, xml: str) -> None:
    """Create a job or folder. Raises BadInput where it is there already, its folder is not, or the XML is refused."""
    import requests

    folder, _, short = checked(name).rpartition("/")
    url = f"{job_url(connection, folder) if folder else connection.url}/createItem"
    # Not create_job: it asks twice whether the job is there, and cannot tell its own job from somebody else's.
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    work = partial(requests.Request, "POST", url, params={"name": short}, data=xml.encode(), headers=headers)
    with_nearest(connection, name, f"create {name}", lambda: connection.server.jenkins_open(work()))


def update(connection: Connection, name: str, xml: str) -> None:
    """Replace the config.xml of a job or folder. Raises BadInput where there is none, or the XML is refused."""
    with_nearest(connection, name, f"update {name}", lambda: connection.server.reconfig_job(checked(name), xml))


def names(connection: Connection, folder: str = "") -> list[str]:
    """Return the names of what is in a folder, or at the top; raises Absent where there is no such folder."""
    found = read(connection, f"list {folder or 'the jobs'}", path(folder) if folder else "", "jobs[name]")
    return [str(job["name"]) for job in found.get("jobs", ())]


def job_url(connection: Connection, name: str) -> str:
    """Return the address of a job or folder."""
    return f"{connection.url}/{quote(path(name))}"


def checked(name: str) -> str:
    """Return a full name, or raise BadInput where it cannot be one."""
    parts = name.split("/")
    if not all(part.strip() == part and part not in ("", ".", "..") and part.isprintable() for part in parts):
        raise BadInput(f"{name[:80]!r} is no name of a job", "write folders and job with slashes: delivery/deploy")
    return name


def path(name: str) -> str:
    """Return where a job stands below the controller's address, not yet quoted."""
    return "job/" + "/job/".join(checked(name).split("/"))


def get(connection: Connection, below: str, **query: str | int) -> Any:
    """Return the `requests.Response` to a GET of a path below the controller's address, not yet quoted."""
    import requests

    url = f"{connection.url}/{quote(below)}"
    return connection.server.jenkins_request(requests.Request("GET", url, params=query))


def read(connection: Connection, what: str, item: str, tree: str) -> Mapping[str, Any]:
    """Return the fields `tree` of an item (a path, not yet quoted) as JSON. Raises Absent where there is none."""
    found: Mapping[str, Any] = call(connection, what, lambda: connection.server.get_info(item, f"?tree={tree}"))
    return found


def with_nearest(connection: Connection, name: str, what: str, work: Callable[[], T]) -> T:
    """Return what `call` returns; where the job is not there, BadInput also names the one most like it."""
    try:
        return call(connection, what, work)
    except Absent as error:
        raise Absent(f"{error.message}{_nearest(connection, name)}", error.hint) from error


def call(connection: Connection, what: str, work: Callable[[], T]) -> T:
    """Do `work` with python-jenkins and return its result; `what` completes "cannot …" in messages.

    It is tried again, with full-jitter backoff, while the controller is unavailable, and with a new crumb where that is
    stale: in both cases nothing was done yet. What may have been done is not tried again. Raises Unavailable, Unsure,
    Absent, and otherwise BadInput, Refused or ExternalFailure.
    """
    import tenacity

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(connection.attempts),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        retry=tenacity.retry_if_exception_type(Unavailable),
        sleep=process.pause,
        reraise=True,
    )
    result: T = retrying(_once, connection, what, work)
    return result


def _once(connection: Connection, what: str, work: Callable[[], T]) -> T:
    import jenkins
    import requests

    failures = (jenkins.JenkinsException, requests.RequestException, ValueError, KeyError)
    try:
        try:
            return work()
        except failures as error:
            if not stale_crumb(error):
                raise
            connection.server.crumb = None  # python-jenkins fetches another
            return work()
    except failures as error:
        raise translate(error, connection.url, connection.user, what) from error


def _user(name: str) -> str | None:
    """Return the user's name: no secret, and masking it would hide half of every message."""
    return os.environ.get(name)


def _nearest(connection: Connection, name: str) -> str:
    """Return ` (did you mean x?)` for the first part of a full name that is not there, as far as it can be known."""
    from jenkins_cd.suggest import nearest

    folder = ""
    for part in name.split("/"):
        try:
            there = names(connection, folder)
        except JenkinsCdError:
            return ""
        inside = f"{folder}/" if folder else ""
        if part not in there:
            return nearest(f"{inside}{part}", [f"{inside}{one}" for one in there])
        folder = f"{inside}{part}"
    return ""
