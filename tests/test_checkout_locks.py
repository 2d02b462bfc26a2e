"""Runs of CI that meet in one checkout, as processes."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.test_ci import APP, app, ci, start, write

__all__ = ["app"]  # a fixture
CHECK = "  {name}: {{run: '{run}', format: text}}\n"
MEET = "touch {own}.xml; for i in $(seq 600); do [ -e {other}.xml ] && exit 0; sleep 0.1; done; exit 7"
WAITS = "waiting for another run in this checkout: process "


def begun(folder: Path, name: str) -> None:
    """Wait until a command has left a file."""
    deadline = time.monotonic() + 60
    while not (folder / name).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_whole_runs_go_one_after_the_other_and_all_pass(app: Path) -> None:
    alone = "mkdir alone && sleep 0.2 && rmdir alone && echo build >> order"  # mkdir fails where another has it
    write(app, APP.replace("echo build >> order", alone))
    running = [start(app, "build", "unit-tests") for _ in range(4)]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, ended
    assert (app / "order").read_text() == "build\n" * 4


def test_stages_that_do_not_touch_run_side_by_side_as_jenkins_starts_them(app: Path) -> None:
    # Each waits until the other has begun: were they run one after the other, both would fail.
    write(
        app,
        APP
        + CHECK.format(name="dead-code", run=MEET.format(own="a", other="b"))
        + CHECK.format(name="code-standard", run=MEET.format(own="b", other="a")),
    )
    running = [start(app, stage) for stage in ("dead-code", "code-standard")]
    ended = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0], ended
    recorded = json.loads((app / ".jenkins-cd/ci.json").read_text())
    assert {stage["stage"] for stage in recorded["stages"]} == {"dead-code", "code-standard"}


def test_what_a_stage_needs_is_not_made_anew_under_its_hands_but_may_be_read_by_others(app: Path) -> None:
    tests_run = "touch begun.xml; while [ ! -e go.xml ]; do sleep 0.05; done; cat built.xml"
    write(
        app,
        APP.replace("echo build >> order", "rm -f built.xml; sleep 0.3; echo x > built.xml")
        + f"  unit-tests: {{run: '{tests_run}'}}\n",
    )
    assert ci(app, "build")[0] == 0
    tests = start(app, "unit-tests")
    begun(app, "begun.xml")
    assert WAITS not in ci(app, "package")[2]  # it needs the build, too
    rebuilt = start(app, "build")
    assert rebuilt.stderr
    assert f"build  {WAITS}" in rebuilt.stderr.readline()
    (app / "go.xml").touch()
    for process in (tests, rebuilt):
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_wait_says_for_whom_and_can_be_ended(app: Path, number: signal.Signals) -> None:
    write(app, APP.replace("echo build >> order", "touch begun.xml; while [ ! -e go.xml ]; do sleep 0.05; done"))
    first = start(app, "build")
    begun(app, "begun.xml")
    second = start(app, "build")
    assert second.stderr
    assert f"{WAITS}{first.pid} (since " in second.stderr.readline()
    second.send_signal(number)
    second.communicate(timeout=60)
    assert second.returncode == 130
    (app / "go.xml").touch()
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_a_lock_dies_with_its_process(app: Path) -> None:
    write(app, APP.replace("echo build >> order", "touch begun.xml; [ -e go.xml ] || sleep 300"))
    first = start(app, "build")
    begun(app, "begun.xml")
    (app / "go.xml").touch()
    first.kill()
    first.communicate(timeout=60)
    code, _, err = ci(app, "build")
    assert code == 0
    assert WAITS not in err


def test_a_run_that_a_stage_starts_is_part_of_the_run(app: Path) -> None:
    write(
        app,
        APP
        + CHECK.format(name="dead-code", run=f"{sys.executable} -m jenkins_cd ci build code-standard >&2")
        + CHECK.format(name="code-standard", run="true"),
    )
    code, _, err = ci(app, "build", "dead-code", "code-standard")
    assert code == 0, err
    assert WAITS not in err
