"""A build while it runs and after it: its log, its name, who stopped it, what it asks people."""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from tests.jenkins.questions import Answer, Question, Rejected

# A console note: the preamble, a serialised object in Base64 behind its MAC, the postamble.
NOTE = b"\x1b[8mha:////4M9QV2pWvBPAwSBeK/AAAAlx+LCAAAAAAAAP9b85aBtbiIQTGjNKU4P0+vIKc0PTOvWK8kMze1uCQxtyC1SC8+LyWVBRQ=\x1b[0m"


class Aborted(Exception):
    """The build was aborted while it waited for an answer."""


class Executor(Protocol):
    """Does the work of a build, in a thread of its own."""

    def __call__(self, build: RunningBuild) -> str:
        """Return SUCCESS, UNSTABLE, FAILURE, NOT_BUILT or ABORTED; an exception is a FAILURE."""
        ...


@dataclass
class Pending:
    """A question that a build asks, until it is answered."""

    question: Question
    answer: Answer | None = None
    rejected_by: str | None = None


@dataclass
class RunningBuild:
    """One build of one job."""

    job: str  # full name
    number: int
    queue_id: int
    config: str  # the job's config.xml when it began
    parameters: Mapping[str, str | bool]
    secret: frozenset[str] = frozenset()  # names of parameters whose values are not told
    causes: Sequence[Mapping[str, Any]] = ()
    user: str = "anonymous"
    display_name: str = ""
    description: str = ""
    result: str | None = None
    building: bool = True
    timestamp: int = field(default_factory=lambda: round(time.time() * 1000))
    duration: int = 0
    aborted: threading.Event = field(default_factory=threading.Event)
    interruptions: list[dict[str, Any]] = field(default_factory=list)
    pending: dict[str, Pending] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)  # of the log: when (monotonic), what

    def __post_init__(self) -> None:
        self.display_name = self.display_name or f"#{self.number}"

    @property
    def path(self) -> str:
        """Return where it stands below the controller's address, quoted."""
        return "".join(f"job/{quote(part, safe='')}/" for part in self.job.split("/")) + f"{self.number}/"

    def log(self, text: str) -> None:
        """Add to the console log, as the controller does: with a note before each line that begins with a letter."""
        self.write(re.sub(rb"(?m)^(?=\w)", NOTE, text.encode()))

    def write(self, data: bytes) -> None:
        """Add bytes to the log as they are; readers may see them at once."""
        with self.changed:
            self.pieces.append((time.monotonic(), data))
            self.changed.notify_all()

    def raw(self, delay: float = 0.0) -> tuple[bytes, bool]:
        """Return the log as it is kept, as of `delay` seconds ago, and whether more may come."""
        with self.changed:
            horizon = time.monotonic() - delay
            seen = b"".join(data for when, data in self.pieces if when <= horizon)
            return seen, self.building or len(seen) < sum(len(data) for _, data in self.pieces)

    def text(self, delay: float = 0.0) -> tuple[bytes, bool]:
        """Return the log as of `delay` seconds ago, without notes, and whether more may come."""
        kept, more = self.raw(delay)
        return re.sub(rb"\x1b\[8mha:.*?\x1b\[0m", b"", kept), more

    def wait(self, timeout: float | None = None) -> str:
        """Return its result once it has ended. Raises TimeoutError after `timeout` seconds."""
        with self.changed:
            if not self.changed.wait_for(lambda: not self.building, timeout):
                raise TimeoutError(f"{self.job} #{self.number} still runs")
        return self.result or "FAILURE"

    def abort(self, by: str | None) -> None:
        """Interrupt it: as a user does where `by` names one. Nothing happens to a build that has ended."""
        with self.changed:
            if not self.building:
                return
            said = f"Aborted by {by}" if by else "Jenkins is going to shut down"
            kind = "jenkins.model.CauseOfInterruption$UserInterruption" if by else "jenkins.model.CauseOfInterruption"
            self.interruptions.append({"_class": kind, "shortDescription": said})
            self.aborted.set()
            self.changed.notify_all()
        self.log(f"{said}\n")

    def ask(self, question: Question) -> Answer:
        """Wait until somebody answers over REST. Raises Rejected where they say no, Aborted with the build."""
        pending = Pending(question)
        asked = "Input requested" if question.parameters else f"{question.message}\n{question.ok} or Abort"
        self.log(f"{asked}\n")
        with self.changed:
            self.pending[question.id] = pending
            self.changed.notify_all()
            self.changed.wait_for(lambda: pending.answer or pending.rejected_by is not None or self.aborted.is_set())
            self.pending.pop(question.id, None)
        if pending.rejected_by is not None:
            raise Rejected(pending.rejected_by)
        if pending.answer is None:
            raise Aborted(f"{self.job} #{self.number} was aborted")
        return pending.answer

    def settle(self, question: str, answer: Answer | None, by: str) -> bool:
        """Answer a question, with no where there is no `answer`; tells whether it was still open."""
        with self.changed:
            pending = self.pending.pop(question, None)
            if pending is None:
                return False
            pending.answer, pending.rejected_by = answer, None if answer else by
            self.changed.notify_all()
        self.log(f"{'Approved' if answer else 'Rejected'} by {by}\n")
        return True

    def actions(self) -> list[dict[str, Any]]:
        """Return its actions as JSON: causes, parameters, interruptions; Jenkins mixes empty ones in."""
        interrupted = {"_class": "jenkins.model.InterruptedBuildAction", "causes": self.interruptions}
        return [
            *asked_for(self.causes, self.parameters, self.secret),
            {},
            *([interrupted] if self.interruptions else []),
        ]


def asked_for(
    causes: Sequence[Mapping[str, Any]], parameters: Mapping[str, str | bool], secret: frozenset[str]
) -> list[dict[str, Any]]:
    """Return what somebody asked for as the actions of a queue item or build."""
    values: list[dict[str, Any]] = [
        {"_class": f"hudson.model.{_kind(name, value, secret)}", "name": name}
        | ({} if name in secret else {"value": value})
        for name, value in parameters.items()
    ]
    given = [{"_class": "hudson.model.ParametersAction", "parameters": values}] if values else []
    return [{"_class": "hudson.model.CauseAction", "causes": [dict(cause) for cause in causes]}, *given]


def carry_out(build: RunningBuild, executor: Executor, ended: Callable[[], None]) -> None:
    """Run a build to its end, whatever happens in it."""
    for cause in build.causes:
        build.log(f"{cause['shortDescription']}\n")
    try:
        result = executor(build)
    except Aborted:
        result = "ABORTED"
    except Rejected as no:
        build.log(f"{no}\n")
        result = "ABORTED"
    except Exception:
        build.log(traceback.format_exc())
        result = "FAILURE"
    build.log(f"Finished: {result}\n")
    with build.changed:
        build.result, build.building = result, False
        build.duration = round(time.time() * 1000) - build.timestamp
        build.pending.clear()
        build.changed.notify_all()
    ended()


def _kind(name: str, value: str | bool, secret: frozenset[str]) -> str:
    return (
        "PasswordParameterValue"
        if name in secret
        else f"{'Boolean' if isinstance(value, bool) else 'String'}ParameterValue"
    )
