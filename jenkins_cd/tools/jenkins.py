"""The jobs and folders of a Jenkins controller, and what stands there. Builds are in jenkins_builds.py.

A job is named by its full name, folders before it: `Team A/delivery/deploy`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict, TypeVar
from urllib.parse import quote

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.tools import answers
from jenkins_cd.tools import jenkins_failures as failures
from jenkins_cd.tools.jenkins_failures import Absent
from jenkins_cd.tools.jenkins_session import TIMEOUT as TIMEOUT
from jenkins_cd.tools.jenkins_session import TOKENS as TOKENS
from jenkins_cd.tools.jenkins_session import USERS as USERS
from jenkins_cd.tools.jenkins_session import Connection as Connection
from jenkins_cd.tools.jenkins_session import call, get, post, read, understood
from jenkins_cd.tools.jenkins_session import connect as connect

T = TypeVar("T")


class _User(TypedDict):
    id: str


class _Root(TypedDict):
    mode: str


class _Named(TypedDict):
    name: str


class _Folder(TypedDict):
    jobs: list[_Named]


def ping(connection: Connection) -> str:
    """Return what stands there and whom it takes us for, such as `Jenkins 2.516.1, as robot`.

    Raises BadInput where the token is not accepted, Refused where we may not even look, ExternalFailure else.
    """
    item, tree = ("me", "id") if connection.user else ("", "mode")
    what = "log in" if connection.user else "look at Jenkins"
    answer = call(connection, what, lambda: get(connection, f"{item}/api/json".lstrip("/"), tree=tree))
    found = understood(connection, what, lambda: answers.document(answer.content, _User if item else _Root))
    version = answer.headers.get("X-Jenkins")
    if not version:
        raise failures.no_jenkins(connection.url, what, "it names no version in X-Jenkins")
    return f"Jenkins {version[:40]}, as {found['id'] if item else 'an anonymous visitor'}"


def config(connection: Connection, name: str) -> str | None:
    """Return the config.xml of a job or folder as the controller writes it, or None where there is none.

    The controller adds defaults and versions of plugins: it is never byte for byte what was sent.
    """
    try:
        answer = call(connection, f"read {name}", lambda: get(connection, f"{path(name)}/config.xml"))
    except Absent:
        return None
    return understood(connection, f"read {name}", lambda: answer.content.decode("utf-8"))


def create(connection: Connection, name: str, xml: str) -> None:
    """Create a job or folder. Raises BadInput where it is there already, its folder is not, or the XML is refused."""
    folder, _, short = checked(name).rpartition("/")
    below = f"{path(folder)}/createItem" if folder else "createItem"
    # Not create_job: it asks twice whether the job is there, and cannot tell its own job from somebody else's.
    _send_xml(connection, name, f"create {name}", below, xml, {"name": short})


def update(connection: Connection, name: str, xml: str) -> None:
    """Replace the config.xml of a job or folder. Raises BadInput where there is none, or the XML is refused."""
    _send_xml(connection, name, f"update {name}", f"{path(name)}/config.xml", xml, {})


def names(connection: Connection, folder: str = "") -> list[str]:
    """Return the names of what is in a folder, or at the top; raises Absent where there is no such folder."""
    what = f"list {folder or 'the jobs'}"
    found: _Folder = read(connection, what, path(folder) if folder else "", "jobs[name]", _Folder)
    return [job["name"] for job in found["jobs"]]


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


def with_nearest(connection: Connection, name: str, work: Callable[[], T]) -> T:
    """Return what `work` returns; where the job is not there, BadInput also names the one most like it."""
    try:
        return work()
    except Absent as error:
        raise Absent(f"{error.message}{_nearest(connection, name)}", error.hint) from error


def _send_xml(connection: Connection, name: str, what: str, below: str, xml: str, query: Mapping[str, str]) -> None:
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    answer = with_nearest(
        connection, name, lambda: post(connection, what, below, params=query, data=xml.encode(), headers=headers)
    )
    if "html" in answer.headers.get("Content-Type", "") and answer.text.strip():  # Jenkins says nothing
        raise failures.no_jenkins(connection.url, what, failures.one_sentence(answer.text[:100_000]))


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
