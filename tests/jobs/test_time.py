from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from jenkins_cd.jobs import remote_build
from tests.jobs.bench import ITEM, JOB, LOG, PATH, Bench, Clock, Meanwhile, until_aborted


def test_when_the_time_is_over_the_build_is_left_and_where_it_goes_on_is_told(bench: Bench, clock: Clock) -> None:
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), clock.strike):
        code, _, err = bench.trigger("--timeout", "20m")
    assert code == 3
    assert f"{JOB} has not ended after 20 min 00 s: build #1 goes on: {bench.double.url}/{PATH}/1/" in err
    assert bench.builds[1].building


def test_when_the_time_is_over_the_build_is_aborted_where_that_is_wanted(bench: Bench, clock: Clock) -> None:
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), clock.strike):
        code, _, err = bench.trigger("--on-timeout", "abort")
    assert code == 3
    assert f"{JOB} has not ended after 30 min 00 s: build #1 was aborted: {bench.double.url}/{PATH}/1/" in err
    assert bench.builds[1].result == "ABORTED"


def test_a_build_that_will_not_stop_is_told_as_such(
    bench: Bench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_build, "STOP_GRACE", 0.1)
    over = threading.Event()
    bench.work = lambda _build: "SUCCESS" if over.wait(60) else "FAILURE"
    with Meanwhile(lambda: bench.asked(LOG), clock.strike):
        code, _, err = bench.trigger("--on-timeout", "abort")
    over.set()
    assert code == 3
    assert "build #1 was told to stop, and still runs" in err


def test_when_the_time_is_over_in_the_queue_the_item_waits_on(bench: Bench, clock: Clock) -> None:
    bench.double.queue.hold()
    with Meanwhile(lambda: bench.asked(ITEM), clock.strike):
        code, _, err = bench.trigger()
    assert code == 3
    assert f"queue item 1 waits on: {bench.double.url}/queue/item/1/" in err


def test_when_the_time_is_over_in_the_queue_the_item_is_cancelled_where_that_is_wanted(
    bench: Bench, clock: Clock
) -> None:
    bench.double.queue.hold()
    with Meanwhile(lambda: bench.asked(ITEM), clock.strike):
        code, _, err = bench.trigger("--on-timeout", "abort")
    assert code == 3
    assert "queue item 1 was cancelled" in err
    assert bench.double.queue.waiting() == []


def test_an_abort_that_is_not_allowed_is_told(bench: Bench, clock: Clock) -> None:
    bench.user.denied.add("Job/Cancel")
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), clock.strike):
        code, _, err = bench.trigger("--on-timeout", "abort")
    assert code == 3
    assert "it could not be aborted" in err
    assert "robot is missing the Job/Cancel permission" in err
    assert bench.builds[1].building


def test_a_controller_that_stays_away_until_the_time_is_over_is_told_with_what_may_go_on(
    bench: Bench, clock: Clock
) -> None:
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), bench.double.down, clock.missed, clock.strike):
        code, _, err = bench.trigger()
    assert code == 3
    assert "Connection refused" in err
    assert "not ended after 30 min 00 s: build #1 goes on" in err


def test_a_controller_that_was_never_there_is_told_when_the_time_is_over(bench: Bench) -> None:
    bench.double.down()
    code, _, err = bench.trigger("--timeout", "300ms", wait=False)
    assert code == 3
    assert "nothing was started that we know of" in err


def test_a_build_that_is_deleted_cannot_be_known(bench: Bench) -> None:
    bench.work = until_aborted
    with Meanwhile(lambda: bench.asked(LOG), lambda: bench.builds.clear()):
        code, _, err = bench.trigger()
    assert code == 1
    assert "its result cannot be known" in err


def test_ctrl_c_says_where_the_build_goes_on(bench: Bench) -> None:
    bench.work = until_aborted
    process = subprocess.Popen(
        [sys.executable, "-m", "jenkins_cd", *bench.arguments(), "--wait"],
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    bench.asked(LOG)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped by SIGINT: build #1 goes on: " in err
    assert "Traceback" not in err
    assert bench.builds[1].building
