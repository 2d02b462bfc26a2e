from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.jobs import plan
from jenkins_cd.tools import jenkins
from jenkins_cd.tools import jenkins_builds as builds
from jenkins_cd.tools.jenkins import Connection
from tests.foreign_answers.foreign import Foreign, Reply, mutations, right, strangest, wrong

Call = Callable[[Connection], Any]
ACTIONS = [
    {},
    None,
    {"_class": "hudson.model.ParametersAction", "parameters": [{"name": "APP", "value": "shop"}]},
    {"_class": "jenkins.model.InterruptedBuildAction", "causes": [{"shortDescription": "Aborted by jane"}]},
]
BUILD = {
    "number": 3,
    "building": False,
    "result": "SUCCESS",
    "displayName": "#3",
    "queueId": 7,
    "actions": ACTIONS,
}
READS: dict[str, tuple[Call, Any]] = {
    "ping": (jenkins.ping, {"id": "robot"}),
    "names": (jenkins.names, {"jobs": [{"name": "deploy"}]}),
    "find": (
        lambda to: builds.find(to, "deploy"),
        {"nextBuildNumber": 3, "property": [{}, {"parameterDefinitions": [{"name": "APP"}]}]},
    ),
    "queued": (
        lambda to: builds.queued(to, 7),
        {"id": 7, "why": None, "cancelled": False, "executable": {"number": 3}},
    ),
    "build": (lambda to: builds.build(to, "deploy", 3), BUILD),
    "last": (lambda to: builds.last(to, "deploy"), {"builds": [BUILD]}),
    "waiting": (
        lambda to: builds.waiting(to, "deploy"),
        {"items": [{"id": 7, "task": {"url": "http://x/job/deploy/"}, "actions": ACTIONS}]},
    ),
}
OTHERS: dict[str, Call] = {
    "config": lambda to: plan._read(to, "deploy"),
    "create": lambda to: jenkins.create(to, "deploy", "<flow-definition/>"),
    "update": lambda to: jenkins.update(to, "deploy", "<flow-definition/>"),
    "start": lambda to: builds.start(to, "deploy", {"APP": "shop"}),
    "log": lambda to: builds.log(to, "deploy", 3),
    "stop": lambda to: builds.stop(to, "deploy", 3),
    "cancel": lambda to: builds.cancel(to, 7),
}
MEANT = {"X-Jenkins": "2.579"}


@pytest.fixture
def connection(server: Foreign) -> Connection:
    made = Connection(server.url, "robot", "a-token", attempts=1, timeout=10)
    made.server.crumb = False
    return made


@pytest.mark.parametrize("name", READS)
def test_what_a_controller_never_answers_is_one_failure_that_names_it(
    server: Foreign, connection: Connection, name: str
) -> None:
    call, document = READS[name]
    for what, reply in wrong(document).items():
        server.reply = reply
        with pytest.raises(JenkinsCdError) as caught:
            raise AssertionError(f"{what}: {call(connection)}")
        assert "127.0.0.1" in caught.value.message, what
        assert caught.value.exit_code == 3 or reply.status >= 300, what


@pytest.mark.parametrize("name", READS)
def test_one_thing_wrong_in_an_answer_is_a_failure_or_no_matter(answered: Callable[[Reply], None], name: str) -> None:
    call, document = READS[name]
    connection = Connection("http://jenkins.invalid", "robot", "a-token", attempts=1)
    answered(replace(right(document), headers=MEANT))
    call(connection)
    for what, changed in mutations(document):
        answered(replace(right(changed), headers=MEANT))
        assert strangest(lambda: call(connection)) is None, what


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_document_is_read_with_the_same_care(server: Foreign, connection: Connection, name: str) -> None:
    for what, reply in wrong({"a": 1}).items():
        server.reply = reply
        assert strangest(lambda: OTHERS[name](connection)) is None, what


@pytest.mark.parametrize(
    "broken",
    [{}, {"result": None}, {"building": None}, {"building": "false"}, {"number": 4}, {"number": None}, {"result": []}],
)
def test_a_build_is_never_taken_for_a_success_that_it_is_not(
    server: Foreign, connection: Connection, broken: dict[str, Any]
) -> None:
    server.reply = right({**BUILD, **broken} if broken else {"result": "SUCCESS"})
    try:
        build = builds.build(connection, "deploy", 3)
    except ExternalFailure:
        return
    assert build is None or build.building or build.result != "SUCCESS"


@pytest.mark.parametrize(
    "crumb", [b"null", b"[]", b'"x"', b"{}", b'{"crumb": 1}', b'{"crumbRequestField": []}', b"<p>"]
)
def test_a_crumb_that_is_none_sends_nothing(server: Foreign, connection: Connection, crumb: bytes) -> None:
    connection.server.crumb = None
    server.reply = Reply(body=crumb)
    with pytest.raises(ExternalFailure, match="does not answer as a Jenkins controller does"):
        builds.start(connection, "deploy", {"APP": "shop"})
    assert "POST" not in server.seen


@pytest.mark.parametrize("size", ["", "-1", "1e3", "99999999999999999999", "x"])
def test_a_log_without_its_size_is_no_log(server: Foreign, connection: Connection, size: str) -> None:
    server.reply = Reply(body=b"text\n", type="text/plain", headers={"X-Text-Size": size})
    with pytest.raises(ExternalFailure, match="X-Text-Size"):
        builds.log(connection, "deploy", 3)
