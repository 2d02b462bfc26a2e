"""A build, what it asks of its controller, and what comes out of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.jenkins.questions import Answer, Question

# What an agent's process has: the machine's programs, and what keeps a test out of its user's files.
AGENT = (
    "PATH", "HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
    "CONTAINERS_STORAGE_CONF", "GOCACHE", "STATICCHECK_CACHE",
)  # fmt: skip
RESULTS = ("SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED")  # from good to bad


def agent_environment() -> dict[str, str]:
    """Return the environment of an agent on this machine."""
    return {"LANG": "C.UTF-8", **{name: os.environ[name] for name in AGENT if name in os.environ}}


@dataclass(frozen=True, kw_only=True)
class Scm:
    """What `checkout scm` checks out, with the real git."""

    url: str
    ref: str  # a branch's or tag's name
    commit: str = ""  # the newest of `ref` where empty


@dataclass(frozen=True, kw_only=True)
class UsernamePassword:
    username: str
    password: str


@dataclass(frozen=True)
class SecretText:
    secret: str


@dataclass(frozen=True, kw_only=True)
class SecretFile:
    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class SshKey:
    username: str
    key: str
    passphrase: str = ""


Credential = UsernamePassword | SecretText | SecretFile | SshKey


@dataclass(frozen=True, kw_only=True)
class Downstream:
    """A build that `build job:` started; `result` is empty where nobody waited for it."""

    job: str
    number: int
    result: str = "SUCCESS"
    url: str = ""  # absolute
    display_name: str = ""
    description: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)  # what its script set in `env`


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build of one job, as it starts."""

    job: str  # full name, such as "shop/storefront/main"
    script: str  # the Jenkinsfile's text
    workspace: Path  # where `node` works; made where it is missing
    library: Path | None = None  # the checkout of the shared library: vars/, src/, resources/
    number: int = 1
    scm: Scm | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)  # BUILD_URL, BRANCH_NAME, …, and global properties
    causes: Sequence[
        Mapping[str, Any]
    ] = ()  # as currentBuild.getBuildCauses() gives them: `_class`, `shortDescription`, …
    agent: Mapping[str, str] = field(default_factory=agent_environment)  # of the process that runs on the node
    missing: frozenset[str] = frozenset()  # steps whose plugin is not installed


@dataclass(frozen=True, kw_only=True)
class Call:
    """A step that was called. What describes a value (`string(…)`, `usernamePassword(…)`) is no step."""

    name: str
    arguments: Mapping[str, Any]  # by name, also where the script gave them by position; without the body
    path: tuple[str, ...] = ()  # names of the stages and parallel branches around it
    env: Mapping[str, str] = field(default_factory=dict)  # what withEnv and withCredentials around it set
    secrets: frozenset[str] = frozenset()  # which of them came from withCredentials
    interpolated: tuple[str, ...] = ()  # strings among the arguments that Groovy put together


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a build ended."""

    result: str  # one of RESULTS
    error: str  # message of what ended it; empty where nothing did
    display_name: str
    description: str
    calls: list[Call]  # in the order in which they were called
    log: str  # with its secrets
    masked_log: str  # as Jenkins shows it

    def called(self, name: str) -> list[Call]:
        """Return the calls of one step."""
        return [call for call in self.calls if call.name == name]


class Controller(Protocol):
    """What a running build asks of its controller. Every method may be called from several threads at once."""

    def build(self, upstream: Build, job: str, parameters: Mapping[str, str], wait: bool) -> Downstream:
        """Start a build and, with `wait`, return when it has ended. Raises KeyError where there is no such job."""

    def input(self, build: Build, question: Question) -> Answer:
        """Return when somebody has answered. Raises Rejected if the answer is no."""

    def lock(self, build: Build, resource: str) -> AbstractContextManager[None]:
        """Hold the resource; waits for whoever has it."""

    def credential(self, id: str) -> Credential:  # noqa: A002 - as Jenkins calls it
        """Raises KeyError where there is none."""

    def published(self, build: Build, kind: str, arguments: Mapping[str, Any]) -> None:
        """Take what junit, recordIssues, publishHTML or archiveArtifacts published (`kind` is the step)."""
