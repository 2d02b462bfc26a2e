"""SonarQube on demand: the one server that `python -m tests.lab sonarqube` starts, and that the last test ends."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.tools import http
from tests.lab import fixture, places, sonarqube_archive
from tests.lab import sonarqube as room
from tests.lab.sonarqube import NOBODY, SonarQube

pytestmark = pytest.mark.timeout(1200)  # whoever comes first waits until it is up


def status(server: SonarQube, path: str, auth: tuple[str, str] | None = None, bearer: str = "") -> int:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    return http.request("GET", f"{server.url}/{path}", auth=auth, headers=headers, timeout=60).status_code


@dataclass(frozen=True)
class Command:
    """`python -m tests.lab sonarqube`, once it has said how to use what it has started."""

    running: subprocess.Popen[str]
    said: dict[str, str]  # the rest of each line by its first word

    @property
    def server(self) -> SonarQube:
        password = self.said["administrator"].removeprefix("admin ")
        return SonarQube(url=self.said["page"], password=password, logs=self.said["logs"])


@pytest.fixture(scope="module")
def command() -> Iterator[Command]:
    try:
        sonarqube_archive.check()
    except BadInput as error:
        fixture.cannot(error)
    argv = [sys.executable, "-m", "tests.lab", "sonarqube"]
    with subprocess.Popen(argv, cwd=places.ROOT, stdout=subprocess.PIPE, text=True) as running:
        try:
            yield Command(running, _read(running))
        finally:
            running.send_signal(signal.SIGINT)


def _read(running: subprocess.Popen[str]) -> dict[str, str]:
    assert running.stdout
    said: dict[str, str] = {}
    for line in running.stdout:
        name, _, rest = line.strip().partition(" ")
        said[name] = rest.strip()
        if name == "logs":
            return said
    raise AssertionError(f"it ended with exit code {running.wait()}")


@pytest.fixture(scope="module")
def sonarqube(command: Command) -> SonarQube:
    return command.server


@pytest.fixture
def project(sonarqube: SonarQube) -> str:
    key = f"shop-{secrets.token_hex(4)}"
    sonarqube.project(key)
    return key


def test_it_is_up_in_the_version_that_is_pinned(sonarqube: SonarQube) -> None:
    assert sonarqube.ask("api/system/status")["status"] == "UP"
    assert sonarqube.ask("api/system/status")["version"] == sonarqube_archive.VERSION


def test_a_token_opens_it_as_a_user_name_and_a_wrong_one_does_not(sonarqube: SonarQube) -> None:
    token, path = sonarqube.token(), "api/projects/search"
    assert status(sonarqube, path, auth=(token, "")) == 200
    assert status(sonarqube, path, auth=(f"{token}x", "")) == 401
    assert status(sonarqube, path) == 401
    assert status(sonarqube, path, bearer=token) == 401  # newer versions take it


def test_the_password_that_everybody_knows_does_not_open_it(sonarqube: SonarQube) -> None:
    assert status(sonarqube, "api/projects/search", auth=("admin", "admin")) == 401


def test_a_project_gets_a_gate_with_a_condition_on_overall_code(sonarqube: SonarQube, project: str) -> None:
    sonarqube.gate(f"gate of {project}", project, metric="bugs", worse="GT", error="0")
    found = sonarqube.ask("api/qualitygates/get_by_project", project=project)["qualityGate"]
    assert found["name"] == f"gate of {project}"
    conditions = sonarqube.ask("api/qualitygates/show", name=found["name"])["conditions"]
    ours = [one for one in conditions if not one["metric"].startswith("new_")]
    assert [(one["metric"], one["op"], one["error"]) for one in ours] == [("bugs", "GT", "0")]


def test_what_the_server_does_not_take_is_told(sonarqube: SonarQube, project: str) -> None:
    with pytest.raises(ExternalFailure, match=r"HTTP 400 .*already exists"):
        sonarqube.project(project)


@pytest.mark.skipif(os.geteuid() != 0, reason="it is ours where we are not root")
def test_it_does_not_run_as_root(sonarqube: SonarQube) -> None:
    programs = [folder for folder in Path("/proc").glob("[0-9]*") if _is_of(folder, sonarqube)]
    assert programs
    assert {folder.stat().st_uid for folder in programs} == {NOBODY}


def _is_of(folder: Path, server: SonarQube) -> bool:
    with contextlib.suppress(OSError):
        words = (folder / "cmdline").read_bytes().split(b"\0")
        return words[0].endswith(b"java") and f"-Dsonar.web.port={server.url.rpartition(':')[2]}".encode() in words
    return False


def test_whoever_comes_later_gets_the_same_server_and_the_first_one_stops_it_after_him(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    @contextlib.contextmanager
    def started(logs: Path) -> Iterator[SonarQube]:
        told.append("started")
        yield SonarQube(url="http://127.0.0.1:1", password="secret", logs=str(logs))
        told.append("stopped")

    def first() -> None:
        with room.shared(tmp_path):
            up.set()
            leave.wait()

    monkeypatch.setattr(room, "started", started)
    up, leave = threading.Event(), threading.Event()
    owner = threading.Thread(target=first)
    owner.start()
    up.wait()
    with room.shared(tmp_path) as found:
        assert found.url == "http://127.0.0.1:1"
        leave.set()
        while (tmp_path / "sonarqube.json").exists():
            time.sleep(0.01)
        assert told == ["started"]
    owner.join()
    assert told == ["started", "stopped"]
    with room.shared(tmp_path):
        assert told[2:] == ["started"]


def test_a_machine_that_cannot_run_it_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sonarqube_archive, "LINK", tmp_path / "nothing")
    monkeypatch.setattr(sonarqube_archive, "MEMORY", 1e6)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput) as caught:
        sonarqube_archive.check()
    for words in ("has not been fetched", "has no java", "1000000.0 GB of free memory", "setpriv is missing"):
        assert words in caught.value.message
    assert "build-sonarqube" in caught.value.hint


@pytest.mark.parametrize(("ci", "ends"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_where_it_cannot_run_ci_fails_and_a_person_is_told(
    ci: str,
    ends: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setattr(sonarqube_archive, "LINK", tmp_path / "nothing")
    monkeypatch.setenv("CI", ci)
    asked = fixture.sonarqube.__wrapped__(tmp_path_factory)  # type: ignore[attr-defined]
    with pytest.raises(ends, match="has not been fetched"):
        next(asked)


def test_the_command_says_what_a_scanner_needs(command: Command) -> None:
    words = dict(word.split("=", 1) for word in command.said["export"].split())
    assert words["SONAR_HOST_URL"] == command.server.url
    assert status(command.server, "api/projects/search", auth=(words["SONAR_TOKEN"], "")) == 200


def test_when_it_is_told_to_end_nothing_is_left(command: Command) -> None:
    command.running.send_signal(signal.SIGINT)
    assert command.running.wait() == 130
    assert not [folder for folder in Path("/proc").glob("[0-9]*") if _is_of(folder, command.server)]
    with pytest.raises(ExternalFailure, match="no answer"):
        http.request("GET", f"{command.server.url}/api/system/status", attempts=1)
