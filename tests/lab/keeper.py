"""The two processes behind the lab. The keeper owns it; the inner one runs its programs in namespaces of their own.

The inner process is the first one of a PID namespace: when it ends, whatever the reason, the kernel ends all that was
started in it, pods included, and the mounts of its mount namespace are gone. It is ended when the keeper ends.
The network is the machine's: what is changed there, the keeper undoes, or the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from jenkins_cd.demo.services import leashed
from jenkins_cd.errors import ExternalFailure, Interrupted, JenkinsCdError
from jenkins_cd.tools import process
from tests.lab import argocd, cgroups, clean, cluster, dns, gitserver, lease, network, node, registry, site, state
from tests.lab.component import Running, bring_up
from tests.lab.lab import Lab
from tests.lab.network import Network

_POLL = 0.2
ROOMS = (cluster, node, dns, registry, gitserver, argocd)


def keep() -> None:
    """Run the lab as long as somebody holds it, then put the machine back as it was."""
    with state.KEEPER.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state.KEEPER.write_text(str(os.getpid()), encoding="ascii")
        state.forget_requests()
        if clean.clean():
            state.tell("cleaned up after a lab that was killed")
        try:
            with process.interruptible():
                _keep()
        except Interrupted:
            pass
        except Exception as error:
            hint = error.hint if isinstance(error, JenkinsCdError) else ""
            state.FAILURE.write_text(f"{error}\n{hint}".strip(), encoding="utf-8")
            raise
        finally:
            _clean()


def _clean() -> None:
    """Put the machine back, and let nobody disturb it."""
    with process.interruptible():  # a run that was told to end starts no programs: this is a new one
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        clean.clean()


def _keep() -> None:
    chosen = network.choose()
    folder = clean.remember()
    network.add_bridge(chosen)
    cgroups.make()
    apart = ["unshare", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child=KILL"]
    argv = [*apart, sys.executable, "-m", "tests.lab", "inner", str(folder), chosen.pods, chosen.services]
    inner = process.serve(leashed(argv), log=state.LOGS / "inner.log")
    try:
        with contextlib.ExitStack() as gate:
            while not _unwanted(gate):
                if inner.exit_code is not None:
                    raise ExternalFailure(_failure(inner.exit_code))
                process.pause(_POLL)
            state.LAB.unlink(missing_ok=True)
            inner.stop()
            clean.clean()
    finally:
        state.LAB.unlink(missing_ok=True)
        inner.stop()


def _failure(exit_code: int) -> str:
    if state.FAILURE.exists():
        return state.FAILURE.read_text(encoding="utf-8")
    return f"the lab's first process ended with exit code {exit_code}"


def _unwanted(gate: contextlib.ExitStack) -> bool:
    """Tell whether nobody holds the lab; then the gate is locked, and stays so."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(state.GATE.open("a"))
        if state.lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB) and not lease.holders():
            gate.push(stack.pop_all())
            return True
    return False


def inner(folder: str, pods: str, services: str) -> None:
    """Start everything, say so, and look after it until the end."""
    running: dict[str, Running] = {}
    begun = time.monotonic()
    try:
        with process.interruptible():
            _cover()
            here = site.prepare(Path(folder), Network(pods=pods, services=services))
            gitserver.prepare(here)
            components = [one for room in ROOMS for one in room.components(here)]
            bring_up(components, state.LOGS, tell=lambda name: _tell_ready(name, begun), known=running)
            Lab.of(here).write()
            _look_after(running)
    except Interrupted:
        pass
    except Exception as error:
        state.FAILURE.write_text(str(error), encoding="utf-8")
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(0)  # the kernel ends the rest, at once


def _tell_ready(name: str, begun: float) -> None:
    state.tell(f"{name} ready after {time.monotonic() - begun:.1f} s")


def _cover() -> None:
    """Put an empty folder over each that the programs would fill, and let pods share mounts as the kubelet wants it."""
    for name in clean.COVERED:
        process.run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", name]).require(f"cover {name}")
    process.run(["mount", "--make-rshared", "/"]).require("share the mounts")


def _look_after(running: dict[str, Running]) -> None:
    """Collect the dead, do what is asked, and start again what has ended by itself."""
    wanted = set(running)
    while True:
        _collect(running)
        for name, word in _requests():
            wanted.discard(name)
            running[name].stop()
            if word != "stop":
                wanted.add(name)
                _again(name, running)
            (state.REQUESTS / name).unlink()
        for name in list(running):
            needed = [name, *running[name].component.after]
            if running[name].service.exit_code is not None and wanted.issuperset(needed):
                state.tell(f"{name} ended, and is started again")
                _again(name, running)
        process.pause(_POLL)


def _again(name: str, running: dict[str, Running]) -> None:
    """Start one again with those that need it: these would wait for up to a minute before they look for it again."""
    names = {name}
    for one in running.values():  # in the order of their start
        if not names.isdisjoint(one.component.after):
            names.add(one.component.name)
    stopped = [running.pop(one) for one in list(running) if one in names]
    for one in stopped:
        one.stop()
    again = [one.component for one in stopped]
    bring_up(again, state.LOGS, tell=lambda _name: None, known=running, ready=set(running))


def _requests() -> Iterator[tuple[str, str]]:
    for file in state.REQUESTS.glob("[!.]*"):
        yield file.name, file.read_text(encoding="utf-8")


def _collect(running: dict[str, Running]) -> None:
    """Collect orphans, which become the first process's children; ours are awaited elsewhere."""
    ours = {one.service.process.pid for one in running.values()}
    while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and found.si_pid not in ours:
        os.waitpid(found.si_pid, 0)
