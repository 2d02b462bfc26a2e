"""The lab leaves nothing behind, however it ends. These start labs of their own: where one is held they are skipped."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.errors import BadInput
from tests.lab import cgroups, clean, fixture, iptables, lease, manifests, network, places, state, versions
from tests.lab.lab import Lab

PATIENCE = 60.0  # seconds
BUILT = (("kubernetes", f"v{versions.KUBERNETES}"), ("argocd", f"v{versions.ARGOCD}"))  # folders of programs


@pytest.fixture
def before() -> Iterator[dict[str, Any]]:
    """What the machine looks like without a lab. One test at a time looks."""
    try:
        lease.check()
    except BadInput as error:
        pytest.skip(f"{error.message}: {error.hint}")
    if fixture.KUBECONFIG:
        pytest.skip("the cluster is somebody else's")
    state.prepare()
    with (places.STATE / "crash").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with lease.gate(print):
            if state.keeper_lives():
                pytest.skip(f"the lab is in use: {lease.holders()}")
            clean.clean()
            found = {**footprint(), "processes": programs()}
        yield found


def footprint() -> dict[str, Any]:
    """Return all that a lab may leave on this machine."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    ours = ("jenkins-cd-lab", *clean.COVERED)
    return {
        "interfaces": sorted(one.name for one in Path("/sys/class/net").iterdir() if one.name[:4] in ("jcdl", "veth")),
        "mounts": [line for line in mounts if any(word in line for word in ours)],
        "rules": iptables.left(),
        "sysctls": network.read_sysctls(),
        "groups": cgroups.left(),
        "covered": [name for name in clean.COVERED if Path(name).exists()],
        "folders": sorted(Path(tempfile.gettempdir()).glob("jenkins-cd-lab-*")),
    }


def left(before: dict[str, Any]) -> dict[str, Any]:
    """Return the footprint, with what of a lab runs that did not run before: another checkout's lab is not ours."""
    started = {pid: words for pid, words in programs().items() if pid not in before["processes"]}
    return {**footprint(), "processes": {**before["processes"], **started}}


def programs() -> dict[str, str]:
    """Return by process ID the programs of labs that run: their two processes, and what these start."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode().split("\0")
            own = "tests.lab" in words and not {"keep", "inner"}.isdisjoint(words)
            if own or (folder / "exe").readlink().parts[-3:-1] in BUILT:
                found[folder.name] = " ".join(words)
    return found


@contextlib.contextmanager
def started() -> Iterator[subprocess.Popen[str]]:
    """Yield `python -m tests.lab up` once it is up; what it says on its way is in `said`."""
    command = [sys.executable, "-m", "tests.lab", "up"]
    up = subprocess.Popen(
        command, cwd=places.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert up.stdout
        assert any("logs " in line for line in iter(up.stdout.readline, "")), up.communicate()[1]
        yield up
    finally:
        if up.poll() is None:
            up.kill()
            up.communicate()


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return value


def only(up: subprocess.Popen[str]) -> None:
    """Skip the test where somebody else holds the lab by now."""
    if any(f"process {up.pid}:" not in one for one in lease.holders()):
        pytest.skip("somebody else has joined")


def run_a_pod(lab: Lab) -> None:
    with lab.namespace() as name:
        lab.kubectl("-n", name, "apply", "-f", "-", stdin=manifests.pod("probe", lab.image()))
        lab.kubectl("-n", name, "wait", "pod/probe", "--for=condition=Ready", "--timeout=60s")


def gone(before: dict[str, Any]) -> None:
    """Wait for the end of the keeper, and see that nothing is left."""
    until(lambda: not state.keeper_lives() or lease.holders())
    with lease.gate(print):
        if state.keeper_lives():
            pytest.skip("somebody else has joined, or has started a lab")
        until(lambda: left(before)["processes"] == before["processes"])
        assert left(before) == before


def test_when_the_last_one_leaves_nothing_is_left(before: dict[str, Any]) -> None:
    with started() as up:
        run_a_pod(Lab.read())
        only(up)
        during = left(before)
        assert network.BRIDGE in during["interfaces"]
        assert all(during[name] for name in ("rules", "groups"))
        assert during["processes"] != before["processes"]
        up.send_signal(signal.SIGTERM)
        _, said = up.communicate(timeout=PATIENCE)
        assert up.returncode == 130
        if "it stays up" in said:
            pytest.skip("somebody else has joined")
    gone(before)


def test_it_can_be_stopped_for_everybody(before: dict[str, Any]) -> None:
    with started() as up:
        with lease.gate(print):
            only(up)
            os.kill(int(state.KEEPER.read_text(encoding="ascii")), signal.SIGTERM)
            until(lambda: left(before)["processes"] == before["processes"])
            assert left(before) == before
        _, said = up.communicate(timeout=PATIENCE)
    assert "stopped by somebody else" in said


def test_after_a_kill_the_pods_are_gone_and_the_next_start_cleans_up(before: dict[str, Any]) -> None:
    with started() as up:
        run_a_pod(Lab.read())
        with lease.gate(print):
            only(up)
            os.kill(int(state.KEEPER.read_text(encoding="ascii")), signal.SIGKILL)
            up.kill()
            until(lambda: left(before)["processes"] == before["processes"])
        assert network.has_bridge()
    with started() as up:
        only(up)
        assert "cleaned up after a lab that was killed" in state.PROGRESS.read_text(encoding="utf-8")
        run_a_pod(Lab.read())
        only(up)
        up.kill()  # whoever holds it need not say goodbye
    gone(before)
