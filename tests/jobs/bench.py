"""A controller with a deploy job, whose builds do what a test says, and the command line against it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from jenkins_cd.cli import run
from tests.jenkins.controller import JenkinsDouble, RunningBuild
from tests.jenkins.controller.configs import FOLDER_XML, pipeline

JOB = "Team A/delivery/deploy"
PATH = "job/Team%20A/job/delivery/job/deploy"
USER, TOKEN, PASSWORD = "robot", "correct-horse-battery", "a-password-of-robot"
PARAMETERS = {"APP": "shop", "VERSION": "1.0.0", "ENVIRONMENT": "dev"}
FIND = r"GET .*/deploy/api/json\?tree=nextBuildNumber.*"
START = r"POST .*/buildWithParameters.*"
ITEM = r"GET /queue/item/.*"
QUEUE = r"GET /queue/api/json.*"
BUILD = r"GET .*/deploy/\d+/api/json.*"
LOG = r"GET .*/progressiveText.*"

Work = Callable[[RunningBuild], str]


def succeed(_build: RunningBuild) -> str:
    return "SUCCESS"


def until_aborted(build: RunningBuild) -> str:
    build.aborted.wait()
    return "ABORTED"


def two_lines(between: Callable[[], None] = lambda: None) -> Work:
    """Return work that logs, does `between`, and logs again."""

    def work(build: RunningBuild) -> str:
        build.log("first line\n")
        between()
        build.log("second line\n")
        return "SUCCESS"

    return work


class Bench:
    """What a test works on."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self.work: Work = succeed
        self.double = JenkinsDouble.start(lambda build: self.work(build))
        self.user = self.double.add_user(USER, TOKEN, PASSWORD)
        for folder in ("Team A", "Team A/delivery"):
            self.double.add_job(folder, FOLDER_XML)
        self.job = self.double.add_job(JOB, pipeline(parameters=list(PARAMETERS)))
        self._capfd = capfd

    @property
    def builds(self) -> dict[int, RunningBuild]:
        return self.job.builds

    def arguments(self, *more: str) -> list[str]:
        """Return the words of the command line; `more` are pairs of options and values."""
        given = {"--app": "shop", "--version": "1.0.0", "--environment": "dev", "--url": self.double.url, "--job": JOB}
        given |= dict(zip(more[::2], more[1::2], strict=True))
        return ["trigger", "deploy", *(word for pair in given.items() for word in pair)]

    def trigger(self, *more: str, wait: bool = True) -> tuple[int, str, str]:
        """Return exit code and both streams; `more` are pairs of options and values."""
        code = run([*self.arguments(*more), *(["--wait"] if wait else [])])
        streams = self._capfd.readouterr()
        for never in (TOKEN, PASSWORD, "<html", "Traceback"):
            assert never not in streams.out + streams.err
        return code, streams.out, streams.err

    def sent(self, pattern: str) -> int:
        """Return how many requests (`METHOD /path?query`) there were that match."""
        return sum(bool(re.fullmatch(pattern, one)) for one in list(self.double.requests))

    def asked(self, pattern: str, times: int = 1) -> None:
        """Wait until so many requests that match have come in all."""
        until(lambda: self.sent(pattern) >= times)

    def asked_again(self, pattern: str, times: int = 1) -> None:
        """Wait until so many requests that match have come from now on."""
        self.asked(pattern, self.sent(pattern) + times)


@dataclass
class Clock:
    """The time as the command sees it, and what it has noticed: no test waits for a time to be over."""

    skew: float = 0.0  # seconds
    failures: int = 0  # looks that the controller did not answer

    def monotonic(self) -> float:
        return time.monotonic() + self.skew

    def strike(self) -> None:
        """Let an hour pass."""
        self.skew += 3600

    def missed(self) -> None:
        """Wait until the command has missed the controller, twice more."""
        wanted = self.failures + 2
        until(lambda: self.failures >= wanted)


class Meanwhile:
    """Does things one after the other while the command runs; what goes wrong with them is raised at the end."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self._steps = steps
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        if self._error:
            raise self._error

    def _run(self) -> None:
        try:
            for step in self._steps:
                step()
        except BaseException as error:
            self._error = error


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not look():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
