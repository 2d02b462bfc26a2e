"""The step sh: a real process, run and ended as the durable task plugin does it.

https://www.jenkins.io/doc/pipeline/steps/workflow-durable-task-step/
"""
# ruff: noqa: N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import BinaryIO

from tests.jenkins.steps.errors import aborted
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step

COOKIE = "JENKINS_SERVER_COOKIE"
LOOK = 0.02  # seconds between looks at a process
GRACE = 10.0  # seconds from SIGTERM to SIGKILL
SOFT = 5.0  # seconds that one process is waited for before the next one's turn


@step(node=True)
def sh(
    at: Running,
    script: str,
    returnStatus: bool = False,
    returnStdout: bool = False,
    label: str = "",
    encoding: str = "UTF-8",
) -> str | int | None:
    at.folder.mkdir(parents=True, exist_ok=True)
    at.temporary.mkdir(parents=True, exist_ok=True)
    control = Path(tempfile.mkdtemp(prefix="durable-", dir=at.temporary))
    try:
        code = _run(at, script, control, separate=returnStdout, encoding=encoding)
        output = (control / "output.txt").read_bytes().decode(encoding) if returnStdout else ""
    finally:
        shutil.rmtree(control, ignore_errors=True)
    if at.stopped:
        raise at.stopped
    if returnStatus:
        return code
    if code:
        raise aborted(f"script returned exit code {code}")
    return output if returnStdout else None


def _run(at: Running, script: str, control: Path, *, separate: bool, encoding: str) -> int:
    file = control / "script.sh"
    file.write_text(script, encoding=encoding)
    file.chmod(0o755)
    command = [str(file)] if script.startswith("#!") else ["sh", "-xe", str(file)]
    cookie = f"durable-{control.name}"
    environment = {**at.environment, COOKIE: cookie}
    with (control / "log.txt").open("w+b") as log, (control / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=at.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output if separate else log,
            stderr=log,
            start_new_session=True,
        )
        # In a thread of its own: an abort ends the processes of all branches at the same time.
        wake = threading.Event()
        guard = threading.Thread(target=_interrupt, args=(at, process, cookie, wake), daemon=True)
        guard.start()
        at.on_stop(wake.set)
        code = _follow(at, process, control / "log.txt", encoding)
    wake.set()
    guard.join()
    return code


def _follow(at: Running, process: subprocess.Popen[bytes], log: Path, encoding: str) -> int:
    with log.open("rb") as reading:
        while process.poll() is None:
            _pass_on(at, reading, encoding)
            time.sleep(LOOK)
        _pass_on(at, reading, encoding)
        if rest := reading.read():
            at.log(rest.decode(encoding, "replace"))
    return 128 - process.returncode if process.returncode < 0 else process.returncode


def _pass_on(at: Running, reading: BinaryIO, encoding: str) -> None:
    """Give whole lines to the console, and leave the beginning of the next."""
    text = reading.read()
    whole = text[: text.rfind(b"\n") + 1]
    reading.seek(len(whole) - len(text), os.SEEK_CUR)
    if whole:
        at.log(whole.decode(encoding, "replace"))


def _interrupt(at: Running, process: subprocess.Popen[bytes], cookie: str, wake: threading.Event) -> None:
    wake.wait()
    if at.stopped:
        at.log("Sending interrupt signal to process")
        end_processes(COOKIE, cookie, group=process.pid)


def end_processes(variable: str, value: str, group: int = 0) -> None:
    """End what has the variable in its environment, as Jenkins' process killer does, and a process group.

    One after another, leaves first, each waited for (hudson.util.ProcessTree): who waits for a leaf goes on meanwhile.
    """
    wanted = f"{variable}={value}".encode()
    for number in (signal.SIGTERM, signal.SIGKILL):
        told: set[int] = set()
        deadline = time.monotonic() + GRACE
        while (processes := _processes(wanted, group)) and time.monotonic() < deadline:
            for each in _leaves_first(processes):
                if each not in told:
                    told.add(each)
                    _signal(each, number)
                    _wait_for(each)
            time.sleep(LOOK)


def _wait_for(process: int) -> None:
    deadline = time.monotonic() + SOFT
    while time.monotonic() < deadline and _stat(Path(f"/proc/{process}")):
        time.sleep(LOOK)


def _leaves_first(processes: dict[int, int]) -> list[int]:
    """Return the processes of `processes` (parent by process) with every child before its parent."""

    def depth(process: int) -> int:
        return 1 + depth(processes[process]) if process in processes else 0

    return sorted(processes, key=depth, reverse=True)


def _processes(wanted: bytes, group: int) -> dict[int, int]:
    """Return those that are to end, each with its parent."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (stat := _stat(folder)):
            parent, process_group = stat
            if (group > 0 and process_group == group) or _has(folder, wanted):
                found[int(folder.name)] = parent
    return found


def _stat(folder: Path) -> tuple[int, int] | None:
    """Return parent and process group of a process; None where it has ended."""
    try:
        state, parent, group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else (int(parent), int(group))


def _has(folder: Path, wanted: bytes) -> bool:
    try:
        return wanted in (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _signal(process: int, number: signal.Signals) -> None:
    try:
        os.kill(process, number)
    except OSError:
        return
