"""What the adapter makes of a controller that fails; what it does with one that works is in tests/contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from jenkins_cd.demo.services import free_port
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.tools import jenkins
from jenkins_cd.tools import jenkins_builds as builds
from jenkins_cd.tools.jenkins import Connection
from jenkins_cd.tools.jenkins_failures import Unavailable, Unsure, one_sentence
from tests.jenkins.controller import JenkinsDouble
from tests.jenkins.controller.answers import Answer, page
from tests.jenkins.controller.configs import FOLDER_XML, pipeline

PAGE = page("Welcome", "<h1>Please log in</h1>")


@pytest.fixture
def double() -> Iterator[JenkinsDouble]:
    with JenkinsDouble.start() as running:
        running.add_user("robot", "correct-horse-battery")
        running.add_job("deploy", pipeline())
        yield running


@pytest.fixture
def connection(double: JenkinsDouble) -> Connection:
    return Connection(double.url, "robot", "correct-horse-battery")


def test_the_token_is_not_shown_with_the_connection(connection: Connection) -> None:
    assert "horse" not in repr(connection)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_what_is_read_is_read_again_while_the_controller_is_away(
    double: JenkinsDouble, connection: Connection, status: int
) -> None:
    double.faults.gateway(status, times=2)
    assert jenkins.config(connection, "deploy")
    assert len(double.faults.hits) == 2


def test_a_cut_connection_is_read_again(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.cut(times=2)
    assert jenkins.names(connection) == ["deploy"]


def test_reading_is_given_up_after_some_attempts(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.starting(times=None)
    with pytest.raises(Unavailable, match=f"cannot list the jobs: {double.url} is starting"):
        jenkins.names(replace(connection, attempts=2))
    assert len(double.faults.hits) == 2


def test_nobody_listening_is_told_with_the_address() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match=rf"no answer from {url} \(.*Connection refused\)"):
        jenkins.ping(Connection(url, attempts=1))


def test_a_host_that_there_is_not_is_not_waited_for() -> None:
    with pytest.raises(ExternalFailure, match=r"no answer from http://jenkins\.invalid") as caught:
        jenkins.ping(Connection("http://jenkins.invalid"))
    assert not isinstance(caught.value, Unavailable)


@pytest.mark.parametrize("late", [True, False])
def test_a_start_is_sent_once_where_it_may_have_been_accepted(
    double: JenkinsDouble, connection: Connection, late: bool
) -> None:
    double.faults.gateway(502, times=1, on=r"POST .*", late=late)
    with pytest.raises(Unsure) as caught:
        builds.start(connection, "deploy", {})
    assert not caught.value.retryable
    assert "not known whether" in caught.value.hint
    assert sum(one.startswith("POST") for one in double.requests) == 1


def test_a_start_that_cannot_have_been_accepted_is_sent_again(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.starting(times=2, on=r"POST .*")
    assert builds.start(connection, "deploy", {}) == 1
    double.down()
    with pytest.raises(Unavailable):
        builds.start(replace(connection, attempts=1), "deploy", {})


def test_a_controller_that_says_nothing_is_not_waited_for_forever(double: JenkinsDouble) -> None:
    hurried = Connection(double.url, "robot", "correct-horse-battery", attempts=1, timeout=0.2)
    assert jenkins.names(hurried) == ["deploy"]
    double.faults.hang(times=1)
    with pytest.raises(Unavailable, match="no answer"):
        jenkins.names(hurried)
    double.faults.hang(times=1, on=r"POST .*")
    with pytest.raises(Unsure, match="no answer"):
        builds.start(hurried, "deploy", {})


def test_a_job_that_came_into_being_meanwhile_is_not_ours(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.gateway(502, on=r"POST .*createItem.*", late=True)
    with pytest.raises(Unsure):
        jenkins.create(connection, "shop", FOLDER_XML)
    with pytest.raises(BadInput, match="has one of that name already"):
        jenkins.create(connection, "shop", FOLDER_XML)


def test_headers_of_the_environment_are_sent_and_not_shown(
    double: JenkinsDouble, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JENKINS_API_EXTRA_HEADERS", "X-Secret: open-sesame")
    jenkins.ping(Connection(double.url, "robot", "correct-horse-battery"))
    assert "sesame" not in "".join(capfd.readouterr())


def test_what_is_no_jenkins_is_told_as_such(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.answer(PAGE, times=None)
    with pytest.raises(ExternalFailure, match="does not answer as a Jenkins controller does"):
        jenkins.ping(connection)


def test_a_start_that_is_answered_without_a_queue_item_is_told(double: JenkinsDouble, connection: Connection) -> None:
    double.faults.answer(Answer(status=200), times=1, on=r"POST .*")
    with pytest.raises(ExternalFailure, match="Location"):
        builds.start(connection, "deploy", {})


def test_an_address_that_redirects_is_told_as_such(double: JenkinsDouble, connection: Connection) -> None:
    elsewhere = Answer(status=301, headers={"Location": f"{double.url}/job/deploy/build"})
    double.faults.answer(elsewhere, times=1, on=r"POST .*")
    with pytest.raises(BadInput, match="redirects what is sent to it"):
        builds.start(connection, "deploy", {})


@pytest.mark.parametrize(
    ("permission", "work"),
    [
        ("Job/ExtendedRead", lambda connection: jenkins.config(connection, "deploy")),
        ("Job/Create", lambda connection: jenkins.create(connection, "other", FOLDER_XML)),
        ("Job/Configure", lambda connection: jenkins.update(connection, "deploy", pipeline())),
        ("Job/Build", lambda connection: builds.start(connection, "deploy", {})),
    ],
)
def test_a_missing_permission_is_named(
    double: JenkinsDouble,
    connection: Connection,
    permission: str,
    work: object,
) -> None:
    user = double.users.find("robot")
    assert user
    assert callable(work)
    user.denied.add(permission)
    with pytest.raises(Refused, match=f"robot is missing the {permission} permission on {double.url}") as caught:
        work(connection)
    assert caught.value.hint == f"give robot the permission {permission} on it"


def test_a_job_that_may_not_be_seen_is_as_one_that_is_not_there(double: JenkinsDouble, connection: Connection) -> None:
    user = double.users.find("robot")
    assert user
    user.denied.add("Job/Read")
    assert jenkins.config(connection, "deploy") is None
    with pytest.raises(BadInput, match="or robot may not see it"):
        builds.start(connection, "deploy", {})


def test_a_crumb_is_renewed_once(double: JenkinsDouble) -> None:
    double.users.add("jane", "a-token", password="open-sesame")
    connection = Connection(double.url, "jane", "open-sesame")
    jenkins.create(connection, "shop", FOLDER_XML)
    double.faults.stale_crumbs()
    jenkins.create(connection, "shop/deploy", pipeline())
    assert sum("crumbIssuer" in one for one in double.requests) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("plain words\nand more", "plain words"),
        ("<html><title>Error 403 No &quot;x&quot;</title></html>", 'No "x"'),
        ('<div id="main-panel"><h1>Error</h1><p>A <b>job</b>\n exists</p></div>', "A job exists"),
        ("<pre>x.Y: Illegal choice for parameter A: b\n\tat z</pre>", "Illegal choice for parameter A: b"),
        ("", ""),
    ],
)
def test_one_sentence_of_a_page_is_told(text: str, sentence: str) -> None:
    assert one_sentence(text) == sentence
    assert not re.search(r"[<>\n]", one_sentence(text))


@pytest.mark.parametrize(("name", "missing"), [("JENKINS_USER", "JENKINS_TOKEN"), ("JENKINS_TOKEN", "JENKINS_USER")])
def test_half_a_login_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, missing: str) -> None:
    monkeypatch.delenv(missing, raising=False)
    monkeypatch.setenv(name, "something")
    with pytest.raises(BadInput, match=f"{missing} is not set"):
        jenkins.connect("http://jenkins.local")


def test_the_address_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*jenkins.USERS, *jenkins.TOKENS):
        monkeypatch.delenv(name, raising=False)
    connection = jenkins.connect("http://jenkins.local/ci/")
    assert jenkins.job_url(connection, "Team A/ü") == "http://jenkins.local/ci/job/Team%20A/job/%C3%BC"
