"""A build of the shared library on its own: pipelines by the runner, a controller that answers what a test wants, and a
stand-in for jenkins-cd that ends as it is told to and writes down how it was started."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from jenkins_cd import __version__
from tests.jenkins import pipeline
from tests.jenkins.model import Build, Credential, Downstream, Outcome, UsernamePassword
from tests.jenkins.questions import Answer, Question, Rejected

LIBRARY = Path(__file__).parents[2]
PLATFORM = ".jenkins-cd/platform.yaml"
STAND_IN = f"""#!/usr/bin/env python3
import json, os, pathlib, sys
if sys.argv[1:] == ["--version"]:
    print("jenkins-cd {__version__}")
    sys.exit()
here = pathlib.Path(__file__).parent
arguments = sys.argv[1:] or json.loads(os.environ["JENKINS_CD_ARGUMENTS"])
started = {{"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}}
(here / f"started-{{os.getpid()}}.json").write_text(json.dumps(started))
answers = json.loads((here / "answers.json").read_text())
known = [words for words in answers if arguments[:len(words.split())] == words.split()]
answer = answers[max(known, key=len)] if known else {{}}
if answer.get("wait"):
    print("waiting", flush=True)
    import time
    time.sleep(answer["wait"])
for name, text in answer.get("files", {{}}).items():
    file = pathlib.Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
result = pathlib.Path(os.environ["JENKINS_CD_RESULT"])
result.parent.mkdir(parents=True, exist_ok=True)
if not answer.get("dies"):
    ended = {{"message": "", "hint": "", "problems": [], "evidence": "", "document": None, **answer.get("ended", {{}})}}
    result.write_text(json.dumps(ended))
sys.exit(answer.get("code", 0))
"""


def document(value: Any) -> dict[str, Any]:
    """Return an answer that succeeds with one of the model's values, as the command would report it."""
    return {"ended": {"document": msgspec.to_builtins(value)}}


def failing(message: str, code: int = 1, **more: Any) -> dict[str, Any]:
    """Return an answer that fails."""
    return {"code": code, "ended": {"message": message, **more}}


@dataclass(frozen=True)
class Started:
    """How the stand-in was started."""

    arguments: list[str]
    environment: Mapping[str, str]
    folder: str


@dataclass
class Scene:
    """What a build meets. It is its own controller."""

    folder: Path
    answers: dict[str, Any] = field(default_factory=dict)  # by the words that a command line begins with
    downstream: Mapping[str, str] = field(default_factory=dict)  # result by the environment that is asked for
    approver: str | None = "jane"  # None: says no
    credentials: Mapping[str, Credential] = field(
        default_factory=lambda: {
            name: UsernamePassword(username=f"{name}-user", password=f"{name}-canary/+ä")
            for name in ("registry", "git", "platform")
        }
    )
    library: Path = LIBRARY
    missing: frozenset[str] = frozenset()
    built: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    shown: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def run(
        self,
        script: str,
        *,
        parameters: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        causes: Sequence[Mapping[str, Any]] = (),
        aborted: threading.Event | None = None,
        log: Any = lambda _line: None,
    ) -> Outcome:
        """Run a Jenkinsfile to its end."""
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        (tools / "jenkins-cd").write_text(STAND_IN, encoding="utf-8")
        (tools / "jenkins-cd").chmod(0o755)
        (tools / "answers.json").write_text(json.dumps(self.answers), encoding="utf-8")
        for old in tools.glob("started-*.json"):
            old.unlink()
        build = Build(
            job="shop/storefront",
            script=f"@Library('jenkins-cd') _\n{script}\n",
            workspace=self.workspace,
            library=self.library,
            parameters=parameters or {},
            env={"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", **(env or {})},
            causes=causes,
            missing=self.missing,
        )
        return pipeline.run(build, self, aborted=aborted, log=log)

    @property
    def started(self) -> list[Started]:
        """Return how the stand-in was started, in the order of time."""
        files = sorted((self.folder / "tools").glob("started-*.json"), key=lambda file: file.stat().st_mtime_ns)
        return [Started(**json.loads(file.read_text(encoding="utf-8"))) for file in files]

    def build(self, upstream: Build, job: str, parameters: Mapping[str, str], wait: bool) -> Downstream:
        self.built.append((job, dict(parameters)))
        result = self.downstream.get(parameters.get("ENVIRONMENT", ""), "SUCCESS")
        why = "" if result == "SUCCESS" else "it did not come up"
        return Downstream(job=job, number=3, result=result, url="http://jenkins/job/d/3/", description=why)

    def input(self, build: Build, question: Question) -> Answer:
        self.asked.append(question)
        if self.approver is None:
            raise Rejected("joe")
        return Answer(submitter=self.approver)

    @contextmanager
    def lock(self, build: Build, resource: str) -> Iterator[None]:
        self.held.append(resource)
        yield

    def credential(self, id: str) -> Credential:  # noqa: A002
        return self.credentials[id]

    def published(self, build: Build, kind: str, arguments: Mapping[str, Any]) -> None:
        self.shown.append((kind, arguments))


def stages(outcome: Outcome) -> list[tuple[str, ...]]:
    """Return the stages around each `sh`, without the parallel branches of the same name."""
    return [tuple(dict.fromkeys(call.path)) for call in outcome.called("sh")]
