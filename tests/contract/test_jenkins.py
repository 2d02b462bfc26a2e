"""The adapter against the double, and the same against a real Jenkins where JENKINS_URL, _USER and _TOKEN name one."""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.tools import jenkins
from jenkins_cd.tools import jenkins_builds as builds
from jenkins_cd.tools.jenkins import Connection
from jenkins_cd.tools.jenkins_console import Console
from jenkins_cd.tools.jenkins_failures import Absent
from tests.jenkins.controller import JenkinsDouble, RunningBuild
from tests.jenkins.controller.config_xml import parse
from tests.jenkins.controller.configs import FOLDER_XML, pipeline

T = TypeVar("T")
NAMES = ("JENKINS_URL", "JENKINS_USER", "JENKINS_TOKEN")
PLACES = ["double", *(["real"] if all(os.environ.get(name) for name in NAMES) else [])]
PATIENCE = 60.0  # seconds that a real controller may take for anything


@dataclass(frozen=True)
class Place:
    """A controller, and the folder in it that is ours."""

    connection: Connection
    folder: str

    def job(self, xml: str) -> str:
        """Create a job with a name of its own, in a folder with blanks in its name."""
        name = f"{self.folder}/Team A/{uuid.uuid4().hex[:8]}"
        jenkins.create(self.connection, name, xml)
        return name

    def begun(self, job: str, **parameters: str) -> int:
        """Start a job and return the number of its build."""
        item = builds.start(self.connection, job, parameters)

        def number() -> int | None:
            queued = builds.queued(self.connection, item)
            return queued.build if queued else None

        return until(number)

    def ended(self, job: str, number: int) -> builds.Build:
        def done() -> builds.Build | None:
            build = builds.build(self.connection, job, number)
            return build if build and not build.building and build.result else None

        return until(done)


def until(look: Callable[[], T | None]) -> T:
    """Return what `look` finds as soon as it finds anything."""
    deadline = time.monotonic() + PATIENCE
    while (found := look()) is None:
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


def perform(build: RunningBuild) -> str:
    """Do what the scripts of these tests say, as far as they use it."""
    for line in (parse(build.config).findtext("definition/script") or "").splitlines():
        if said := re.fullmatch(r"echo '(.*)'", line):
            build.log(f"{said[1]}\n")
        elif named := re.fullmatch(r"currentBuild\.displayName = '(.*)'", line):
            build.display_name = named[1]
        elif line.startswith("sleep") and build.aborted.wait(float(line.split()[1])):
            return "ABORTED"
        elif line.startswith("error"):
            return "FAILURE"
    return "SUCCESS"


@pytest.fixture(params=PLACES, scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    folder = f"jenkins-cd-{uuid.uuid4().hex[:8]}"
    with contextlib.ExitStack() as stack:
        if request.param == "double":
            double = stack.enter_context(JenkinsDouble.start(perform))
            double.add_user("robot", "correct-horse-battery")
            connection = Connection(double.url, "robot", "correct-horse-battery")
        else:
            url, user, token = (os.environ[name] for name in NAMES)
            connection = Connection(url.rstrip("/"), user, token)
            stack.callback(connection.server.delete_job, folder)
        jenkins.create(connection, folder, FOLDER_XML)
        jenkins.create(connection, f"{folder}/Team A", FOLDER_XML)
        yield Place(connection, folder)


def test_a_ping_says_what_stands_there_and_who_we_are(place: Place) -> None:
    said = jenkins.ping(place.connection)
    assert re.fullmatch(rf"Jenkins [\d.]+\S*, as {place.connection.user}", said)


def test_a_wrong_token_is_told_without_telling_it(place: Place) -> None:
    wrong = replace(place.connection, token="open-sesame")
    with pytest.raises(BadInput, match=f"the token of {wrong.user} is not accepted by {wrong.url}") as caught:
        jenkins.ping(wrong)
    assert caught.value.hint.startswith(f"make an API token at {wrong.url}/user/{wrong.user}/security")
    assert "sesame" not in caught.value.message + caught.value.hint


def test_a_job_is_read_back_as_what_it_means_not_as_it_was_sent(place: Place) -> None:
    script = "echo 'grüße & \"<quotes>\"'"
    sent = pipeline(script, ["APP"])
    job = place.job(sent)
    read = jenkins.config(place.connection, job)
    assert read
    assert read != sent
    root = parse(read)
    assert root.findtext("definition/script") == script
    assert root.findtext("properties//parameterDefinitions/*/name") == "APP"
    jenkins.update(place.connection, job, pipeline("echo 'other'"))
    assert "other" in (jenkins.config(place.connection, job) or "")


def test_what_is_not_there_is_none(place: Place) -> None:
    job = place.job(pipeline())
    assert jenkins.config(place.connection, f"{place.folder}/nothing") is None
    assert builds.queued(place.connection, 999_999_999) is None
    assert builds.build(place.connection, job, 99) is None
    assert builds.log(place.connection, job, 99) is None
    assert builds.last(place.connection, job) == []


def test_a_folder_lists_what_is_in_it(place: Place) -> None:
    job = place.job(pipeline())
    assert job.rpartition("/")[2] in jenkins.names(place.connection, f"{place.folder}/Team A")
    assert place.folder in jenkins.names(place.connection)
    with pytest.raises(Absent):
        jenkins.names(place.connection, f"{place.folder}/nothing")


def test_what_is_there_cannot_be_created_again(place: Place) -> None:
    with pytest.raises(BadInput, match="has one of that name already"):
        jenkins.create(place.connection, f"{place.folder}/Team A", FOLDER_XML)


def test_a_missing_folder_or_job_is_told_with_the_nearest_name(place: Place) -> None:
    with pytest.raises(Absent, match=f"did you mean {place.folder}/Team A"):
        jenkins.create(place.connection, f"{place.folder}/Taem A/deploy", pipeline())
    job = place.job(pipeline())
    with pytest.raises(Absent, match=f"did you mean {job}"):
        builds.start(place.connection, f"{job}x", {})
    with pytest.raises(Absent, match=f"did you mean {job}"):
        jenkins.update(place.connection, f"{job}x", pipeline())
    with pytest.raises(BadInput, match="that is a folder"):
        builds.find(place.connection, place.folder)


@pytest.mark.parametrize("xml", ["", "<flow-definition>", "<no-such-kind-of-job/>"])
def test_a_config_that_is_none_is_refused_and_not_kept(place: Place, xml: str) -> None:
    name = f"{place.folder}/{uuid.uuid4().hex[:8]}"
    with pytest.raises((BadInput, ExternalFailure)) as caught:
        jenkins.create(place.connection, name, xml)
    assert "<html" not in caught.value.message
    assert jenkins.config(place.connection, name) is None


def test_a_build_is_started_with_parameters_and_found_by_all_its_names(place: Place) -> None:
    job = place.job(pipeline("echo 'grüße'\ncurrentBuild.displayName = 'shop 1.0.0'", ["APP", "VERSION"]))
    assert builds.find(place.connection, job) == builds.Job(next_number=1, parameters=frozenset({"APP", "VERSION"}))
    number = place.begun(job, APP="shop & co", VERSION="1.0.0+ü")
    build = place.ended(job, number)
    assert (build.number, build.result, build.display_name) == (1, "SUCCESS", "shop 1.0.0")
    assert build.parameters == {"APP": "shop & co", "VERSION": "1.0.0+ü"}
    assert build.url == f"{jenkins.job_url(place.connection, job)}/1/"
    assert builds.last(place.connection, job) == [build]
    assert builds.find(place.connection, job).next_number == 2
    log = builds.log(place.connection, job, number)
    assert log
    assert "grüße\n" in log.text
    assert not log.more


def test_a_failed_build_says_so(place: Place) -> None:
    job = place.job(pipeline("error 'no'"))
    assert place.ended(job, place.begun(job)).result == "FAILURE"


def test_a_log_is_read_on_from_where_it_was_left(place: Place) -> None:
    job = place.job(pipeline("echo 'eins ü'\nsleep 1\necho 'zwei'\nsleep 1\necho 'drei'"))
    number = place.begun(job)
    pieces, offset, more, console = [], 0, True, Console()
    while more:
        piece = builds.log(place.connection, job, number, offset)
        assert piece
        pieces.append(console.feed(piece.data))
        offset, more = piece.end, piece.more
        time.sleep(0.05)
    whole = builds.log(place.connection, job, number)
    assert whole
    assert "".join(pieces) + console.end() == whole.text
    assert offset == whole.end
    assert "eins ü\n" in whole.text
    assert not re.search(r"\x1b|\r|ha:", whole.text)


def test_a_build_can_be_stopped_and_says_by_whom(place: Place) -> None:
    job = place.job(pipeline("echo 'begun'\nsleep 100"))
    number = place.begun(job)
    until(lambda: "begun" in (log.text if (log := builds.log(place.connection, job, number)) else "") or None)
    builds.stop(place.connection, job, number)
    build = place.ended(job, number)
    assert build.result == "ABORTED"
    assert build.interrupted_by.startswith("Aborted by")
    builds.stop(place.connection, job, number)  # it has ended: nothing happens


def test_what_waits_can_be_seen_and_cancelled(place: Place) -> None:
    job = place.job(pipeline("echo 'never'", ["APP"], quiet=100))
    item = builds.start(place.connection, job, {"APP": "shop"})
    queued = builds.queued(place.connection, item)
    assert queued
    assert "quiet period" in queued.why
    assert (queued.cancelled, queued.build) == (False, None)
    assert builds.waiting(place.connection, job) == [(item, {"APP": "shop"})]
    builds.cancel(place.connection, item)
    gone = until(lambda: found if (found := builds.queued(place.connection, item)) and found.cancelled else None)
    assert gone.build is None
    assert builds.waiting(place.connection, job) == []
    builds.cancel(place.connection, 999_999_999)  # it is not there: nothing happens


def test_what_is_asked_for_twice_while_it_waits_is_one_item(place: Place) -> None:
    job = place.job(pipeline("echo 'never'", ["APP"], quiet=100))
    item = builds.start(place.connection, job, {"APP": "shop"})
    assert builds.start(place.connection, job, {"APP": "shop"}) == item
    assert builds.start(place.connection, job, {"APP": "other"}) != item
    for number, _ in builds.waiting(place.connection, job):
        builds.cancel(place.connection, number)


def test_a_choice_that_there_is_not_is_refused(place: Place) -> None:
    job = place.job(pipeline(choice=("ENVIRONMENT", ["dev", "prod"])))
    with pytest.raises((BadInput, ExternalFailure)) as caught:
        builds.start(place.connection, job, {"ENVIRONMENT": "qa"})
    assert "<html" not in caught.value.message
    assert place.ended(job, place.begun(job, ENVIRONMENT="prod")).parameters == {"ENVIRONMENT": "prod"}


def test_a_parameter_that_the_job_does_not_know_is_dropped(place: Place) -> None:
    job = place.job(pipeline(parameters=["APP"]))
    number = place.begun(job, APP="shop", OTHER="x")
    assert place.ended(job, number).parameters == {"APP": "shop"}


def test_a_job_with_parameters_is_not_started_without_any(place: Place) -> None:
    job = place.job(pipeline(parameters=["APP"]))
    with pytest.raises(BadInput, match="Nothing is submitted"):
        builds.start(place.connection, job, {})


@pytest.mark.parametrize("name", ["", "/", "a//b", "/a", "a/", "..", "a/../b", "a\nb", " a"])
def test_what_is_no_name_of_a_job_is_never_sent(place: Place, name: str) -> None:
    with pytest.raises(BadInput, match="is no name of a job"):
        jenkins.config(place.connection, name)
