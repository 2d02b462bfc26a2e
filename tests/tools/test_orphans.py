"""Nothing that an app's program starts outlives it, wherever it hides."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.tools import process
from tests import programs
from tests.tools.test_process import eventually

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="orphans are found in /proc"),
    pytest.mark.usefixtures("terminal"),
]


@pytest.fixture(autouse=True)
def nothing_else_is_stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(process, "_running", {})
    yield
    with process.interruptible():
        pass


def started(file: Path) -> int:
    """Return the number that a program has written into a file, once it is there."""
    assert eventually(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


DAEMON = """\
import os, sys, time
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(300)
"""
WAYS = {
    "in the background": "sleep 300 >/dev/null 2>&1 & echo $! > {file}",
    "in a session of its own": "setsid sh -c 'echo $$ > {file}; exec sleep 300' >/dev/null 2>&1 &",
    "twice a daemon": "{python} -c '{daemon}' {file} >/dev/null 2>&1",
    "with the pipes held": "{python} -c '{daemon}' {file}",
    "without its environment": "env -i {python} -c '{daemon}' {file} >/dev/null 2>&1",
    "with a mark of its own": "JENKINS_CD_STARTED=other {python} -c '{daemon}' {file} >/dev/null 2>&1",
    "deaf to SIGTERM": "setsid sh -c 'trap \"\" TERM; echo $$ > {file}; while sleep 1; do :; done' >/dev/null 2>&1 &",
    "with children": "setsid sh -c 'setsid sleep 300 & echo $! > {file}; wait' >/dev/null 2>&1 &",
}
WAIT = "\nwhile ! [ -s {file} ]; do sleep 0.05; done"


@pytest.mark.parametrize("way", WAYS)
def test_what_an_apps_program_leaves_behind_is_ended_with_it(tmp_path: Path, way: str) -> None:
    file, daemon = tmp_path / "pid", DAEMON.replace('"w"', "chr(119)")
    script = (WAYS[way] + WAIT).format(file=file, python=sys.executable, daemon=daemon)
    done = process.shell(script, cwd=tmp_path, timeout=60)
    assert done.exit_code == 0
    assert not programs.runs(started(file))


@pytest.mark.parametrize("way", ["in a session of its own", "twice a daemon"])
def test_it_is_ended_also_where_the_program_takes_too_long(tmp_path: Path, way: str) -> None:
    file, daemon = tmp_path / "pid", DAEMON.replace('"w"', "chr(119)")
    script = (WAYS[way] + WAIT).format(file=file, python=sys.executable, daemon=daemon) + "; sleep 300"
    assert process.shell(script, cwd=tmp_path, timeout=2).timed_out
    assert not programs.runs(started(file))


def test_what_others_have_started_in_this_process_is_left_alone(tmp_path: Path) -> None:
    others = [subprocess.Popen(["sleep", "300"], start_new_session=own) for own in (True, False)]
    service = process.serve(["sleep", "300"], log=tmp_path / "log")
    try:
        process.shell("true", cwd=tmp_path)
        assert [one.poll() for one in others] == [None, None]
        assert service.exit_code is None
    finally:
        service.stop()
        for one in others:
            one.kill()
            one.wait()


def test_the_daemon_of_a_program_that_still_runs_is_left_alone(tmp_path: Path) -> None:
    file, ended = tmp_path / "pid", tmp_path / "ended"
    script = WAYS["in a session of its own"].format(file=file) + f"\nwhile ! [ -e {ended} ]; do sleep 0.05; done"
    thread = threading.Thread(target=process.shell, args=(script,), kwargs={"cwd": tmp_path, "timeout": 60})
    thread.start()
    pid = started(file)
    process.shell("true", cwd=tmp_path)
    assert programs.runs(pid)
    ended.touch()
    thread.join()
    assert not programs.runs(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_us_ends_it_too(tmp_path: Path, number: signal.Signals) -> None:
    script = WAYS["in a session of its own"].format(file=tmp_path / "pid") + "\nsleep 300"
    program = (
        "from pathlib import Path; from jenkins_cd.tools import process\n"
        f"with process.interruptible():\n    process.shell({script!r}, cwd=Path('/'))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    pid = started(tmp_path / "pid")
    parent.send_signal(number)
    _, stderr = parent.communicate(timeout=30)
    assert f"Interrupted: stopped by {number.name}".encode() in stderr
    assert not programs.runs(pid)


def test_a_run_that_is_to_outlive_its_terminal_does(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from jenkins_cd.tools import process\n"
        "with process.interruptible():\n"
        f"    print(process.shell('echo $$ > {tmp_path}/pid; sleep 1; echo done', cwd=Path('/')).stdout)\n"
    )
    parent = subprocess.Popen(["nohup", sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started(tmp_path / "pid")
    parent.send_signal(signal.SIGHUP)
    assert parent.communicate(timeout=30)[0].strip() == b"done"
