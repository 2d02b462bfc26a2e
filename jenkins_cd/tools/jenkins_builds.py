"""Speak to a Jenkins controller of builds: start one, find it, read what it says, stop it.

What is asked to run waits in the queue under a number of its own; once it runs it is a build of its job with another
number, and knows that of the queue. The endpoints: https://www.jenkins.io/doc/book/using/remote-access-api/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from jenkins_cd.errors import BadInput
from jenkins_cd.tools.jenkins import Connection, call, get, job_url, path, read, with_nearest
from jenkins_cd.tools.jenkins_failures import Absent

LAST = 50  # builds of a job that are looked through
_CAUSES = "actions[_class,parameters[name,value],causes[shortDescription]]"
_BUILD = f"number,building,result,displayName,queueId,{_CAUSES}"


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


@dataclass(frozen=True)
class Log:
    """A piece of a build's log: whole lines, the last one perhaps without its end once the build has ended."""

    text: str
    end: int  # the offset to go on from, in bytes of the log
    more: bool  # whether more may come


def next_number(connection: Connection, job: str) -> int:
    """Return the number that the job's next build will get.

    Raises Absent, with the nearest name, where there is no such job, and BadInput where it is a folder.
    """
    what = f"find the job {job}"
    found = with_nearest(connection, job, what, lambda: connection.server.get_info(path(job), "?tree=nextBuildNumber"))
    if "nextBuildNumber" not in found:
        raise BadInput(f"cannot {what}: that is a folder on {connection.url}", "name a job in it")
    return int(found["nextBuildNumber"])


def start(connection: Connection, job: str, parameters: Mapping[str, str]) -> int:
    """Ask for a build; returns the number of the queue item.

    Raises Unavailable where it certainly was not accepted, Unsure, and does not send it again, where that is unknown.
    """
    what = f"start {job}"
    number = with_nearest(connection, job, what, lambda: connection.server.build_job(job, dict(parameters)))
    return int(number)


def queued(connection: Connection, number: int) -> Queued | None:
    """Return a queue item; None where the controller does not know it: it forgets them some minutes after they left."""
    tree = "id,why,cancelled,executable[number]"
    try:
        found = read(connection, f"read queue item {number}", f"queue/item/{number}", tree)
    except Absent:
        return None
    return Queued(
        number=number,
        why=str(found.get("why") or ""),
        cancelled=bool(found.get("cancelled")),
        build=(found.get("executable") or {}).get("number"),
    )


def build(connection: Connection, job: str, number: int) -> Build | None:
    """Return a build, or None where there is none (any more)."""
    try:
        found = read(connection, f"read {job} #{number}", f"{path(job)}/{number}", _BUILD)
    except Absent:
        return None
    return _build(connection, job, found)


def last(connection: Connection, job: str) -> list[Build]:
    """Return the last builds of a job, newest first. Raises Absent without the job."""
    found = read(connection, f"list the builds of {job}", path(job), f"builds[{_BUILD}]{{0,{LAST}}}")
    return [_build(connection, job, one) for one in found.get("builds", ())]


def waiting(connection: Connection, job: str) -> list[tuple[int, Mapping[str, str]]]:
    """Return the queue items of a job that have not begun: number and parameters, newest first."""
    found = read(connection, "read the queue", "queue", f"items[id,task[url],{_CAUSES}]")
    ours = [
        one
        for one in found.get("items", ())
        if unquote(str((one.get("task") or {}).get("url", ""))).endswith(f"/{path(job)}/")
    ]
    return sorted(((int(one["id"]), _parameters(one)) for one in ours), reverse=True)


def log(connection: Connection, job: str, number: int, start: int = 0) -> Log | None:
    """Return the log from the offset `start` (in bytes) on, or None where the build is not there (any more)."""
    below = f"{path(job)}/{number}/logText/progressiveText"
    try:
        answer = call(connection, f"read the log of {job} #{number}", lambda: get(connection, below, start=start))
    except Absent:
        return None
    end = int(answer.headers.get("X-Text-Size", start))
    return Log(answer.content.decode("utf-8", "replace"), end, answer.headers.get("X-More-Data") == "true")


def stop(connection: Connection, job: str, number: int) -> None:
    """Ask for the abort of a build; returns once that is accepted. A build that has ended is left alone."""
    call(connection, f"stop {job} #{number}", lambda: connection.server.stop_build(job, number))


def cancel(connection: Connection, number: int) -> None:
    """Take an item out of the queue; one that has left it is left alone."""
    call(connection, f"cancel queue item {number}", lambda: connection.server.cancel_queue(number))


def url(connection: Connection, job: str, number: int) -> str:
    """Return the address of a build."""
    return f"{job_url(connection, job)}/{number}/"


def queue_url(connection: Connection, number: int) -> str:
    """Return the address of a queue item."""
    return f"{connection.url}/queue/item/{number}/"


def _build(connection: Connection, job: str, found: Mapping[str, Any]) -> Build:
    number = int(found["number"])
    return Build(
        job=job,
        number=number,
        url=url(connection, job, number),
        building=bool(found.get("building")),
        result=found.get("result"),
        display_name=str(found.get("displayName") or f"#{number}"),
        queue_id=int(found.get("queueId") or -1),
        parameters=_parameters(found),
        interrupted_by=_interrupted_by(found),
    )


def _parameters(found: Mapping[str, Any]) -> dict[str, str]:
    given = [one for action in found.get("actions", ()) for one in (action or {}).get("parameters", ())]
    return {str(one["name"]): _text(one.get("value")) for one in given}


def _text(value: Any) -> str:
    """Return a parameter's value as it was sent: Jenkins tells those of check boxes as booleans."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _interrupted_by(found: Mapping[str, Any]) -> str:
    actions = [one or {} for one in found.get("actions", ())]
    interrupts = [one for one in actions if str(one.get("_class", "")).endswith("InterruptedBuildAction")]
    return "; ".join(str(cause["shortDescription"]) for one in interrupts for cause in one.get("causes", ()))
