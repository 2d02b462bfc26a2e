from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import masking
from jenkins_cd.errors import ExternalFailure, Interrupted, MissingTool, Stopped
from jenkins_cd.tools import process
from tests import programs

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture(autouse=True)
def nothing_else_is_stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(process, "_running", {})  # the registry of other tests, above all
    yield
    with process.interruptible():
        pass


def eventually(what: object, *arguments: object) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if what(*arguments):  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False


def test_both_streams_the_exit_code_and_the_time_come_back() -> None:
    done = process.run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.stdout, done.stderr, done.exit_code) == ("out\n", "err\n", 3)
    assert done.seconds > 0


def test_arguments_reach_the_program_as_they_are() -> None:
    hostile = ["$(id)", "; rm -rf /", "a b", "'\"", "new\nline"]
    done = process.run([sys.executable, "-c", "import sys; print(sys.argv[1:])", *hostile])
    assert done.stdout.strip() == str(hostile)


def test_standard_input_is_fed_and_empty_by_default() -> None:
    assert process.run(["cat"], stdin=b"hello").stdout == "hello"
    assert process.run(["cat"]).stdout == ""


def test_a_large_output_on_both_streams_does_not_block() -> None:
    done = process.run(["sh", "-c", "yes out | head -c 3000000; yes err | head -c 3000000 >&2"], timeout=60)
    assert (len(done.stdout), len(done.stderr)) == (3_000_000, 3_000_000)


def test_the_log_has_both_streams_and_no_secret(tmp_path: Path) -> None:
    masking.register("canary-of-the-log")
    done = process.run(["sh", "-c", "echo canary-of-the-log; echo err >&2"], log=tmp_path / "log")
    assert done.stdout == "****\n"
    assert sorted((tmp_path / "log").read_text().splitlines()) == ["****", "err"]


SECRETS = {
    "JENKINS_CD_REGISTRY_PASSWORD": "sesame-1",
    "JENKINS_CD_GIT_PASSWORD_FILE": "/run/sesame-2",
    "JENKINS_CD_GIT_SSH_KEY": "/run/sesame-3",
    "JENKINS_CD_JENKINS_TOKEN": "sesame-4",
    "JENKINS_TOKEN": "sesame-5",
}


def test_programs_read_what_another_wrote_and_people_what_has_no_secret_in_it() -> None:
    masking.register("canary-of-the-streams")
    done = process.run(["sh", "-c", "echo charts/canary-of-the-streams; echo err canary-of-the-streams >&2; exit 1"])
    assert (done.raw_stdout, done.raw_stderr) == ("charts/canary-of-the-streams\n", "err canary-of-the-streams\n")
    assert (done.stdout, done.stderr, done.output) == ("charts/****\n", "err ****\n", "err ****")
    with pytest.raises(ExternalFailure) as caught:
        done.require("do it")
    assert "canary" not in repr(done).partition("stdout=")[2] + caught.value.message


@pytest.mark.parametrize("columns", [64, 76])
def test_a_log_has_no_base64_of_a_secret_over_several_lines(tmp_path: Path, columns: int) -> None:
    secret = masking.register("canary/of a log that is long enough for more than one line of base64 and then some")
    done = process.run(["base64", "-w", str(columns)], stdin=f"robot:{secret}".encode(), log=tmp_path / "log")
    lines = done.raw_stdout.splitlines()
    assert len(lines) > 1
    shown = (tmp_path / "log").read_text() + done.stdout
    assert not any(line[12:30] in shown for line in lines if len(line) > 30)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "JENKINS_CD_GIT_USERNAME": "robot"}.items():
        monkeypatch.setenv(name, value)


def test_a_program_of_the_apps_own_sees_no_secret_of_ours(secrets: None, tmp_path: Path) -> None:
    seen = process.run(["env"], trusted=False).stdout
    assert "sesame" not in seen
    assert "JENKINS_CD_GIT_USERNAME=robot" in seen
    assert "sesame" not in process.shell("env; cat /proc/self/environ | tr '\\0' '\\n'", cwd=tmp_path).stdout


def test_what_it_is_given_expressly_it_sees(secrets: None) -> None:
    seen = process.run(["env"], trusted=False, env={"JENKINS_CD_VERSION": "1.0.0", "JENKINS_TOKEN": "of-the-app"})
    assert "JENKINS_CD_VERSION=1.0.0\n" in seen.stdout
    assert "JENKINS_TOKEN=of-the-app\n" in seen.stdout


def test_a_program_of_ours_sees_only_those_that_it_is_given(secrets: None) -> None:
    seen = process.run(["env"], env={"JENKINS_CD_GIT_PASSWORD": "sesame-6"}).stdout
    assert [line for line in seen.splitlines() if "sesame" in line] == ["JENKINS_CD_GIT_PASSWORD=sesame-6"]


def test_a_missing_program_is_named_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingTool, match="no-such-program is not installed") as raised:
        process.run(["no-such-program"], install="apt-get install no-such-program")
    assert raised.value.hint == "apt-get install no-such-program"


def test_a_folder_that_is_not_there_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match="no such directory"):
        process.run(["true"], cwd=tmp_path / "gone")


def test_a_failure_that_matters_says_what_ran_and_what_it_said() -> None:
    with pytest.raises(ExternalFailure) as raised:
        process.run(["sh", "-c", "echo no space left >&2; exit 1"]).require("push the image", "free some")
    assert "cannot push the image" in raised.value.message
    assert "no space left" in raised.value.message
    assert raised.value.hint == "free some"


def test_a_timeout_ends_the_whole_group(tmp_path: Path) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/pid; wait"
    done = process.run(["sh", "-c", script], timeout=0.5)
    assert done.timed_out
    assert done.exit_code != 0
    assert eventually(lambda: not programs.runs(int((tmp_path / "pid").read_text())))


def test_a_child_left_in_the_background_does_not_hold_us_up(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = process.run(["sh", "-c", f"sleep 300 & echo $! > {tmp_path}/pid; echo done"])
    assert done.stdout == "done\n"
    assert time.monotonic() - begun < 60
    assert eventually(lambda: not programs.runs(int((tmp_path / "pid").read_text())))


def test_stopping_ends_what_runs_and_refuses_what_would_start(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def work() -> None:
        try:
            process.run(["sh", "-c", f"sleep 300 & echo $! > {tmp_path}/pid; wait"])
        except Stopped as stopped:
            failures.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    assert eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    process.stop_all()
    thread.join(20)
    assert len(failures) == 1
    assert eventually(lambda: not programs.runs(int((tmp_path / "pid").read_text())))
    with pytest.raises(Stopped, match="was not started"):
        process.run(["true"])


def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE", 0.3)
    done = process.run(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], timeout=0.3)
    assert done.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_becomes_interrupted_and_ends_the_programs(number: signal.Signals) -> None:
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
    with process.interruptible(), pytest.raises(Interrupted, match=number.name):
        process.run(["sleep", "300"])


def test_a_signal_while_a_program_is_being_started_leaves_none_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begin = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        process = begin(*arguments, **options)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)
        (tmp_path / "pid").write_text(str(process.pid))
        return process

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with process.interruptible(), pytest.raises(Interrupted, match="SIGTERM"):
        process.run(["sleep", "300"])
    assert not programs.runs(int((tmp_path / "pid").read_text()))


def test_a_signal_to_the_command_line_leaves_no_process_behind(tmp_path: Path) -> None:
    program = (
        "from jenkins_cd.tools import process\n"
        "with process.interruptible():\n"
        f"    process.run(['sh', '-c', 'sleep 300 & echo $! > {tmp_path}/pid; wait'])\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    assert eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
    parent.send_signal(signal.SIGTERM)
    _, stderr = parent.communicate(timeout=30)
    assert b"Interrupted: stopped by SIGTERM" in stderr
    assert eventually(lambda: not programs.runs(int((tmp_path / "pid").read_text())))
