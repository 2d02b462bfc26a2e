"""Start programs, and end them with everything that they started. No other room does.

Every program leads a process group of its own, so that it can be ended whole. `stop_all` (Ctrl-C, SIGTERM, SIGHUP, a
failed stage with --fail-fast) ends whatever runs; `run` then raises Stopped in the thread that waited.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from jenkins_cd import files
from jenkins_cd.errors import ExternalFailure, MissingTool, Stopped
from jenkins_cd.masking import last_lines, mask, without_secrets
from jenkins_cd.masking_log import MaskedLog
from jenkins_cd.tools import interrupts, orphans, process_wait, program_environment, secrecy

Recorder = Callable[["Completed"], None]
GRACE = 5.0  # seconds between SIGTERM and SIGKILL
LOOK = 0.05  # seconds between two looks at whether the run is ending
# Whoever aborts a build of Jenkins ends the processes of its step one after another, leaves first, and waits for each:
# a shell whose `sleep` was ended goes on meanwhile and may exit with 0. So an exit code is believed a moment later.
SETTLES = 0.25  # seconds from the end of a program to the signal for us, where it may be on its way
SETTLES_AFTER_SIGNAL = 2.0  # seconds, where the program was itself ended by such a signal
NOTICEABLE = 1.0  # seconds; what took less was hardly what somebody has stopped
JENKINS = ("JENKINS_SERVER_COOKIE", "BUILD_TAG")  # by which Jenkins knows the processes of a step, and of a build
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_lock = threading.RLock()  # the handler of a signal may need it while the main thread has it
_running: dict[int, subprocess.Popen[bytes]] = {}
_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@dataclass(frozen=True)
class Completed:
    """A program that has ended. The streams are text with secrets masked, undecodable bytes replaced.

    What is read for names, paths and digests is read from `raw_stdout` and `raw_stderr`, which have no holes; no person
    is shown them.
    """

    argv: tuple[str, ...]
    exit_code: int  # negative: the signal that ended it
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    raw_stdout: str = field(default="", repr=False)
    raw_stderr: str = field(default="", repr=False)

    @property
    def line(self) -> str:
        """Return the command as a person would type it."""
        return display(self.argv)

    @property
    def output(self) -> str:
        """Return standard error, or standard output where that is empty: where programs say what went wrong."""
        return self.stderr.strip() or self.stdout.strip()

    def require(self, purpose: str, hint: str = "") -> Completed:
        """Return self, or raise ExternalFailure with what the program said where it did not exit with 0."""
        if self.exit_code == 0:
            return self
        ending = "took too long" if self.timed_out else f"exit code {self.exit_code}"
        tail = "\n".join(last_lines(self.output, 12))
        raise ExternalFailure(f"cannot {purpose}: {self.line} ({ending})\n{tail}".rstrip(), hint)


@contextlib.contextmanager
def recording() -> Iterator[list[Completed]]:
    """Yield a list that grows by every program that `run` ends inside this block, in this thread."""
    ended: list[Completed] = []
    token = _recorder.set(ended.append)
    try:
        yield ended
    finally:
        _recorder.reset(token)


def display(argv: Sequence[str]) -> str:
    """Return a command line as a person would type it, secrets masked."""
    if list(argv[:2]) == ["sh", "-c"]:
        return mask(argv[2])
    return mask(shlex.join(argv))


@interrupts.undisturbed()
def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
    log: Path | None = None,
    install: str = "",
    trusted: bool = True,
) -> Completed:
    """Run a program from a list and wait for it.

    `env` is added to this process's environment without our secrets, changed so that programs print the same on every
    agent (`program_environment`). `timeout` is in seconds; both streams are also appended to `log` as they come.
    `install` is the command that installs the program, for the message where it is missing. A program that is not
    `trusted` (the app's own) cannot look into us, and nothing of it outlives it.
    Raises MissingTool, and Stopped where the run was ended from outside.
    """
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        brood = None if trusted else stack.enter_context(orphans.ended())
        process = _start(argv, cwd, env, stdin is not None, install, brood=brood)
        stack.callback(_forget, process)
        sink = stack.enter_context(_appending(log)) if log else None
        streams = [bytearray(), bytearray()]
        unwritten: list[OSError] = []  # why the log took no more
        readers = [
            threading.Thread(target=_drain, args=(pipe, data, sink, unwritten), daemon=True)
            for pipe, data in zip((process.stdout, process.stderr), streams, strict=True)
        ]
        for reader in readers:
            reader.start()
        timed_out = _wait(process, stdin, timeout)
        for reader in readers:
            reader.join(1.0)
        if any(reader.is_alive() for reader in readers):  # something it started still holds the pipes
            _signal(process, signal.SIGKILL)
            if brood:
                orphans.end(brood)
            for reader in readers:
                reader.join(1.0)
        _require_written(unwritten)
    if not timed_out and (not trusted or time.monotonic() - started >= NOTICEABLE):
        _settle(process.returncode)
    if interrupts.run.stopping:
        raise Stopped(f"{display(argv)} was stopped")
    out, err = (bytes(data).decode("utf-8", "replace") for data in streams)
    seconds = time.monotonic() - started
    completed = Completed(tuple(argv), process.returncode, mask(out), mask(err), seconds, timed_out, out, err)
    if record := _recorder.get():
        record(completed)
    return completed


def shell(
    script: str,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    log: Path | None = None,
) -> Completed:
    """Run a command of the user's own (`run:` in cd.yaml) through `sh`. Nothing of ours is put into the script."""
    return run(["sh", "-c", script], cwd=cwd, env=env, timeout=timeout, log=log, trusted=False)


@dataclass(frozen=True)
class Service:
    """A program that keeps running until `stop`, or until the run ends."""

    argv: tuple[str, ...]
    process: subprocess.Popen[bytes]

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, None as long as it runs."""
        return self.process.poll()

    @interrupts.undisturbed()
    def stop(self) -> None:
        """End it with everything that it started. Stopping twice is allowed."""
        with _lock:
            known = _running.pop(self.process.pid, None)
        if known is not None:  # else the number may be another program's by now
            _end(self.process)
            orphans.forget(self.process.pid)


@interrupts.undisturbed()
def serve(
    argv: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    install: str = "",
) -> Service:
    """Start a program and return at once; both streams are appended to `log`. Raises as `run` does."""
    with files.appending(log) as sink:
        return Service(tuple(argv), _start(argv, cwd, env, False, install, sink))


@interrupts.undisturbed()
def attached(argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> int:
    """Run a program that speaks for itself, on our own standard output and error; returns its exit code.

    Raises as `run` does. What it prints is not masked: it is meant for programs that do so themselves.
    """
    process = _start(argv, cwd, env, False, "", inherit=True)
    try:
        _wait(process, None, None)
    finally:
        _forget(process)
    if interrupts.run.stopping:
        raise Stopped(f"{display(argv)} was stopped")
    return process.returncode


def stop_all() -> None:
    """End every program that runs, group by group, and refuse new ones until `interruptible` begins anew."""
    interrupts.run.stopping = True
    with _lock:
        processes = list(_running.values())
    for process in processes:
        _signal(process, signal.SIGTERM)


def pause(seconds: float) -> None:
    """Sleep, or raise Stopped at once when the run is ending."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not interrupts.run.stopping:
        time.sleep(min(left, 0.05))
    if interrupts.run.stopping:
        raise Stopped("stopped while waiting")


def interruptible() -> AbstractContextManager[None]:
    """Turn SIGINT, SIGTERM, SIGHUP into Interrupted, raised in the main thread once every program was told to end."""
    return interrupts.interruptible(stop_all)


def _start(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    feed: bool,
    install: str,
    sink: IO[bytes] | None = None,
    inherit: bool = False,
    brood: orphans.Brood | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program; one that has a `brood` is not ours, and is started with fewer rights."""
    if interrupts.run.stopping:
        raise Stopped(f"{display(argv)} was not started: the run is ending")
    if cwd is not None and not cwd.is_dir():
        raise ExternalFailure(f"{display(argv)} cannot run in {cwd}: no such directory")
    output = None if inherit else sink or subprocess.PIPE
    given = without_secrets(os.environ)
    own = {**(brood.variables if brood else {}), **(env or {})}
    variables = {**(given if inherit else program_environment.fixed(given, cwd)), **own}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=variables,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    secrecy.hide()
    if brood:
        secrecy.shut()
    try:
        with orphans.child() as register:
            process = secrecy.with_fewer_rights(start) if brood else start()
            register(process.pid)
    except FileNotFoundError as error:
        raise MissingTool(argv[0], install) from error
    except OSError as error:
        raise ExternalFailure(f"{display(argv)} cannot be started: {error.strerror}") from error
    with _lock:
        _running[process.pid] = process
    if interrupts.run.stopping:  # `stop_all` has looked before this one was there
        _signal(process, signal.SIGTERM)
    return process


def _forget(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:  # an exception is on its way through us
        _end(process)
    with _lock:
        _running.pop(process.pid, None)
    orphans.forget(process.pid)


def ended_by_signal(exit_code: int) -> bool:
    """Tell whether a program, or a shell's last command, was told to end from outside."""
    return exit_code in {code for number in _ENDING for code in (-number, 128 + number)}


def _settle(exit_code: int) -> None:
    """Wait for the signal that may be on its way to us too, after a program has ended."""
    wait = SETTLES if any(name in os.environ for name in JENKINS) else 0.0
    deadline = time.monotonic() + (SETTLES_AFTER_SIGNAL if ended_by_signal(exit_code) else wait)
    while not interrupts.run.stopping and time.monotonic() < deadline:
        time.sleep(0.01)


@contextlib.contextmanager
def _appending(log: Path) -> Iterator[IO[bytes]]:
    """Open a log. What cannot be written to it raises OSError that names it."""
    with files.named(log), files.appending(log) as sink:
        yield sink


def _require_written(unwritten: Sequence[OSError]) -> None:
    for error in unwritten:
        raise error


def _drain(pipe: IO[bytes], data: bytearray, sink: IO[bytes] | None, unwritten: list[OSError]) -> None:
    """Read a pipe to its end, also where the log takes no more: `unwritten` then gets the reason."""
    log = MaskedLog(partial(_append, sink, unwritten)) if sink else None
    with pipe:
        for line in pipe:
            data += line
            if log:
                log.write(line.decode("utf-8", "replace"))
    if log:
        log.flush()


def _append(sink: IO[bytes], unwritten: list[OSError], text: str) -> None:
    try:
        if not unwritten:
            sink.write(text.encode())
            sink.flush()
    except OSError as error:
        unwritten.append(error)


def _wait(process: subprocess.Popen[bytes], stdin: bytes | None, timeout: float | None) -> bool:
    """Wait for the end; returns whether it had to be forced by the timeout."""
    if stdin is not None and process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
            pipe.write(stdin)
    deadline = None if timeout is None else time.monotonic() + timeout
    with process_wait.watched(process) as ended_within:
        while process.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                _end(process)
                return True
            if interrupts.run.stopping:
                _end(process)
                return False
            ended_within(LOOK)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, signal.SIGKILL)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
