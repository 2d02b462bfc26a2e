"""What the double does with builds that wait for people."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from tests.jenkins.controller import Aborted, JenkinsDouble, RunningBuild
from tests.jenkins.controller.configs import pipeline
from tests.jenkins.questions import Answer, Question, Rejected

QUESTION = Question(id="Approve", message="Ship it?", ok="Ship", submitters=("qa",), parameters=("REASON",))
OPEN = Question(id="Go", message="Go on?")
USERS = ("robot", "qa", "jane")


class Bench:
    """A build that asks `question`, and keeps what it was answered."""

    def __init__(self) -> None:
        self.question = QUESTION
        self.outcome: Answer | Exception | None = None
        self.double = JenkinsDouble.start(self._work)
        self.double.add_job("promote", pipeline())
        for name in USERS:
            self.double.add_user(name, f"token-of-{name}", admin=name == "jane")

    def begin(self, question: Question) -> RunningBuild:
        self.question = question
        build = self.double.schedule("promote")
        with build.changed:
            assert build.changed.wait_for(lambda: question.id in build.pending, 30)
        return build

    def act(self, what: str, user: str, **form: str) -> requests.Response:
        url = f"{self.double.url}/job/promote/1/input/{self.question.id}/{what}"
        return requests.post(url, auth=(user, f"token-of-{user}"), data=form, timeout=30, allow_redirects=False)

    def _work(self, build: RunningBuild) -> str:
        try:
            self.outcome = build.ask(self.question)
        except (Rejected, Aborted) as error:
            self.outcome = error
            raise
        return "SUCCESS"


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.double.stop()


def form(**values: str) -> str:
    return json.dumps({"parameter": [{"name": name, "value": value} for name, value in values.items()]})


def test_a_question_is_told_as_long_as_it_is_open(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    url = f"{bench.double.url}/job/promote/1/wfapi/pendingInputActions"
    (told,) = requests.get(url, auth=("qa", "token-of-qa"), timeout=30).json()
    assert (told["id"], told["message"], told["proceedText"]) == ("Approve", "Ship it?", "Ship")
    assert [one["name"] for one in told["inputs"]] == ["REASON"]
    assert bench.act("proceed", "qa", json=form(REASON="tested")).status_code == 200
    assert build.wait(30) == "SUCCESS"
    assert requests.get(url, auth=("qa", "token-of-qa"), timeout=30).json() == []


def test_an_answer_brings_who_gave_it_and_what_they_filled_in(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    assert bench.act("proceed", "qa", json=form(REASON="sprint 12, ü")).status_code == 200
    assert build.wait(30) == "SUCCESS"
    assert bench.outcome == Answer(submitter="qa", values={"REASON": "sprint 12, ü"})
    assert "Input requested\nApproved by qa\n" in build.text()[0].decode()


def test_who_may_not_answer_is_told_who_may(bench: Bench) -> None:
    bench.begin(QUESTION)
    answer = bench.act("proceed", "robot", json=form(REASON="mine"))
    assert answer.status_code == 400  # hudson.model.Failure, not 403
    assert answer.headers["X-Error"] == "You need to be qa to submit this."
    user = bench.double.users.find("robot")
    assert user
    user.denied.add("Job/Cancel")
    assert "to cancel this" in bench.act("abort", "robot").headers["X-Error"]
    assert bench.outcome is None


def test_an_administrator_may_always_answer(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    assert bench.act("proceedEmpty", "jane").status_code == 200
    assert build.wait(30) == "SUCCESS"
    assert bench.outcome == Answer(submitter="jane")


def test_a_question_to_everybody_needs_the_right_to_build(bench: Bench) -> None:
    bench.begin(OPEN)
    user = bench.double.users.find("robot")
    assert user
    user.denied.add("Job/Build")
    assert "Job/Build" in bench.act("proceedEmpty", "robot").headers["X-Error"]
    assert bench.act("proceedEmpty", "qa").status_code == 200


@pytest.mark.parametrize(("what", "fields"), [("abort", {}), ("submit", {"json": "{}"})])
def test_no_aborts_the_build(bench: Bench, what: str, fields: dict[str, str]) -> None:
    build = bench.begin(OPEN)
    assert bench.act(what, "qa", **fields).status_code in (200, 302)
    assert build.wait(30) == "ABORTED"
    assert isinstance(bench.outcome, Rejected)
    assert bench.outcome.submitter == "qa"
    assert "Go on?\nProceed or Abort\nRejected by qa\n" in build.text()[0].decode()


def test_the_form_of_a_browser_is_taken_too(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    answer = bench.act("submit", "qa", proceed="Ship", json=form(REASON="clicked"))
    assert answer.headers["Location"] == f"{bench.double.url}/job/promote/1/console"
    assert build.wait(30) == "SUCCESS"


def test_the_form_of_the_stage_view_is_taken_too(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    url = f"{bench.double.url}/job/promote/1/wfapi/inputSubmit?inputId=Approve"
    requests.post(url, auth=("qa", "token-of-qa"), data={"json": form(REASON="x")}, timeout=30)
    assert build.wait(30) == "SUCCESS"


def test_what_is_no_answer_changes_nothing(bench: Bench) -> None:
    bench.begin(QUESTION)
    assert bench.act("proceed", "qa").status_code == 400
    assert bench.act("proceed", "qa", json="{").status_code == 400
    assert bench.act("proceed", "qa", json=form(OTHER="x")).status_code == 500
    assert bench.act("explode", "qa").status_code == 404
    url = f"{bench.double.url}/job/promote/1/input"
    assert requests.get(f"{url}/Approve/proceedEmpty", auth=("qa", "token-of-qa"), timeout=30).status_code == 405
    assert requests.post(f"{url}/Nothing/abort", auth=("qa", "token-of-qa"), timeout=30).status_code == 404
    assert bench.outcome is None


def test_an_abort_of_the_build_ends_the_question(bench: Bench) -> None:
    build = bench.begin(QUESTION)
    build.abort("jane")
    assert build.wait(30) == "ABORTED"
    assert isinstance(bench.outcome, Aborted)
    assert bench.act("proceed", "qa", json=form(REASON="late")).status_code == 404
