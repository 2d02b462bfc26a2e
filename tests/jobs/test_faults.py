from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from jenkins_cd.jobs import patience, remote_build
from tests.jenkins.controller import RunningBuild
from tests.jenkins.controller.answers import Answer, container_error, gateway, not_found, oops, page
from tests.jenkins.controller.configs import pipeline
from tests.jobs.bench import (
    BUILD,
    FIND,
    ITEM,
    JOB,
    LOG,
    PARAMETERS,
    PASSWORD,
    PATH,
    QUEUE,
    START,
    Bench,
    Clock,
    Meanwhile,
    two_lines,
)

ELSEWHERE = "http://jenkins.example"
UNREADABLE = {  # what a proxy, a login page or the controller may say to a start that it has accepted, or not
    "cut": None,
    "201 without Location": Answer(status=201),
    "201 to the job": Answer(status=201, headers={"Location": f"/{PATH}/"}),
    "201 to another controller": Answer(status=201, headers={"Location": f"{ELSEWHERE}/queue/item/77/"}),
    "201 to no number": Answer(status=201, headers={"Location": "/queue/item/-1/"}),
    "200 with a page": page("Sign in", "<form/>"),
    "200 with null": Answer(body=b"null", type="application/json"),
    "204": Answer(status=204),
    "302 to a login": Answer(status=302, headers={"Location": "/login?from=%2F"}),
    "303 to the job": Answer(status=303, headers={"Location": f"/{PATH}/"}),
    "303 to single sign-on": Answer(status=303, headers={"Location": f"{ELSEWHERE}/authorize?client_id=1"}),
    "307 to another path": Answer(status=307, headers={"Location": "/elsewhere"}),
    "408": page("Request Timeout", status=408),
    "500": oops("java.lang.IllegalStateException: kaboom").answer,
    "500 without a word": Answer(status=500),
    **{str(status): gateway(status) for status in (502, 503, 504)},
}


def unread(bench: Bench, answer: Answer | None, late: bool = True) -> None:
    """Answer the next start so, having accepted it where `late`."""
    if answer is None:
        bench.double.faults.cut(times=1, on=START, late=late)
    else:
        bench.double.faults.answer(answer, times=1, on=START, late=late)


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


@pytest.mark.parametrize("known", [True, False], ids=["request-id", "parameters"])
@pytest.mark.parametrize("held", [True, False], ids=["queued", "begun"])
@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_a_start_whose_answer_does_not_say_what_came_of_it_is_looked_for_and_not_sent_again(
    bench: Bench, answer: Answer | None, held: bool, known: bool
) -> None:
    if known:
        bench.double.jobs.update(JOB, pipeline(parameters=[*PARAMETERS, "REQUEST_ID"]))
    bench.double.queue.hold(held)
    unread(bench, answer)
    with Meanwhile(lambda: bench.asked(QUEUE), lambda: bench.double.queue.hold(held=False)):
        code, out, err = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out
    assert err.count("looking whether it was accepted") == 1
    assert bench.sent(START) == 1
    assert len(bench.builds) == 1


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE)
def test_a_start_that_is_found_nowhere_is_told_as_not_known_and_not_sent_again(
    bench: Bench, answer: Answer | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_build, "ACCEPTED_WITHIN", 0.1)
    unread(bench, answer, late=False)
    code, _, err = bench.trigger()
    assert code == 3
    assert f"it is not known whether it was started: look at {bench.double.url}/{PATH}" in err
    assert "start it again if nothing shows up there" in err
    assert bench.sent(START) == 1
    assert bench.builds == {}


def test_what_is_found_nowhere_is_not_known_when_the_time_is_over_either(bench: Bench, clock: Clock) -> None:
    bench.double.faults.gateway(502, on=START)
    with Meanwhile(lambda: bench.asked(QUEUE, times=2), bench.double.down, clock.missed, clock.strike):
        code, _, err = bench.trigger()
    assert code == 3
    assert "it is not known whether it was started" in err


@pytest.mark.parametrize("known", [True, False], ids=["request-id", "parameters"])
def test_two_that_ask_for_the_same_and_lose_both_answers_start_one_build_each_at_most(
    bench: Bench, known: bool
) -> None:
    if known:
        bench.double.jobs.update(JOB, pipeline(parameters=[*PARAMETERS, "REQUEST_ID"]))
    bench.double.faults.gateway(502, times=2, on=START, late=True)
    bench.double.queue.hold()
    command = [sys.executable, "-m", "jenkins_cd", *bench.arguments(), "--wait", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    bench.asked(START, times=2)
    bench.double.queue.hold(held=False)
    streams = [one.communicate(timeout=60) for one in both]
    assert [one.returncode for one in both] == [0, 0], streams
    followed = [json.loads(out)["number"] for out, _ in streams]
    assert bench.sent(START) == 2
    assert sorted(followed) == ([1, 2] if known else [1, 1])  # without an ID Jenkins itself makes one of both
    assert len(bench.builds) == len(set(followed))


def test_a_build_that_another_asked_for_is_not_taken_for_ours(bench: Bench) -> None:
    """Somebody else starts the same deployment between our look at the job and our request, whose answer is lost."""
    bench.double.jobs.update(JOB, pipeline(parameters=[*PARAMETERS, "REQUEST_ID"]))
    bench.double.faults.starting(times=None, on=START)

    def another() -> None:
        bench.asked(START)
        bench.double.schedule(JOB, {**PARAMETERS, "REQUEST_ID": "another"}).wait(30)
        bench.double.faults.clear()
        bench.double.faults.cut(times=1, on=START, late=True)

    with Meanwhile(another):
        code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #2: SUCCESS" in out


def test_what_waits_for_the_same_already_is_gone_on_with(bench: Bench) -> None:
    bench.double.queue.hold()
    bench.double.queue.add(bench.job, PARAMETERS, [], "jane")
    with Meanwhile(lambda: bench.asked(ITEM), lambda: bench.double.queue.hold(held=False)):
        code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out
    assert len(bench.builds) == 1


def test_a_controller_of_another_name_is_believed_once_its_item_is_seen_to_be_ours(bench: Bench) -> None:
    """A proxy keeps the name to itself: the controller tells addresses of its own."""
    named = Answer(status=201, headers={"Location": "http://jenkins.internal:8080/queue/item/1/"})
    bench.double.faults.answer(named, on=START, late=True)
    code, out, _ = bench.trigger()
    assert code == 0
    assert f"{JOB} #1: SUCCESS" in out
    assert bench.sent(START) == 1


@pytest.mark.parametrize("times", [1, 3])
def test_a_refused_crumb_started_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    monkeypatch.setenv("JENKINS_TOKEN", PASSWORD)
    no_crumb = container_error(403, "No valid crumb was included in the request").answer
    bench.double.faults.answer(no_crumb, times=times, on=START)
    code, _, err = bench.trigger()
    assert code == (0 if times == 1 else 4), err
    assert bench.sent(START) == 2
    assert len(bench.builds) == (times == 1)


@pytest.mark.parametrize("on", [START, ITEM, LOG, BUILD])
def test_a_token_that_was_accepted_is_not_given_up_while_the_controller_knows_no_users(bench: Bench, on: str) -> None:
    bench.double.faults.no_users(times=4, on=on)
    code, _, err = bench.trigger()
    assert code == 0
    assert "does not know robot any more: it starts, or the token was revoked; waiting for it" in err
    assert err.count("waiting for it") == 1
    assert len(bench.builds) == 1


def test_a_restart_with_all_its_stages_is_survived(bench: Bench, clock: Clock) -> None:
    def restart() -> None:
        bench.asked_again(LOG)
        bench.double.down()
        clock.missed()
        bench.double.faults.starting(times=2)
        bench.double.faults.no_users(times=4)
        bench.double.up()

    bench.work = two_lines(restart)
    code, out, _ = bench.trigger()
    assert code == 0
    assert out.count("first line\n") == out.count("second line\n") == 1


def test_a_controller_that_starts_is_waited_for_by_who_meets_it_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "STARTING", 0.01)
    bench.double.faults.starting(times=1)
    bench.double.faults.no_users(times=8)
    assert bench.trigger()[0] == 0


def test_a_controller_that_just_knows_no_users_yet_is_asked_a_few_times_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "DOUBTS", (0.01, 0.01, 0.01))
    bench.double.faults.no_users(times=3)
    code, _, err = bench.trigger()
    assert code == 0
    assert err.count("a server that has just started knows nobody") == 1


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
