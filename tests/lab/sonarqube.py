"""A real SonarQube, on demand: about a minute and 1.7 GB, so it is no member of the lab, whose start is quick.

It runs as a user that is not root, with an H2 database, all on free ports of 127.0.0.1. Its data is thrown away.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jenkins_cd.demo.services import free_port, leashed
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import http, process
from tests.lab import component, sonarqube_archive
from tests.lab.component import Component, Running

ADMIN = "admin"
NOBODY = 65534  # of users and of groups
ANSWER = 60.0  # seconds: its first answers are slow
PATIENCE = 900.0  # seconds that it may take to be up: a machine that has much else to do needs several minutes
OPENED = (
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.nio", "sun.nio.ch")),
    "--add-opens=java.management/sun.management=ALL-UNNAMED",
    "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
)
SETTINGS = {
    "sonar.web.host": "127.0.0.1",
    "sonar.search.port": "0",
    "sonar.telemetry.enable": "false",
    "sonar.updatecenter.activate": "false",
    "sonar.web.javaOpts": "-Xmx512m -Xms128m",
    "sonar.ce.javaOpts": "-Xmx512m -Xms128m",
    "sonar.search.javaOpts": "-Xmx512m -Xms512m -XX:MaxDirectMemorySize=256m",
    "sonar.search.javaAdditionalOpts": "-Dnode.store.allow_mmap=false",
}


@dataclass(frozen=True, kw_only=True)
class SonarQube:
    """A server that is up."""

    url: str
    password: str  # of admin
    logs: str

    def ask(self, path: str, **parameters: str) -> Any:
        """GET an answer as the administrator. Raises ExternalFailure for anything but 200."""
        url = f"{self.url}/{path}?{urlencode(parameters)}"
        return http.request("GET", url, auth=(ADMIN, self.password), timeout=ANSWER, expect=(200,)).json()

    def tell(self, path: str, **parameters: str) -> Any:
        """POST a form as the administrator; returns the answer, None where it has no body."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = http.request(
            "POST",
            f"{self.url}/{path}",
            auth=(ADMIN, self.password),
            headers=headers,
            data=urlencode(parameters).encode(),
            timeout=ANSWER,
            expect=(200, 204),
        )
        return answer.json() if answer.content else None

    def token(self, name: str = "") -> str:
        """Return a new token of the administrator: a user name without a password. This version takes no bearers."""
        made = self.tell("api/user_tokens/generate", name=name or f"test-{secrets.token_hex(4)}")
        return str(made["token"])

    def project(self, key: str) -> None:
        """Make an empty project."""
        self.tell("api/projects/create", project=key, name=key)

    def gate(self, name: str, project: str, metric: str = "coverage", worse: str = "LT", error: str = "80") -> None:
        """Make a quality gate, with one condition on overall code, that of a project.

        A value of `metric` that is less (LT) or greater (GT) than `error` fails it. The first analysis of a project
        passes any gate whose conditions are all on new code.
        """
        self.tell("api/qualitygates/create", name=name)
        self.tell("api/qualitygates/create_condition", gateName=name, metric=metric, op=worse, error=error)
        self.tell("api/qualitygates/select", gateName=name, projectKey=project)


@contextlib.contextmanager
def started(logs: Path) -> Iterator[SonarQube]:
    """Start a server, wait until it is up, and stop it at the end of the block; what it said stays in `logs`.

    Raises BadInput where it cannot run here, ExternalFailure with its last words where it does not come up.
    """
    sonarqube_archive.check()
    folder = Path(tempfile.mkdtemp(prefix="jenkins-cd-sonarqube-"))
    try:
        port = free_port()
        running = component.start(_server(folder, port), logs)
        try:
            _await(running)
            yield _opened(f"http://127.0.0.1:{port}", logs)
        finally:
            running.stop()
            for file in folder.glob("logs/*.log"):
                shutil.copy(file, logs / f"sonarqube-{file.name}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def shared(folder: Path) -> Iterator[SonarQube]:
    """Yield the one server of all processes that name this folder: the first starts it, and stops it after the last.

    Whoever comes meanwhile waits until it is up.
    """
    known = folder / "sonarqube.json"
    with (folder / "users").open("a") as users, contextlib.ExitStack() as stack:
        with (folder / "gate").open("a") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            if known.exists():
                found = SonarQube(**json.loads(known.read_text(encoding="utf-8")))
            else:
                found = stack.enter_context(started(folder))
                known.write_text(json.dumps(asdict(found)), encoding="utf-8")
                stack.callback(fcntl.flock, users, fcntl.LOCK_EX)  # waits for the others
                stack.callback(_close, folder / "gate", known)
            fcntl.flock(users, fcntl.LOCK_SH)
        yield found


def _close(gate: Path, known: Path) -> None:
    """Let nobody join any more."""
    with gate.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known.unlink()


def _server(folder: Path, port: int) -> Component:
    """Return the server with its data in `folder`; as root it runs as nobody, in a PID namespace that ends with us."""
    jar = sonarqube_archive.copy(folder / "home")
    paths = {f"sonar.path.{name}": str(folder / name) for name in ("data", "logs", "temp")}
    ports = {"sonar.web.port": str(port), "sonar.embeddedDatabase.port": str(free_port())}
    settings = [f"-D{name}={value}" for name, value in {**SETTINGS, **paths, **ports}.items()]
    argv = ["java", "-Xms8m", "-Xmx32m", *OPENED, "-jar", str(jar), *settings]
    if os.geteuid() == 0:
        folder.chmod(0o755)
        for one in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            os.chown(one, NOBODY, NOBODY)
        as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--", *argv]
        # A program that changes its user is not ended with its parent: the shell is, and all in the namespace with it.
        shell = ["sh", "-c", '"$@" & wait', "sh", *as_nobody]
        argv = ["unshare", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child=KILL", *shell]
    return Component(
        name="sonarqube",
        argv=leashed(argv),
        ready=lambda: '"status":"UP"' in (component.ask(f"http://127.0.0.1:{port}/api/system/status") or ""),
        env={"HOME": str(folder), "TMPDIR": str(folder)},
    )


def _await(running: Running) -> None:
    deadline = time.monotonic() + PATIENCE
    while not running.check():
        if time.monotonic() > deadline:
            raise ExternalFailure(
                f"SonarQube is not up after {PATIENCE:.0f} s: {running.last_words}", "the machine may be too busy"
            )
        process.pause(0.2)


def _opened(url: str, logs: Path) -> SonarQube:
    """Return the server with a password that nobody knows: it comes up with one that everybody does."""
    new = secrets.token_urlsafe(16)
    fresh = SonarQube(url=url, password=ADMIN, logs=str(logs))
    fresh.tell("api/users/change_password", login=ADMIN, previousPassword=ADMIN, password=new)
    return SonarQube(url=url, password=new, logs=str(logs))
