"""What a Jenkins controller promises of the objects that are read here; it leaves out what a kind of object has not.

https://www.jenkins.io/doc/book/using/remote-access-api/ (a controller shows its own at /job/NAME/api/schema).
"""

from __future__ import annotations

from typing import Any, TypedDict


class _Named(TypedDict):
    name: str


class _Property(TypedDict, total=False):
    parameterDefinitions: list[_Named] | None


class _Numbered(TypedDict):
    nextBuildNumber: int


class Job(_Numbered, total=False):
    """What has builds."""

    property: list[_Property] | None


class _Valued(_Named, total=False):
    value: Any  # a text, a boolean, or what a plugin makes of it


class _Cause(TypedDict, total=False):
    shortDescription: str | None


class Action(TypedDict, total=False):
    """One of the things that are known of a build or queue item."""

    _class: str | None
    parameters: list[_Valued] | None
    causes: list[_Cause] | None


class WithActions(TypedDict, total=False):
    """A build or a queue item."""

    actions: list[Action | None] | None


class _Executable(TypedDict, total=False):
    number: int


class _Id(TypedDict):
    id: int


class Item(_Id, total=False):
    """A queue item; only one that has left the queue is cancelled or has a build."""

    why: str | None
    cancelled: bool | None
    executable: _Executable | None


class _Build(TypedDict):
    number: int
    building: bool
    result: str | None


class Build(_Build, WithActions, total=False):
    """A build of a job."""

    displayName: str | None
    queueId: int | None


class Builds(TypedDict):
    """A job with its last builds."""

    builds: list[Build]


class _Task(TypedDict, total=False):
    url: str | None


class Waiting(_Id, WithActions, total=False):
    """An item in the queue."""

    task: _Task | None


class Queue(TypedDict):
    """The queue."""

    items: list[Waiting]
