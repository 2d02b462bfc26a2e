"""The build queue: an item waits out its quiet time, then for an executor, then it is a build."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.jenkins.controller import config_xml
from tests.jenkins.controller.builds import Executor, RunningBuild, asked_for, carry_out
from tests.jenkins.controller.jobs import Job, Jobs

REMEMBERED = 300.0  # seconds that an item can be asked for after it has left


class Cancelled(Exception):
    """The queue item was cancelled, or lost, before it became a build."""


@dataclass
class Item:
    """Something that waits to be built, or has left the queue."""

    id: int
    job: Job
    parameters: Mapping[str, str | bool]
    causes: Sequence[Mapping[str, Any]]
    user: str
    until: float  # end of its quiet time, on the monotonic clock
    since: int = field(default_factory=lambda: round(time.time() * 1000))
    why: str = "In the quiet period."
    cancelled: bool = False
    build: RunningBuild | None = None
    left: float | None = None  # when it left, on the monotonic clock

    @property
    def kind(self) -> str:
        if self.left is not None:
            return "hudson.model.Queue$LeftItem"
        return f"hudson.model.Queue${'WaitingItem' if self.until > time.monotonic() else 'BuildableItem'}"


class Queue:
    """The queue and the pool of executors; a thread moves things on until `close`."""

    def __init__(self, jobs: Jobs, executor: Executor, executors: int, quiet: float) -> None:
        self.executor, self.executors, self.quiet = executor, executors, quiet
        self.changed = threading.Condition()
        self._jobs = jobs
        self._items: dict[int, Item] = {}
        self._next_id = 1
        self._held = False
        self._closed = False
        self._dispatcher = threading.Thread(target=self._dispatch, daemon=True)
        self._dispatcher.start()

    def add(
        self,
        job: Job,
        parameters: Mapping[str, str | bool],
        causes: Sequence[Mapping[str, Any]],
        user: str,
        quiet: float | None = None,
    ) -> tuple[Item, bool]:
        """Queue a build; returns the item, and whether it is new: Jenkins takes one that waits for the same."""
        with self.changed:
            same = [one for one in self.waiting() if one.job is job and one.parameters == parameters]
            if same:
                return same[0], False
            pause = next(one for one in (quiet, job.quiet, self.quiet) if one is not None)
            item = Item(self._next_id, job, parameters, causes, user, time.monotonic() + pause)
            self._next_id += 1
            self._items[item.id] = item
            self.changed.notify_all()
            return item, True

    def find(self, number: int) -> Item | None:
        """Return an item that waits, or left not long ago."""
        item = self._items.get(number)
        gone = item and item.left is not None and time.monotonic() - item.left > REMEMBERED
        return None if gone else item

    def waiting(self) -> list[Item]:
        return [item for item in list(self._items.values()) if item.left is None]

    def cancel(self, number: int) -> None:
        """Take an item out; one that has left stays as it is."""
        with self.changed:
            item = self._items[number]
            if item.left is None:
                item.cancelled, item.left, item.why = True, time.monotonic(), ""
            self.changed.notify_all()

    def forget(self, number: int) -> None:
        """Lose an item without a trace, as some restarts do; a build that it has become goes on."""
        with self.changed:
            item = self._items.pop(number)
            item.cancelled = item.build is None
            item.left = item.left or time.monotonic()
            self.changed.notify_all()

    def forget_left(self) -> None:
        """Forget what has left: that is kept in memory only."""
        for item in list(self._items.values()):
            if item.left is not None:
                self.forget(item.id)

    def hold(self, held: bool = True) -> None:
        """Start nothing (while the controller is down, or because a test wants things to wait), or go on."""
        with self.changed:
            self._held = held
            self.changed.notify_all()

    def started(self, item: Item, timeout: float) -> RunningBuild:
        """Return the build that an item becomes. Raises Cancelled where it becomes none, TimeoutError after a time."""
        with self.changed:
            if not self.changed.wait_for(lambda: item.build or item.cancelled, timeout):
                raise TimeoutError(f"queue item {item.id} still waits: {item.why}")
        if item.build is None:
            raise Cancelled(f"queue item {item.id} was cancelled")
        return item.build

    def close(self) -> None:
        """Start nothing any more, and abort what runs."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
        self._dispatcher.join()
        for build in self.running():
            build.abort(None)

    def running(self) -> list[RunningBuild]:
        return [build for job in self._jobs for build in list(job.builds.values()) if build.building]

    def _dispatch(self) -> None:
        with self.changed:
            while not self._closed:
                for item in self.waiting():
                    item.why = self._obstacle(item)
                    if not item.why and not self._held:
                        self._begin(item)
                quiet = [item.until - time.monotonic() for item in self.waiting()]
                soon = [left for left in quiet if left > 0]
                self.changed.wait(min(soon, default=None))

    def _obstacle(self, item: Item) -> str:
        left = item.until - time.monotonic()
        if left > 0:
            return f"In the quiet period. Expires in {left:.1f} sec"
        if not item.job.concurrent and (latest := item.job.last()) and latest.building:
            return f"Build #{latest.number} is already in progress (ETA: N/A)"
        return "Waiting for next available executor" if len(self.running()) >= self.executors else ""

    def _begin(self, item: Item) -> None:
        job = item.job
        secret = {one.name for one in job.parameters if one.kind == "PasswordParameterDefinition"}
        build = RunningBuild(
            job=job.name,
            number=job.next_number,
            queue_id=item.id,
            config=job.config,
            parameters=item.parameters,
            secret=frozenset(secret),
            causes=item.causes,
            user=item.user,
        )
        job.builds[build.number] = build
        job.next_number += 1
        item.build, item.left, item.why = build, time.monotonic(), ""
        threading.Thread(target=carry_out, args=(build, self.executor, self._ended), daemon=True).start()
        self.changed.notify_all()

    def _ended(self) -> None:
        with self.changed:
            self.changed.notify_all()


def item_json(item: Item, url: str) -> dict[str, Any]:
    """Return a queue item as JSON; `url` is the controller's."""
    secret = frozenset(one.name for one in item.job.parameters if one.kind == "PasswordParameterDefinition")
    task = {"_class": config_xml.CLASSES[item.job.kind], "name": item.job.name.rpartition("/")[2]}
    told = {
        "_class": item.kind,
        "actions": asked_for(item.causes, item.parameters, secret),
        "blocked": item.why.startswith("Build #"),
        "buildable": item.why.startswith("Waiting for"),
        "id": item.id,
        "inQueueSince": item.since,
        "params": "".join(f"\n{name}={'****' if name in secret else value}" for name, value in item.parameters.items()),
        "stuck": False,
        "task": {**task, "url": f"{url}/{item.job.path}", "color": "notbuilt"},
        "url": f"queue/item/{item.id}/",
        "why": item.why or None,
    }
    if item.left is None:
        return told
    build = item.build
    return {
        **told,
        "cancelled": item.cancelled,
        "executable": build
        and {
            "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
            "number": build.number,
            "url": f"{url}/{build.path}",
        },
    }
