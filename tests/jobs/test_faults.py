from __future__ import annotations

import re

import pytest

from jenkins_cd.jobs import remote_build
from tests.jenkins.controller import RunningBuild
from tests.jenkins.controller.answers import not_found
from tests.jobs.bench import (
    BUILD,
    FIND,
    ITEM,
    JOB,
    LOG,
    PARAMETERS,
    PASSWORD,
    QUEUE,
    START,
    Bench,
    Clock,
    Meanwhile,
    two_lines,
)


def test_a_cancelled_item_is_told_as_such(bench: Bench) -> None:
    bench.double.queue.hold()
    with Meanwhile(lambda: bench.asked(ITEM), lambda: bench.double.queue.cancel(1)):
        code, _, err = bench.trigger()
    assert code == 1
    assert f"queue item 1 of {JOB} was cancelled before it ran" in err


def test_what_it_waits_for_in_the_queue_is_told_once(bench: Bench) -> None:
    bench.double.queue.executors = 0

    def free() -> None:
        bench.asked(ITEM, times=3)
        bench.double.queue.executors = 1
        bench.double.queue.hold(held=False)

    with Meanwhile(free):
        code, _, err = bench.trigger()
    assert code == 0
    assert err.count("waiting in the queue: Waiting for next available executor") == 1


def test_an_item_that_a_restart_forgot_is_found_as_the_build_that_it_became(bench: Bench) -> None:
    bench.double.faults.starting(times=None, on=ITEM)

    def work(build: RunningBuild) -> str:
        bench.asked(ITEM)
        bench.double.queue.forget(build.queue_id)
        bench.double.faults.clear()
        return "SUCCESS"

    bench.work = work
    code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out
    assert len(bench.builds) == 1


def test_an_item_that_is_lost_is_found_by_its_parameters_under_another_number(bench: Bench) -> None:
    other = bench.double.schedule(JOB, PARAMETERS)  # the same deployment, but before we asked: not ours
    other.wait(30)
    bench.double.queue.hold()
    bench.double.faults.starting(times=None, on=ITEM)
    bench.work = two_lines()

    def lose() -> None:
        bench.asked(ITEM)
        bench.double.queue.forget(2)
        bench.double.queue.hold(held=False)
        bench.double.schedule(JOB, {**PARAMETERS, "APP": "other"}).wait(30)
        bench.double.schedule(JOB, PARAMETERS).wait(30)
        bench.double.faults.clear()

    with Meanwhile(lose):
        code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #3: SUCCESS" in out


def test_an_item_that_is_lost_for_good_is_told_as_such(bench: Bench) -> None:
    bench.double.queue.hold()
    with Meanwhile(lambda: bench.asked(ITEM), lambda: bench.double.restart(lose_queue=True)):
        code, _, err = bench.trigger()
    assert code == 3
    assert f"queue item 1 of {JOB} is lost, and no build came from it" in err
    assert "next: a restart of the controller may have lost it: start it again" in err


def test_a_restart_while_it_waits_in_the_queue_is_survived(bench: Bench) -> None:
    bench.double.queue.hold()
    with Meanwhile(lambda: bench.asked(ITEM), bench.double.restart):
        code, _, _ = bench.trigger()
    assert code == 0
    assert len(bench.builds) == 1


def test_a_restart_while_it_runs_is_told_once_and_loses_no_line(bench: Bench, clock: Clock) -> None:
    def restart() -> None:
        bench.asked_again(LOG)
        bench.double.down()
        clock.missed()
        bench.double.up()

    bench.work = two_lines(restart)
    code, out, err = bench.trigger()
    assert code == 0
    assert out.count("first line\n") == out.count("second line\n") == 1
    assert err.count("waiting for it") == 1
    assert err.count("the server is back") == 1


def test_a_controller_that_is_down_is_waited_for_before_anything_is_started(bench: Bench, clock: Clock) -> None:
    bench.double.down()
    with Meanwhile(clock.missed, bench.double.up):
        code, _, err = bench.trigger()
    assert code == 0
    assert "Connection refused" in err
    assert len(bench.builds) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("on", [FIND, ITEM, LOG, BUILD])
def test_a_gateway_without_its_controller_is_waited_for(bench: Bench, status: int, on: str) -> None:
    bench.double.faults.gateway(status, times=2, on=on)
    code, _, err = bench.trigger()
    assert code == 0
    assert f"is not available (HTTP {status}); waiting for it" in err
    assert len(bench.double.faults.hits) == 2


@pytest.mark.parametrize("on", [ITEM, LOG])
def test_a_connection_that_is_cut_is_no_answer_and_asked_again(bench: Bench, on: str) -> None:
    bench.double.faults.cut(times=1, on=on)
    assert bench.trigger()[0] == 0


@pytest.mark.parametrize("on", [ITEM, LOG])
def test_a_page_of_errors_is_survived_and_not_shown(bench: Bench, on: str) -> None:
    bench.double.faults.broken(times=2, on=on)
    code, out, err = bench.trigger()
    assert code == 0
    assert "HTTP 500" in err
    assert "stack trace" not in (out + err).lower()


def test_a_server_that_never_was_a_jenkins_is_not_waited_for(bench: Bench) -> None:
    bench.double.faults.broken(times=None)
    code, _, err = bench.trigger()
    assert code == 3
    assert "HTTP 500" in err


def test_a_start_that_was_not_accepted_for_certain_is_sent_again(bench: Bench) -> None:
    bench.double.faults.starting(times=2, on=START)
    code, _, err = bench.trigger()
    assert code == 0
    assert f"{bench.double.url} is starting; waiting for it" in err
    assert len(bench.builds) == 1


def test_a_start_that_got_lost_is_sent_again_once_that_is_known(bench: Bench) -> None:
    bench.double.faults.gateway(502, times=2, on=START)
    code, _, err = bench.trigger()
    assert code == 0
    assert err.count("looking whether it was accepted") == 1
    assert bench.sent(START) == 3
    assert len(bench.builds) == 1


@pytest.mark.parametrize("held", [True, False])
def test_a_start_whose_answer_got_lost_is_not_sent_again(bench: Bench, held: bool) -> None:
    bench.double.queue.hold(held)
    bench.double.faults.cut(times=1, on=START, late=True)
    with Meanwhile(lambda: bench.asked(QUEUE), lambda: bench.double.queue.hold(held=False)):
        code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out
    assert bench.sent(START) == 1
    assert len(bench.builds) == 1


def test_a_log_that_comes_late_is_shown_whole(bench: Bench) -> None:
    bench.double.faults.log_delay = 0.7
    bench.work = two_lines()
    code, out, _ = bench.trigger()
    assert code == 0
    assert "first line\nsecond line\nFinished: SUCCESS\n" in out


def test_a_log_that_never_ends_does_not_keep_the_result(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_build, "LOG_GRACE", 0.1)
    bench.double.faults.log_delay = 3600
    code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out


def test_no_byte_of_the_log_is_fetched_twice(bench: Bench) -> None:
    bench.work = two_lines(lambda: bench.asked_again(LOG, times=2))
    code, told, _ = bench.trigger()
    assert code == 0
    starts = [int(one.rpartition("=")[2]) for one in bench.double.requests if re.fullmatch(LOG, one)]
    assert starts == sorted(starts)  # the first may be asked for again, as long as there is nothing yet
    assert starts[0] == 0 < starts[-1]
    lines = told.splitlines()
    assert len(lines) == len(set(lines))


def test_a_crumb_that_a_restart_made_stale_is_renewed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", PASSWORD)  # only those with a password need a crumb
    faults = bench.double.faults
    faults.starting(times=None, on=START)
    with Meanwhile(lambda: bench.asked(START), faults.stale_crumbs, faults.clear):
        code, _, _ = bench.trigger()
    assert code == 0
    assert bench.sent(r"GET /crumbIssuer/.*") == 2
    assert len(bench.builds) == 1


def test_a_proxy_that_loses_the_crumb_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", PASSWORD)
    bench.double.faults.answer(not_found().answer, times=None, on=r"GET /crumbIssuer/.*")
    code, _, err = bench.trigger()
    assert code == 4
    assert "No valid crumb was included in the request" in err
    assert "use an API token" in err
