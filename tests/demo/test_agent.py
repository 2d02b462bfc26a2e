"""The stand-in for the cluster as a program of its own, with a real deploy repository, registry and processes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from jenkins_cd.demo.services import Registry, free_port
from jenkins_cd.gitops.repository import Repository
from tests import programs
from tests.demo.oci import file, layer, push

# Tells what it was given, and waits: all that a test wants to see of a program.
PROGRAM = """\
#!/bin/sh
echo "version=$VERSION colour=$COLOUR host=$HOST port=$PORT pid=$$ args=$*"
[ "$COLOUR" = broken ] && exit 3
sleep 600 &
wait
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  template:
    spec:
      containers:
        - name: app
          image: {image}
          env: [{{name: COLOUR, value: {colour}}}]
"""


class World:
    """A deploy repository that a test writes to, and an agent that follows it."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry, self.folder = registry, folder
        self.bare = folder / "deploy.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare], check=True)
        self.repository = Repository.open(self.bare.as_uri())
        self.ports = {name: free_port() for name in ("dev", "test")}
        self.platform = folder / "platform.yaml"
        environments = "".join(
            f"  {name}: {{model: flux, after: ci, health_url: 'http://127.0.0.1:{port}'}}\n"
            for name, port in self.ports.items()
        )
        self.platform.write_text(
            dedent(f"""\
                registry: {{images: {registry.host}/apps, charts: "oci://{registry.host}/charts", plain_http: true}}
                deploy_repository: {{url: "{self.bare.as_uri()}"}}
                environments:
                """)
            + environments,
            encoding="utf-8",
        )

    def image(self, version: str) -> str:
        path = f"agent/{self.folder.name.replace('_', '-').lower()}"
        config = {"Entrypoint": ["/shop"], "Cmd": ["--open"], "Env": [f"VERSION={version}"]}
        push(self.registry, path, version, [layer(file("shop", PROGRAM, 0o755))], config)
        return f"{self.registry.host}/{path}:{version}"

    def declare(self, place: str, image: str, colour: str = "blue") -> None:
        files = {
            f"{place}/Chart.yaml": b"apiVersion: v2\nname: shop\nversion: 1.0.0\n",
            f"{place}/templates/app.yaml": DEPLOYMENT.format(image=image, colour=colour).encode(),
        }
        self.repository.commit("main", f"Declare {image} at {place}", lambda _: files)

    def withdraw(self, place: str) -> None:
        self.repository.commit(
            "main", f"Withdraw {place}", lambda view: {path: None for path in view.list(place) if path}
        )

    def said(self, place: str) -> list[str]:
        log = self.folder / "agent" / f"{place.replace('/', '-')}.log"
        return log.read_text(encoding="utf-8").splitlines() if log.exists() else []

    def log(self) -> str:
        return (self.folder / "agent.log").read_text(encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "jenkins_cd.demo.agent", "--platform", str(self.platform)]
        with (self.folder / "agent.log").open("ab") as log:
            return subprocess.Popen(
                [*command, "--folder", str(self.folder / "agent")], stdout=log, stderr=log, start_new_session=True
            )


@pytest.fixture
def world(registry: Registry, tmp_path: Path) -> World:
    return World(registry, tmp_path)


@pytest.fixture
def agent(world: World) -> Iterator[subprocess.Popen[bytes]]:
    started = world.start()
    yield started
    started.terminate()
    assert started.wait(20) == 0, world.log()


def eventually(fact: Callable[[], object], world: World) -> None:
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline, world.log()
        time.sleep(0.05)


def pid(line: str) -> int:
    return int(line.partition(" pid=")[2].split()[0])


@pytest.mark.usefixtures("agent")
def test_what_is_declared_runs_and_a_change_replaces_it(world: World) -> None:
    place = "dev/market/shop"
    world.declare(place, world.image("1"))
    eventually(lambda: world.said(place), world)
    first = world.said(place)[0]
    assert first.startswith(f"version=1 colour=blue host=127.0.0.1 port={world.ports['dev']} ")
    assert first.endswith("args=--open")

    world.declare(place, world.image("2"))
    eventually(lambda: len(world.said(place)) == 2, world)
    assert world.said(place)[1].startswith("version=2")
    assert not programs.runs(pid(first))
    assert "no Kubernetes" in world.log()


@pytest.mark.usefixtures("agent")
def test_a_broken_app_is_told_of_and_harms_no_other(world: World) -> None:
    world.declare("dev/market/broken", f"{world.registry.host}/agent/nothing:1")
    world.declare("dev/market/worse", '"{{ fail `not today` }}"')
    world.declare("test/market/shop", world.image("1"))
    eventually(lambda: world.said("test/market/shop"), world)
    eventually(lambda: "dev/market/broken: ExternalFailure:" in world.log(), world)
    eventually(lambda: "dev/market/worse: BadInput:" in world.log(), world)


@pytest.mark.usefixtures("agent")
def test_a_program_that_ends_is_started_again_until_it_is_mended(world: World) -> None:
    place = "dev/market/shop"
    world.declare(place, image := world.image("1"), colour="broken")
    eventually(lambda: len(world.said(place)) >= 2, world)
    assert "the process ended with exit code 3" in world.log()

    world.declare(place, image, colour="green")
    eventually(lambda: any("colour=green" in line for line in world.said(place)), world)


@pytest.mark.usefixtures("agent")
def test_an_app_that_is_no_longer_declared_is_stopped(world: World) -> None:
    place = "dev/market/shop"
    world.declare(place, world.image("1"))
    eventually(lambda: world.said(place), world)
    world.withdraw(place)
    eventually(lambda: not programs.runs(pid(world.said(place)[0])), world)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_app_outlives_the_agent(world: World, number: signal.Signals) -> None:
    agent = world.start()
    try:
        world.declare("dev/market/shop", world.image("1"))
        eventually(lambda: world.said("dev/market/shop"), world)
    finally:
        agent.send_signal(number)
        agent.wait(20)
    eventually(lambda: not programs.runs(pid(world.said("dev/market/shop")[0])), world)


def test_the_agent_ends_with_whoever_started_it(world: World) -> None:
    world.declare("dev/market/shop", world.image("1"))
    command = [sys.executable, "-m", "jenkins_cd.demo.agent", "--platform", str(world.platform), "--folder"]
    script = "import subprocess, sys, time; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); time.sleep(600)"
    parent = subprocess.Popen(
        [sys.executable, "-c", script, *command, str(world.folder / "agent")], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    agent = int(parent.stdout.readline())
    (world.folder / "agent.log").touch()
    try:
        eventually(lambda: world.said("dev/market/shop"), world)
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
    eventually(lambda: not programs.runs(pid(world.said("dev/market/shop")[0])) and not programs.runs(agent), world)


@pytest.mark.usefixtures("agent")
def test_an_agent_survives_a_deploy_repository_that_is_away_for_a_while(world: World) -> None:
    world.declare("dev/market/shop", world.image("1"))
    eventually(lambda: world.said("dev/market/shop"), world)
    world.bare.rename(world.folder / "away.git")
    eventually(lambda: "cannot read the deploy repository" in world.log(), world)
    (world.folder / "away.git").rename(world.bare)
    world.declare("dev/market/shop", world.image("2"))
    eventually(lambda: len(world.said("dev/market/shop")) == 2, world)
