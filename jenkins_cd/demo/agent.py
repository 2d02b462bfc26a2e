"""A stand-in for the cluster: it follows the deploy repository and runs what that declares, as plain processes.

This is no Kubernetes and no container runtime. It shows the whole way on a machine that has neither: the deploy
repository is read, the chart rendered, the image pulled and its program started, one process for each app and
environment, reachable at the environment's `health_url`. There is no isolation, no scheduling, no probe; only values
of `env` are passed on. When an app changes, the old process is stopped before the new one is started, and a process
that ends is started again, later each time.

    python -m jenkins_cd.demo.agent --platform platform.yaml --folder DIR
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

from jenkins_cd.config.load import load_platform
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.demo import image
from jenkins_cd.demo.services import leashed
from jenkins_cd.demo.workload import Workload, render
from jenkins_cd.errors import ExternalFailure, Interrupted, JenkinsCdError
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import process, registry

INTERVAL = 0.3  # seconds between two looks
LONGEST_WAIT = 30.0  # seconds before an app that keeps failing is tried again
STEADY = 10.0  # seconds that a process must live before its failures are forgotten


@dataclass
class App:
    """One app in one environment: what is wanted, and the process that runs."""

    place: str  # <environment>/<project>/<app>, the folder of the deploy repository
    files: Mapping[str, bytes] = field(default_factory=dict)
    workload: Workload | None = None
    service: process.Service | None = None
    failures: int = 0
    started: float = 0.0
    due: float | None = None  # when it is to be tried again; None: nothing to do


def follow(platform: PlatformFile, folder: Path, alive: Callable[[], bool]) -> None:
    """Run what the deploy repository declares as long as `alive`; at the end every process is ended."""
    repository = Repository.open(platform.declared_in.url)
    apps: dict[str, App] = {}
    seen, complaint = None, ""
    try:
        while alive():
            try:
                commit = repository.tip(platform.declared_in.branch)
                if commit != seen:
                    _notice(repository.view(commit), platform, apps)
                    seen = commit
                complaint = ""
            except ExternalFailure as error:
                if error.message != complaint:
                    complaint = error.message
                    _say(f"cannot read the deploy repository: {complaint}")
            for app in apps.values():
                _tend(app, platform, folder)
            process.pause(INTERVAL)
    finally:
        for app in apps.values():
            _stop(app)


def _notice(view: View, platform: PlatformFile, apps: dict[str, App]) -> None:
    """Compare the apps with a commit of the deploy repository; those that changed become due."""
    paths = view.list()
    places = [path.removesuffix("/Chart.yaml") for path in paths if path.endswith("/Chart.yaml")]
    wanted = [place for place in places if place.count("/") == 2 and place.split("/")[0] in platform.environments]
    for place in set(apps) - set(wanted):
        _say(f"{place}: no longer declared")
        _stop(apps.pop(place))
    for place in wanted:
        below = [path for path in paths if path.startswith(f"{place}/")]
        files = {path[len(place) + 1 :]: content for path, content in view.read_all(below).items()}
        app = apps.setdefault(place, App(place))
        if files != app.files:
            app.files, app.due, app.failures = files, 0.0, 0


def _tend(app: App, platform: PlatformFile, folder: Path) -> None:
    """Bring one app to what is declared, or see to it later; what is wrong with it is no matter of the others."""
    now = time.monotonic()
    if app.service and app.service.exit_code is not None:
        _say(f"{app.place}: the process ended with exit code {app.service.exit_code}")
        app.failures = 1 if now - app.started > STEADY else app.failures + 1
        app.service, app.workload, app.due = None, None, now + _wait(app.failures)
    if app.due is None or now < app.due:
        return
    try:
        _bring_up(app, platform, folder)
        app.due = None
    except Interrupted:
        raise
    except (JenkinsCdError, KeyError, TypeError, IndexError, ValueError) as error:
        app.failures += 1
        app.due = now + _wait(app.failures)
        _say(f"{app.place}: {type(error).__name__}: {error}")


def _wait(failures: int) -> float:
    return float(min(LONGEST_WAIT, 0.25 * 2**failures))


def _bring_up(app: App, platform: PlatformFile, folder: Path) -> None:
    environment, project, name = app.place.split("/")
    plain_http = platform.registry.plain_http
    workload = render(app.files, name, project, plain_http)
    if workload == app.workload:
        return
    if workload is None:
        _say(f"{app.place}: the chart renders no Deployment, nothing to run")
        _stop(app)
        return
    digest = workload.digest or registry.digest(workload.repository, workload.tag, plain_http)
    if not digest:
        raise ExternalFailure(f"{workload.repository} has no image {workload.tag}")
    program = image.pull(workload.repository, digest, folder / "images", plain_http)
    _stop(app)
    url = platform.environments[environment].health_url.format(app=name, project=project, environment=environment)
    _start(app, workload, program, urlsplit(url).port or 80, folder / f"{environment}-{project}-{name}.log")
    _say(f"{app.place}: {workload.image} ({digest[:19]}) runs at {url}")


def _start(app: App, workload: Workload, program: image.Program, port: int, log: Path) -> None:
    # As in Kubernetes: a command replaces the entrypoint and the arguments that come with it.
    argv = [*workload.command, *workload.arguments] if workload.command else [*program.argv, *workload.arguments]
    if not argv:
        raise ExternalFailure("the image has no entrypoint, and the chart gives no command")
    inside = program.root / argv[0].lstrip("/")
    env = {**program.env, **dict(workload.env), "HOST": "127.0.0.1", "PORT": str(port)}
    argv = [str(inside) if inside.is_file() else argv[0], *argv[1:]]
    app.service = process.serve(leashed(argv), log=log, cwd=program.folder, env=env)
    app.workload, app.started = workload, time.monotonic()


def _stop(app: App) -> None:
    if app.service:
        app.service.stop()
        _say(f"{app.place}: stopped {app.workload.image if app.workload else ''}".rstrip())
    app.service, app.workload = None, None


def _say(text: str) -> None:
    print(f"{datetime.now(timezone.utc):%H:%M:%S} {text}", flush=True)  # noqa: T201 - this is the agent's log


def main(arguments: list[str]) -> int:
    """Run until SIGTERM, SIGINT, or the end of whoever started us."""
    parser = argparse.ArgumentParser(prog="python -m jenkins_cd.demo.agent", description=split_lines(__doc__)[0])
    parser.add_argument("--platform", required=True, help="the platform file")
    parser.add_argument("--folder", required=True, type=Path, help="where images are unpacked and logs are kept")
    given = parser.parse_args(arguments)
    parent = os.getppid()
    _say("the demo's stand-in for a cluster: no Kubernetes, no containers; each app is a process on this machine")
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        with process.interruptible():
            follow(load_platform(given.platform, Path.cwd()), given.folder.resolve(), lambda: os.getppid() == parent)
    except Interrupted as error:
        _say(error.message)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
