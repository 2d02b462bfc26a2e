"""Speak to a Jenkins controller of builds: start one, find it, read what it says, stop it.

What is asked to run waits in the queue under a number of its own; once it runs it is a build of its job with another
number, and knows that of the queue. The endpoints: https://www.jenkins.io/doc/book/using/remote-access-api/.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import jenkins_shapes as shapes
from jenkins_cd.tools.answers import Malformed, checked
from jenkins_cd.tools.jenkins import job_url, path, with_nearest
from jenkins_cd.tools.jenkins_console import clean
from jenkins_cd.tools.jenkins_failures import Absent, unread
from jenkins_cd.tools.jenkins_session import Connection, call, get, post, read, understood

if TYPE_CHECKING:
    import requests

LAST = 50  # builds of a job that are looked through
_CAUSES = "actions[_class,parameters[name,value],causes[shortDescription]]"
_BUILD = f"number,building,result,displayName,queueId,{_CAUSES}"
_ITEM = re.compile(r"/queue/item/([1-9][0-9]{0,17})/?\Z")
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_LEADING = frozenset({201, 302, 303})  # statuses whose Location is the queue item


@dataclass(frozen=True, kw_only=True)
class Queued:
    """What waits to run, or has begun to."""

    number: int
    why: str  # what it waits for, in Jenkins's words; empty once it does not
    cancelled: bool
    build: int | None  # the number of the build that it has become


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build of a job, as it stands."""

    job: str
    number: int
    url: str
    building: bool
    result: str | None  # SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED; None as long as it is not known
    display_name: str  # `#7`, unless somebody renamed it
    queue_id: int
    parameters: Mapping[str, str]
    interrupted_by: str  # such as `Aborted by jane`; empty where nobody did, or Jenkins does not say


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to know of a job before it is started."""

    next_number: int  # that its next build will get
    parameters: frozenset[str]  # those that it takes


@dataclass(frozen=True)
class Log:
    """A piece of a build's log as it was sent: it may end anywhere, and hold notes for browsers."""

    data: bytes = field(repr=False)
    end: int  # the offset to go on from, as the controller counts
    more: bool  # whether more may come

    @property
    def text(self) -> str:
        """Return the piece as people read it, alone; `jenkins_console.Console` puts pieces together."""
        return clean(self.data)


def find(connection: Connection, job: str) -> Job:
    """Return what is to know of a job.

    Raises Absent, with the nearest name, where there is no such job, and BadInput where it is a folder.
    """
    what, tree = f"find the job {job}", "nextBuildNumber,property[parameterDefinitions[name]]"
    found = with_nearest(connection, job, lambda: read(connection, what, path(job), tree, dict[str, Any]))
    if "nextBuildNumber" not in found and "_class" in found:
        raise BadInput(f"cannot {what}: that is a folder on {connection.url}", "name a job in it")
    understood(connection, what, lambda: checked(found, shapes.Job))
    defined = [one for part in found.get("property") or () for one in part.get("parameterDefinitions") or ()]
    return Job(next_number=found["nextBuildNumber"], parameters=frozenset(one["name"] for one in defined))


def start(connection: Connection, job: str, parameters: Mapping[str, str]) -> int:
    """Ask for a build; returns the number of the queue item, which may be one that waits with the same parameters.

    Raises Unavailable where it certainly was not accepted, Unsure, and does not send it again, where that is unknown.
    """
    what, below = f"start {job}", f"{path(job)}/{'buildWithParameters' if parameters else 'build'}"
    answer = with_nearest(connection, job, lambda: post(connection, what, below, params=dict(parameters)))
    return _item(connection, what, answer)


def queued(connection: Connection, number: int) -> Queued | None:
    """Return a queue item; None where the controller does not know it: it forgets them some minutes after they left."""
    what, tree = f"read queue item {number}", "id,why,cancelled,executable[number]"
    try:
        found = read(connection, what, f"queue/item/{number}", tree, shapes.Item)
    except Absent:
        return None
    return understood(connection, what, lambda: _queued(found, number))


def build(connection: Connection, job: str, number: int) -> Build | None:
    """Return a build, or None where there is none (any more)."""
    what = f"read {job} #{number}"
    try:
        found = read(connection, what, f"{path(job)}/{number}", _BUILD, shapes.Build)
    except Absent:
        return None
    return understood(connection, what, lambda: _build(connection, job, found, number))


def last(connection: Connection, job: str) -> list[Build]:
    """Return the last builds of a job, newest first. Raises Absent without the job."""
    tree = f"builds[{_BUILD}]{{0,{LAST}}}"
    found = read(connection, f"list the builds of {job}", path(job), tree, shapes.Builds)
    return [_build(connection, job, one, one["number"]) for one in found["builds"]]


def waiting(connection: Connection, job: str) -> list[tuple[int, Mapping[str, str]]]:
    """Return the queue items of a job that have not begun: number and parameters, newest first."""
    found = read(connection, "read the queue", "queue", f"items[id,task[url],{_CAUSES}]", shapes.Queue)
    ours = [
        one
        for one in found["items"]
        if unquote(urlsplit((one.get("task") or {}).get("url") or "").path).endswith(f"/{path(job)}/")
    ]
    return sorted(((one["id"], _parameters(one)) for one in ours), key=lambda one: one[0], reverse=True)


def log(connection: Connection, job: str, number: int, start: int = 0) -> Log | None:
    """Return the log from the offset `start` on, or None where the build is not there (any more)."""
    what, below = f"read the log of {job} #{number}", f"{path(job)}/{number}/logText/progressiveText"
    try:
        answer = call(connection, what, lambda: get(connection, below, start=start))
    except Absent:
        return None
    return understood(connection, what, lambda: _log(answer, start))


def stop(connection: Connection, job: str, number: int) -> None:
    """Ask for the abort of a build; returns once that is sent. A build that has ended is left alone."""
    post(connection, f"stop {job} #{number}", f"{path(job)}/{number}/stop")


def cancel(connection: Connection, number: int) -> None:
    """Ask to take an item out of the queue; one that has left it is left alone."""
    with contextlib.suppress(Absent):  # https://issues.jenkins.io/browse/JENKINS-21311
        post(connection, f"cancel queue item {number}", "queue/cancelItem", params={"id": number})


def url(connection: Connection, job: str, number: int) -> str:
    """Return the address of a build."""
    return f"{job_url(connection, job)}/{number}/"


def queue_url(connection: Connection, number: int) -> str:
    """Return the address of a queue item."""
    return f"{connection.url}/queue/item/{number}/"


def _item(connection: Connection, what: str, answer: requests.Response) -> int:
    """Return the queue item of ours that an answer leads to: 201 to a new one, 303 to one with the same parameters."""
    place = urlsplit(urljoin(answer.url, answer.headers.get("Location", "")))
    found = _ITEM.search(place.path)
    here = urlsplit(f"{connection.url}/")
    if found and answer.status_code in _LEADING and (place.netloc, place.path[: found.start() + 1]) == here[1:3]:
        return int(found[1])
    raise unread(answer, connection.url, what, int(found[1]) if found else None)


def _queued(found: shapes.Item, number: int) -> Queued:
    if found["id"] != number:
        raise Malformed(f"it tells of {found['id']}")
    return Queued(
        number=number,
        why=found.get("why") or "",
        cancelled=bool(found.get("cancelled")),
        build=(found.get("executable") or {}).get("number"),
    )


def _log(answer: requests.Response, start: int) -> Log:
    data, end = answer.content, answer.headers.get("X-Text-Size", "" if answer.content else str(start))
    if not _NUMBER.fullmatch(end):
        raise Malformed("a log comes without its size in X-Text-Size")
    return Log(data, int(end), answer.headers.get("X-More-Data") == "true")


def _build(connection: Connection, job: str, found: shapes.Build, number: int) -> Build:
    if found["number"] != number:
        raise Malformed(f"it tells of #{found['number']}")
    return Build(
        job=job,
        number=number,
        url=url(connection, job, number),
        building=found["building"],
        result=found["result"],
        display_name=found.get("displayName") or f"#{number}",
        queue_id=found.get("queueId") or -1,
        parameters=_parameters(found),
        interrupted_by=_interrupted_by(found),
    )


def _parameters(found: shapes.WithActions) -> dict[str, str]:
    given = [one for action in _actions(found) for one in action.get("parameters") or ()]
    return {one["name"]: _text(one.get("value")) for one in given}


def _actions(found: shapes.WithActions) -> Sequence[shapes.Action]:
    return [action for action in found.get("actions") or () if action]


def _text(value: Any) -> str:
    """Return a parameter's value as it was sent: Jenkins tells those of check boxes as booleans."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _interrupted_by(found: shapes.WithActions) -> str:
    interrupts = [one for one in _actions(found) if (one.get("_class") or "").endswith("InterruptedBuildAction")]
    causes = [cause for one in interrupts for cause in one.get("causes") or ()]
    return "; ".join(cause.get("shortDescription") or "" for cause in causes)
