"""What tests of the runner share: a controller whose answers are known, and builds in a folder of their own."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.jenkins.pipeline import Build, Credential, Downstream, Outcome, run
from tests.jenkins.questions import Answer, Question, Rejected


@dataclass
class Known:
    """A controller whose answers are known before."""

    credentials: Mapping[str, Credential] = field(default_factory=dict)
    builds: Mapping[str, Downstream] = field(default_factory=dict)
    answers: Mapping[str, Answer | Rejected] = field(default_factory=dict)  # by question's id
    started: list[tuple[str, Mapping[str, str], bool]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    publications: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    never: threading.Event = field(default_factory=threading.Event)  # who asks what nobody answers waits for it

    def build(self, upstream: Build, job: str, parameters: Mapping[str, str], wait: bool) -> Downstream:
        done = self.builds[job]
        self.started.append((job, parameters, wait))
        return done

    def input(self, build: Build, question: Question) -> Answer:
        self.asked.append(question)
        if question.id not in self.answers:
            self.never.wait()
        answer = self.answers[question.id]
        if isinstance(answer, Rejected):
            raise answer
        return answer

    @contextmanager
    def lock(self, build: Build, resource: str) -> Iterator[None]:
        self.locks.append(f"+{resource}")
        yield
        self.locks.append(f"-{resource}")

    def credential(self, id: str) -> Credential:  # noqa: A002
        return self.credentials[id]

    def published(self, build: Build, kind: str, arguments: Mapping[str, Any]) -> None:
        self.publications.append((kind, arguments))


@dataclass(frozen=True)
class Runner:
    """Runs scripts in one folder: the workspace is `workspace` in it, the library `library`."""

    folder: Path

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def library(self, **files: str) -> None:
        """Write variables of the library: each is vars/<name>.groovy."""
        for name, text in files.items():
            self.write(f"library/vars/{name}.groovy", textwrap.dedent(text))

    def write(self, name: str, content: str | bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def __call__(
        self,
        script: str,
        controller: Known | None = None,
        aborted: threading.Event | None = None,
        log: Callable[[str], None] = lambda _: None,
        **changes: Any,
    ) -> Outcome:
        build = Build(
            job="shop/storefront/main",
            number=7,
            script=textwrap.dedent(script),
            workspace=self.workspace,
            library=self.folder / "library",
        )
        return run(replace(build, **changes), controller or Known(), aborted=aborted, log=log)


def said(outcome: Outcome) -> list[str]:
    """Return what the script said with `echo`, in order."""
    return [call.arguments["message"] for call in outcome.called("echo")]
