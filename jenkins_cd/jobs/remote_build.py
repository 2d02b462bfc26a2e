"""One build on a Jenkins controller that may be restarted at any moment: asked for, begun, followed, stopped.

What is asked for becomes a queue item, then a build. A restart may lose the item; a build goes on. A build is ours if
it came from our queue item, else if it has our parameters and a number that was not taken when we asked: clocks are
not compared. A job with the parameter REQUEST_ID lets us know our own among those that ask for the same.

It is asked for once. What may have been accepted is looked for, and never asked for again.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from jenkins_cd.errors import BadInput, ExternalFailure, GateFailed, Refused
from jenkins_cd.jobs.patience import OutOfTime, Patience
from jenkins_cd.tools import jenkins_builds as builds
from jenkins_cd.tools import process
from jenkins_cd.tools.jenkins import Connection, job_url
from jenkins_cd.tools.jenkins_builds import Build
from jenkins_cd.tools.jenkins_console import Console
from jenkins_cd.tools.jenkins_failures import Unavailable, Unsure

REQUEST_ID = "REQUEST_ID"  # the parameter that tells our build from others with the same parameters
ACCEPTED_WITHIN = 30.0  # seconds in which what was accepted shows up, of a controller that answers
LOG_GRACE = 10.0  # seconds that the end of a log may take to come once its build has ended
STOP_GRACE = 10.0  # seconds that a build may take to end once it was told to


@dataclass
class Asked:
    """A build that is asked for, and how far it has got."""

    connection: Connection
    job: str
    parameters: Mapping[str, str]
    first: int = 0  # the lowest number that it can have
    item: int | None = None  # in the queue
    number: int | None = None
    unsure: bool = False  # it was asked for, and nobody knows what came of it

    @property
    def url(self) -> str:
        """Return the address of the build, or of the queue item as long as there is no build."""
        if self.number is not None:
            return builds.url(self.connection, self.job, self.number)
        return builds.queue_url(self.connection, self.item or 0)

    def left(self) -> str:
        """Return what goes on without us, and where."""
        if self.number is not None:
            return f"build #{self.number} goes on: {self.url}"
        if self.item is not None:
            return f"queue item {self.item} waits on: {self.url}"
        if self.unsure:
            return f"it is not known whether it was started: look at {job_url(self.connection, self.job)}"
        return "nothing was started that we know of"


def submit(asked: Asked, patience: Patience) -> None:
    """Ask for the build, once. Where the answer does not say what came of it, it is looked for.

    Raises BadInput without such a job or for parameters that it does not take, Refused where we may not, OutOfTime, and
    Unsure where nothing is found of what may have been accepted.
    """
    job = patience.ask(partial(builds.find, asked.connection, asked.job))
    asked.first = job.next_number
    if REQUEST_ID in job.parameters:
        asked.parameters = {**asked.parameters, REQUEST_ID: uuid.uuid4().hex}
    try:
        asked.item = patience.ask(partial(_start, asked), once=True)
    except OutOfTime:
        raise  # until then nothing was accepted
    except ExternalFailure as error:
        _find(asked, patience, error)
    patience.tell(f"queue item {asked.item} of {asked.job}: {builds.queue_url(asked.connection, asked.item or 0)}")


def begin(asked: Asked, patience: Patience) -> None:
    """Wait until the queue item is a build.

    Raises GateFailed where it was cancelled, ExternalFailure where it is lost and nothing came of it, OutOfTime.
    """
    patience.hurry()
    while asked.number is None:
        item = asked.item or 0
        queued = patience.ask(partial(builds.queued, asked.connection, item))
        if queued is None:
            _recover(asked, item, patience)
        elif queued.cancelled:
            raise GateFailed(
                f"queue item {item} of {asked.job} was cancelled before it ran",
                f"somebody took it out of the queue of {asked.connection.url}: ask them, or start it again",
            )
        elif queued.build is not None:
            asked.number = queued.build
        else:
            patience.once(f"waiting in the queue: {queued.why}", re.sub(r"[\d.]+ \w+", "", queued.why))
            patience.pause()
    patience.tell(f"build #{asked.number}: {asked.url}")


def follow(asked: Asked, patience: Patience, show: Callable[[str], None]) -> Build:
    """Return the build once it has ended; its log is shown as it comes, no byte of it twice.

    Raises GateFailed where the build is not there any more, OutOfTime.
    """
    number, offset, ended, console = asked.number or 0, 0, None, Console()
    patience.hurry()
    while True:
        piece = patience.ask(partial(builds.log, asked.connection, asked.job, number, offset))
        if piece and piece.end > offset:
            show(console.feed(piece.data))
            offset = piece.end
        build = patience.ask(partial(builds.build, asked.connection, asked.job, number))
        if piece is None or build is None:
            raise GateFailed(
                f"build #{number} of {asked.job} is not there any more: its result cannot be known",
                f"somebody may have deleted it: look at {asked.connection.url}",
            )
        if build.result and not build.building:
            if ended is None:
                ended = time.monotonic()
                patience.hurry()
            if not piece.more or time.monotonic() - ended > LOG_GRACE:
                show(console.end())
                return build
        patience.pause()


def abort(asked: Asked) -> str:
    """Stop the build, or cancel what waits; returns what has become of it. Raises as the adapter does."""
    connection, job, number = asked.connection, asked.job, asked.number
    if number is None:
        builds.cancel(connection, asked.item or 0)
        queued = builds.queued(connection, asked.item or 0)
        number = asked.number = queued.build if queued else None
        if number is None:
            gone = queued is None or queued.cancelled
            return f"queue item {asked.item} " + ("was cancelled" if gone else f"still waits: {asked.url}")
    builds.stop(connection, job, number)
    deadline = time.monotonic() + STOP_GRACE
    while time.monotonic() < deadline:
        build = builds.build(connection, job, number)
        if build is None or not build.building:
            ending = "was aborted" if build is None or build.result == "ABORTED" else f"ended as {build.result}"
            return f"build #{number} {ending}: {asked.url}"
        process.pause(0.2)
    return f"build #{number} was told to stop, and still runs: {asked.url}"


def _start(asked: Asked) -> int:
    asked.unsure = True
    try:
        item = builds.start(asked.connection, asked.job, asked.parameters)
    except (Unavailable, BadInput, Refused):
        asked.unsure = False
        raise
    asked.unsure = False
    return item


def _recover(asked: Asked, item: int, patience: Patience) -> None:
    """Go on with the build that came from a queue item which is not known any more, or raise ExternalFailure."""
    _look(asked, patience)
    if asked.number is None and asked.item in (None, item):
        asked.item = item
        raise ExternalFailure(
            f"queue item {item} of {asked.job} is lost, and no build came from it",
            "a restart of the controller may have lost it: start it again",
        )


def _find(asked: Asked, patience: Patience, error: ExternalFailure) -> None:
    """Find what may have been accepted, in the queue or among the builds. Raises Unsure where nothing shows up."""
    patience.once(f"{error.message}; looking whether it was accepted", "unsure")
    hint = error.item if isinstance(error, Unsure) else None
    _look(asked, patience, hint)
    until = patience.spent + ACCEPTED_WITHIN
    while asked.item is None:
        if patience.spent > until:
            raise Unsure(
                f"{error.message}; {asked.left()}",
                f"nothing of it was seen for {ACCEPTED_WITHIN:g} s: start it again if nothing shows up there",
            ) from error
        patience.pause()
        _look(asked, patience, hint)


def _look(asked: Asked, patience: Patience, hint: int | None = None) -> None:
    """Find what we asked for: as a build that has begun since, or in the queue; `item` is None where it is nowhere.

    Of several that could be ours, that with the number of the queue item `hint` is.
    """
    waiting = patience.ask(partial(builds.waiting, asked.connection, asked.job))
    last = patience.ask(partial(builds.last, asked.connection, asked.job))
    begun = [one for one in last if one.queue_id == asked.item]
    begun += [one for one in reversed(last) if one.number >= asked.first and _ours(one.parameters, asked)]
    begun.sort(key=lambda one: one.queue_id not in (asked.item, hint))
    ours = [number for number, parameters in waiting if _ours(parameters, asked)]
    if hint in ours:
        asked.item = hint
    elif begun:
        asked.item, asked.number = begun[0].queue_id, begun[0].number
    else:
        asked.item = next(iter(ours), None)


def _ours(parameters: Mapping[str, str], asked: Asked) -> bool:
    return asked.parameters.items() <= parameters.items()
