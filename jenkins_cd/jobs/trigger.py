"""Start the shared deploy job on a Jenkins controller, follow it, and take its result for one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jenkins_cd import versions
from jenkins_cd.config.kinds import JOB
from jenkins_cd.errors import BadInput, ExternalFailure, GateFailed, Interrupted, JenkinsCdError
from jenkins_cd.free_text import FreeText
from jenkins_cd.jobs import remote_build
from jenkins_cd.jobs.patience import OutOfTime, Patience
from jenkins_cd.jobs.remote_build import Asked
from jenkins_cd.masking import excerpt
from jenkins_cd.names import check_app, check_environment
from jenkins_cd.tools.jenkins import Connection
from jenkins_cd.tools.jenkins_builds import Build

OnTimeout = Literal["abort", "leave"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be deployed, by which job; made by `checked`."""

    app: str  # or project/app
    version: str
    environment: str
    job: str

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters of the job."""
        return {"APP": self.app, "VERSION": self.version, "ENVIRONMENT": self.environment}


@dataclass(frozen=True, kw_only=True)
class Triggered:
    """What came of it; `result` is None where nobody waited for it."""

    app: str
    version: str
    environment: str
    job: str
    queue_item: int
    url: str  # of the build, of the queue item before there is one
    seconds: float  # since we asked
    number: int | None = None
    display_name: str = ""
    result: str | None = None  # SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED
    interrupted_by: FreeText = ""  # such as `Aborted by jane`, where Jenkins says so
    schema: str = "jenkins_cd/trigger/v1"


def checked(app: str, version: str, environment: str, job: str) -> Request:
    """Return the request, or raise BadInput for what is no name or version: nothing else is ever sent."""
    if not re.fullmatch(JOB.pattern, job) or len(job) > JOB.max_length:
        raise BadInput(f"--job: {excerpt(job, 80)!r} is not {JOB.expected}")
    return Request(
        app=check_app(app), version=versions.check(version), environment=check_environment(environment), job=job
    )


def deploy(
    connection: Connection,
    request: Request,
    *,
    wait: bool,
    timeout: float,
    on_timeout: OnTimeout,
    tell: Callable[[str], None],
    show: Callable[[str], None],
) -> Triggered:
    """Start the job, and with `wait` follow it to its end; `timeout` in seconds holds for all of it.

    `tell` gets sentences for people, `show` the log as it comes. The connection makes one attempt at a time. Raises
    ExternalFailure where the time is over, having aborted or left what was started, Interrupted with where it goes on,
    and what the controller refuses.
    """
    patience, asked = Patience(timeout, tell), Asked(connection, request.job, request.parameters)
    build = None
    try:
        remote_build.submit(asked, patience)
        if wait:
            remote_build.begin(asked, patience)
            build = remote_build.follow(asked, patience, show)
    except OutOfTime as error:
        raise _given_up(asked, on_timeout, error) from error
    except Interrupted as error:
        raise Interrupted(f"{error.message}: {asked.left()}", error.hint) from error
    return _triggered(request, asked, patience.spent, build)


def require_success(done: Triggered) -> None:
    """Raise GateFailed unless the build has succeeded."""
    if done.result != "SUCCESS":
        why = f" ({done.interrupted_by})" if done.interrupted_by else ""
        raise GateFailed(
            f"{done.job} #{done.number} ended as {done.result}{why}: {done.app} {done.version} to {done.environment}",
            f"read its log: {done.url}console",
        )


def _given_up(asked: Asked, on_timeout: OnTimeout, error: OutOfTime) -> ExternalFailure:
    """Return what is told when the time is over, having done what `on_timeout` asks for."""
    if error.away:
        return ExternalFailure(f"{error.away}; {error.message}: {asked.left()}", "look there once the server is up")
    done = asked.left()
    if on_timeout == "abort" and asked.item is not None:
        try:
            done = remote_build.abort(asked)
        except JenkinsCdError as failure:
            done = f"it could not be aborted ({failure.message}); {done}"
    return ExternalFailure(f"{asked.job} has {error.message}: {done}", "give a longer --timeout, or look there")


def _triggered(request: Request, asked: Asked, seconds: float, build: Build | None) -> Triggered:
    return Triggered(
        app=request.app,
        version=request.version,
        environment=request.environment,
        job=request.job,
        queue_item=asked.item or 0,
        url=asked.url,
        seconds=round(seconds, 3),
        number=asked.number,
        display_name=build.display_name if build else "",
        result=build.result if build else None,
        interrupted_by=build.interrupted_by if build else "",
    )
