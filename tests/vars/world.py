"""A Jenkins that runs the shared library: jobs, queue and REST of the double, pipelines by the runner."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.jenkins import pipeline
from tests.jenkins.controller.builds import RunningBuild
from tests.jenkins.controller.server import JenkinsDouble
from tests.jenkins.model import Build, Credential, Downstream, Outcome, Scm
from tests.jenkins.questions import Answer, Question

LIBRARY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Branch:
    """What a job of a multibranch project builds."""

    scm: Scm
    script: str  # the path of the Jenkinsfile, or its text
    env: Mapping[str, str] = field(default_factory=dict)  # BRANCH_NAME, TAG_NAME, CHANGE_ID


@dataclass
class World:
    """The controller, and what its builds find there. An instance is the double's executor."""

    folder: Path  # for workspaces
    library: Path = LIBRARY
    env: Mapping[str, str] = field(default_factory=dict)  # what all builds have
    credentials: Mapping[str, Credential] = field(default_factory=dict)
    branches: dict[str, Branch] = field(default_factory=dict)  # by full job name
    missing: frozenset[str] = frozenset()
    outcomes: dict[tuple[str, int], Outcome] = field(default_factory=dict)
    published: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)  # job, step, arguments
    held: list[str] = field(default_factory=list)  # resources, as they were locked
    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _double: JenkinsDouble | None = None

    def __call__(self, build: RunningBuild) -> str:
        """Run the Jenkinsfile of a build."""
        assert self._double
        branch = self.branches.get(build.job)
        job = self._double.jobs.find(build.job)
        assert job
        started = Build(
            job=build.job,
            number=build.number,
            script=branch.script if branch else job.script,
            workspace=self.folder / build.job.replace("/", "_"),
            library=self.library,
            scm=branch.scm if branch else None,
            parameters=build.parameters,
            env={
                **self.env,
                **(branch.env if branch else {}),
                "JENKINS_URL": f"{self._double.url}/",
                "BUILD_URL": f"{self._double.url}/{build.path}",
                "BUILD_NUMBER": str(build.number),
                "JOB_NAME": build.job,
            },
            causes=build.causes,
            missing=self.missing,
        )
        desk = Desk(self, build)
        outcome = pipeline.run(started, desk, log=lambda line: build.log(f"{line}\n"), aborted=build.aborted)
        build.display_name, build.description = outcome.display_name, outcome.description
        self.outcomes[build.job, build.number] = outcome
        return outcome.result

    @contextmanager
    def open(self) -> Iterator[JenkinsDouble]:
        """Let the controller listen."""
        with JenkinsDouble.start(self) as double:
            self._double = double
            yield double

    def controller(self) -> JenkinsDouble:
        assert self._double
        return self._double

    def lock(self, resource: str) -> threading.Lock:
        return self._locks[resource]


@dataclass(frozen=True)
class Desk:
    """What one running build asks of its controller."""

    world: World
    running: RunningBuild

    def build(self, upstream: Build, job: str, parameters: Mapping[str, str], wait: bool) -> Downstream:
        double = self.world.controller()
        cause = {
            "_class": "hudson.model.Cause$UpstreamCause",
            "shortDescription": f'Started by upstream project "{upstream.job}" build number {upstream.number}',
            "upstreamProject": upstream.job,
            "upstreamBuild": upstream.number,
            "upstreamUrl": f"job/{upstream.job.replace('/', '/job/')}/",
        }
        started = double.schedule(job, parameters, [cause])
        return Downstream(
            job=job,
            number=started.number,
            result=started.wait() if wait else "",
            url=f"{double.url}/{started.path}",
            display_name=started.display_name,
            description=started.description,
        )

    def input(self, build: Build, question: Question) -> Answer:
        return self.running.ask(question)

    @contextmanager
    def lock(self, build: Build, resource: str) -> Iterator[None]:
        with self.world.lock(resource):
            self.world.held.append(resource)
            yield

    def credential(self, id: str) -> Credential:  # noqa: A002
        return self.world.credentials[id]

    def published(self, build: Build, kind: str, arguments: Mapping[str, Any]) -> None:
        self.world.published.append((build.job, kind, arguments))
