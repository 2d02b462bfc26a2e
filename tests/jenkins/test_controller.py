"""What the double does beyond what tests/contract asks of it and of a real Jenkins alike."""

from __future__ import annotations

import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.jenkins.controller import Cancelled, JenkinsDouble, RunningBuild
from tests.jenkins.controller.builds import NOTE
from tests.jenkins.controller.config_xml import MULTIBRANCH
from tests.jenkins.controller.configs import FOLDER_XML, pipeline

ROBOT, JANE = ("robot", "token-of-robot"), ("jane", "token-of-jane")
XML = {"Content-Type": "text/xml; charset=utf-8"}


class Bench:
    """The double, two users, and builds that wait for the test where their job is called `held`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.double = JenkinsDouble.start(self._work)
        self.double.add_user(*ROBOT, password="password-of-robot")
        self.double.add_user(*JANE, admin=True)

    def get(self, path: str, user: tuple[str, str] | None = ROBOT) -> requests.Response:
        return requests.get(f"{self.double.url}/{path}", auth=user, timeout=30)

    def post(self, path: str, user: tuple[str, str] | None = ROBOT, **more: object) -> requests.Response:
        return requests.post(f"{self.double.url}/{path}", auth=user, timeout=30, allow_redirects=False, **more)  # type: ignore[arg-type]

    def add(self, name: str, xml: str) -> None:
        self.double.add_job(name, xml)

    def _work(self, build: RunningBuild) -> str:
        build.log(f"{build.parameters}\n")
        if build.job.startswith("held"):
            while not self.go.wait(0.01) and not build.aborted.is_set():
                pass
        return "ABORTED" if build.aborted.is_set() else "SUCCESS"


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.go.set()
    made.double.stop()


def said(answer: requests.Response) -> str:
    """Return what a 400 of Jenkins itself says."""
    assert answer.status_code == 400
    assert answer.headers["X-Error"] in html.unescape(answer.text)
    return answer.headers["X-Error"]


def test_every_answer_says_that_it_is_jenkins(bench: Bench) -> None:
    for path in ("", "api/json", "nothing"):
        assert bench.get(path).headers["X-Jenkins"]


def test_nobody_may_do_anything_where_there_are_users(bench: Bench) -> None:
    answer = bench.get("api/json", user=None)
    assert answer.status_code == 403
    assert "anonymous is missing the Overall/Read permission" in answer.text
    assert answer.headers["X-Required-Permission"] == "hudson.model.Hudson.Read"
    assert bench.get("api/json", ("robot", "wrong")).status_code == 401
    assert "Invalid password/token for user: robot" in bench.get("api/json", ("robot", "wrong")).text


def test_everybody_may_do_everything_where_there_are_none() -> None:
    with JenkinsDouble.start() as double:
        assert requests.get(f"{double.url}/whoAmI/api/json", timeout=30).json()["anonymous"] is True
        assert requests.get(f"{double.url}/me/api/json", timeout=30).status_code == 403
        assert (
            requests.post(f"{double.url}/createItem?name=x", data=FOLDER_XML, headers=XML, timeout=30).status_code
            == 403
        )
        session = requests.Session()
        crumb = session.get(f"{double.url}/crumbIssuer/api/json", timeout=30).json()
        headers = {**XML, crumb["crumbRequestField"]: crumb["crumb"]}
        done = session.post(f"{double.url}/createItem?name=x", data=FOLDER_XML, headers=headers, timeout=30)
        assert done.status_code == 200


def test_a_password_needs_the_crumb_of_its_own_session(bench: Bench) -> None:
    bench.add("deploy", pipeline())
    url, password = f"{bench.double.url}/job/deploy/build", ("robot", "password-of-robot")
    session, other = requests.Session(), requests.Session()
    crumbs = [one.get(f"{bench.double.url}/crumbIssuer/api/json", auth=password).json() for one in (session, other)]
    headers = {crumbs[0]["crumbRequestField"]: crumbs[0]["crumb"]}
    assert session.post(url, auth=password, headers=headers).status_code == 201
    refused = other.post(url, auth=password, headers=headers)
    assert refused.status_code == 403
    assert "No valid crumb was included in the request" in refused.text
    assert session.post(url, auth=password).status_code == 403
    assert bench.post("job/deploy/build").status_code == 201  # a token needs none


def test_a_restart_ends_sessions_and_forgets_what_has_left_the_queue_but_no_build(bench: Bench) -> None:
    bench.add("held", pipeline())
    session, password = requests.Session(), ("robot", "password-of-robot")
    crumb = session.get(f"{bench.double.url}/crumbIssuer/api/json", auth=password).json()
    running = bench.double.schedule("held")
    url = bench.double.url
    assert bench.get(f"queue/item/{running.queue_id}/api/json").json()["executable"]["number"] == 1
    bench.double.down()
    with pytest.raises(requests.ConnectionError, match="refused"):
        bench.get("api/json")
    bench.double.up()
    assert bench.double.url == url
    assert bench.get(f"queue/item/{running.queue_id}/api/json").status_code == 404
    assert bench.get("job/held/1/api/json").json()["building"] is True
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}
    assert session.post(f"{url}/job/held/1/stop", auth=password, headers=headers).status_code == 403
    bench.go.set()
    assert running.wait(30) == "SUCCESS"


@pytest.mark.parametrize("lost", [True, False])
def test_a_restart_keeps_or_loses_what_waits_as_asked(bench: Bench, lost: bool) -> None:
    bench.add("deploy", pipeline())
    bench.double.queue.hold()
    place = bench.post("job/deploy/build").headers["Location"].removeprefix(bench.double.url).strip("/")
    bench.double.restart(lose_queue=lost)
    answer = bench.get(f"{place}/api/json")
    assert answer.status_code == (404 if lost else 200)


def test_created_jobs_need_a_type_a_name_and_a_place(bench: Bench) -> None:
    assert bench.post("createItem?name=shop", data=FOLDER_XML, headers=XML).status_code == 200
    assert said(bench.post("createItem?name=shop", data=FOLDER_XML, headers=XML)).startswith("A job already exists")
    assert said(bench.post("createItem?name=other", data=FOLDER_XML)) == "No mode given"
    assert "name" in said(bench.post("createItem", data=FOLDER_XML, headers=XML))
    assert "unsafe character" in said(bench.post("createItem?name=a%2Fb", data=FOLDER_XML, headers=XML))
    assert bench.post("job/nothing/createItem?name=x", data=FOLDER_XML, headers=XML).status_code == 404
    assert bench.post("job/shop/createItem?name=deploy", data=pipeline(), headers=XML).status_code == 200
    assert bench.post("job/shop/job/deploy/createItem?name=x", data=pipeline(), headers=XML).status_code == 404
    assert bench.get("createItem?name=x").status_code == 405
    assert bench.get("job/shop/api/json").json()["jobs"][0]["name"] == "deploy"


def test_a_job_stays_of_its_kind(bench: Bench) -> None:
    bench.add("shop", FOLDER_XML)
    answer = bench.post("job/shop/config.xml", data=pipeline(), headers=XML)
    assert answer.status_code == 500
    assert "Expecting" in answer.text


def test_a_config_comes_back_with_versions_and_defaults(bench: Bench) -> None:
    bench.add("deploy", pipeline('echo "ü"', ["APP"]))
    text = bench.get("job/deploy/config.xml").content.decode()
    assert text.startswith("<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition plugin=\"workflow-job@")
    assert "<script>echo &quot;ü&quot;</script>" in text
    for default in ("<actions/>", "<keepDependencies>false<", "<triggers/>", "<disabled>false<", "<trim>false<"):
        assert default in text
    job = bench.double.jobs.find("deploy")
    assert job
    assert job.script == 'echo "ü"'
    assert [(one.name, one.kind) for one in job.parameters] == [("APP", "StringParameterDefinition")]


def test_deleting_a_folder_deletes_what_is_in_it(bench: Bench) -> None:
    bench.add("shop", FOLDER_XML)
    bench.add("shop/deploy", pipeline())
    assert bench.post("job/shop/doDelete").status_code == 302
    assert bench.get("job/shop/job/deploy/api/json").status_code == 404


def test_branches_of_a_multibranch_project_are_jobs_with_quoted_names(bench: Bench) -> None:
    bench.add("shop", f"<{MULTIBRANCH}/>")
    bench.add("shop/feature%2Fx", pipeline())
    assert bench.get("job/shop/job/feature%252Fx/api/json").json()["fullName"] == "shop/feature%2Fx"


def test_jobs_are_told_as_deep_as_asked(bench: Bench) -> None:
    bench.add("shop", FOLDER_XML)
    bench.add("shop/deploy", pipeline(parameters=["APP"]))
    bench.double.schedule("shop/deploy", {"APP": "a"}).wait(30)
    bench.double.schedule("shop/deploy", {"APP": "b"}).wait(30)
    told = bench.get("job/shop/job/deploy/api/json").json()
    assert [sorted(one) for one in told["builds"]] == [["_class", "number", "url"]] * 2
    assert (told["color"], told["nextBuildNumber"], told["lastBuild"]["number"]) == ("blue", 3, 2)
    assert told["property"][0]["parameterDefinitions"][0]["name"] == "APP"
    assert "result" in bench.get("job/shop/job/deploy/api/json?depth=1").json()["builds"][0]
    few = bench.get("job/shop/job/deploy/api/json?tree=builds[number,result]{0,1}").json()
    assert few == {
        "_class": told["_class"],
        "builds": [{"_class": told["builds"][0]["_class"], "number": 2, "result": "SUCCESS"}],
    }
    assert bench.get("job/shop/job/deploy/api/json?tree=builds[number").status_code == 400
    assert bench.get("api/json").json()["jobs"][0]["name"] == "shop"


def test_builds_are_found_by_number_and_by_link(bench: Bench) -> None:
    bench.add("deploy", pipeline())
    assert bench.get("job/deploy/lastBuild/api/json").status_code == 404
    bench.double.schedule("deploy").wait(30)
    for link in ("1", "lastBuild", "lastSuccessfulBuild", "lastCompletedBuild", "lastStableBuild"):
        assert bench.get(f"job/deploy/{link}/api/json").json()["number"] == 1
    assert bench.get("job/deploy/lastFailedBuild/api/json").status_code == 404
    assert bench.get("job/deploy/lastBuild/consoleText").text == "{}\nFinished: SUCCESS\n"
    assert bench.get("job/deploy/1/").status_code == 200


def test_parameters_have_defaults_and_types(bench: Bench) -> None:
    flag = (
        "<hudson.model.BooleanParameterDefinition><name>DRY</name><defaultValue>true</defaultValue>"
        "</hudson.model.BooleanParameterDefinition>"
        "<hudson.model.PasswordParameterDefinition><name>KEY</name></hudson.model.PasswordParameterDefinition>"
    )
    xml = pipeline(parameters=["APP"], choice=("ENVIRONMENT", ["dev", "prod"]))
    bench.add("deploy", xml.replace("</parameterDefinitions>", f"{flag}</parameterDefinitions>"))
    assert bench.post("job/deploy/buildWithParameters?APP=a&KEY=hush&OTHER=x").status_code == 201
    build = bench.double.schedule("deploy", {"DRY": "false", "OTHER": "x"})
    assert build.parameters == {"APP": "", "ENVIRONMENT": "dev", "DRY": False, "KEY": ""}
    told = bench.get("job/deploy/1/api/json").json()
    given = next(one["parameters"] for one in told["actions"] if "parameters" in one)
    assert {one["name"]: one.get("value") for one in given} == {
        "APP": "a",
        "ENVIRONMENT": "dev",
        "DRY": True,
        "KEY": None,
    }
    form = {"json": json.dumps({"parameter": [{"name": "APP", "value": "formed"}]})}
    assert bench.post("job/deploy/build", data=form).status_code == 201
    assert (
        bench.post("job/deploy/build", data={"json": '{"parameter": {"name": "NO", "value": ""}}'}).status_code == 500
    )


def test_starting_is_a_post_and_only_where_it_is_allowed(bench: Bench) -> None:
    bench.add("plain", pipeline())
    bench.add("shop", FOLDER_XML)
    assert bench.get("job/plain/build").status_code == 405
    assert "not parameterized" in bench.post("job/plain/buildWithParameters").text
    assert bench.post("job/shop/build").status_code == 404
    bench.double.jobs.update("plain", pipeline().replace("</flow-", "<disabled>true</disabled></flow-"))
    assert bench.post("job/plain/build").status_code == 409
    user = bench.double.users.find("robot")
    assert user
    user.denied.add("Job/Build")
    refused = bench.post("job/plain/build")
    assert refused.status_code == 403
    assert refused.headers["X-Required-Permission"] == "hudson.model.Item.Build"
    user.denied.add("Job/Read")
    assert bench.get("job/plain/api/json").status_code == 404


def test_what_waits_with_the_same_parameters_is_one_item(bench: Bench) -> None:
    bench.add("deploy", pipeline(parameters=["APP"]))
    bench.double.queue.hold()
    answers = [bench.post(f"job/deploy/buildWithParameters?APP={app}") for app in "aab"]
    assert [answer.status_code for answer in answers] == [201, 303, 201]
    places = [answer.headers["Location"] for answer in answers]
    assert places[0] == places[1] != places[2]
    assert [one["id"] for one in bench.get("queue/api/json").json()["items"]] == [1, 2]


def test_a_quiet_time_is_waited_out_in_the_queue(bench: Bench) -> None:
    bench.add("deploy", pipeline(quiet=3600))
    bench.post("job/deploy/build")
    item = bench.get("queue/item/1/api/json").json()
    assert item["_class"] == "hudson.model.Queue$WaitingItem"
    assert re.fullmatch(r"In the quiet period\. Expires in [\d.]+ sec", item["why"])
    assert bench.get("job/deploy/api/json").json()["inQueue"] is True
    bench.add("other", pipeline(quiet=3600))
    bench.post("job/other/build?delay=0sec")
    until_built(bench, "other")


def test_what_waits_for_an_executor_or_for_its_own_kind_says_so(bench: Bench) -> None:
    bench.add("held", pipeline(parameters=["APP"], concurrent=False))
    bench.add("held too", pipeline())
    first = bench.double.schedule("held", {"APP": "a"})
    bench.post("job/held/buildWithParameters?APP=b")
    why = waiting_for(bench, 2, "Build #")
    assert why == "Build #1 is already in progress (ETA: N/A)"
    bench.double.queue.executors = 1
    bench.post("job/held%20too/build")
    assert waiting_for(bench, 3, "Waiting") == "Waiting for next available executor"
    bench.go.set()
    first.wait(30)
    until_built(bench, "held too")


def test_a_cancelled_item_says_so_and_an_upstream_learns_of_it(bench: Bench) -> None:
    bench.add("deploy", pipeline())
    bench.double.queue.hold()
    bench.post("job/deploy/build")
    assert bench.get("queue/cancelItem?id=1").status_code == 405
    assert bench.post("queue/cancelItem?id=1").status_code == 204
    with ThreadPoolExecutor() as pool:
        upstream = pool.submit(bench.double.schedule, "deploy")
        wait_for(lambda: len(bench.double.queue.waiting()) == 1)
        bench.post("queue/cancelItem?id=2")
        with pytest.raises(Cancelled):
            upstream.result()
    item = bench.get("queue/item/1/api/json").json()
    assert (item["cancelled"], item["executable"], item["why"]) == (True, None, None)
    assert bench.post("queue/cancelItem?id=99").status_code == 404


def test_a_stopped_build_tells_who_did_it(bench: Bench) -> None:
    bench.add("held", pipeline())
    running = bench.double.schedule("held", causes=[{"shortDescription": "Started by upstream project"}])
    assert bench.get("job/held/1/stop").status_code == 405
    assert bench.post("job/held/1/stop").headers["Location"] == f"{bench.double.url}/job/held/1/"
    assert running.wait(30) == "ABORTED"
    told = bench.get("job/held/1/api/json").json()
    causes = {one["_class"]: one["causes"] for one in told["actions"] if "causes" in one}
    assert causes["jenkins.model.InterruptedBuildAction"][0]["shortDescription"] == "Aborted by robot"
    assert causes["hudson.model.CauseAction"][0]["shortDescription"] == "Started by upstream project"
    assert (told["result"], told["building"]) == ("ABORTED", False)


def test_an_executor_that_breaks_is_a_failure_with_its_trace_in_the_log() -> None:
    def broken(build: RunningBuild) -> str:
        raise ZeroDivisionError("a mistake")

    with JenkinsDouble.start(broken) as double:
        double.add_job("deploy", pipeline())
        build = double.schedule("deploy")
        assert build.wait(30) == "FAILURE"
        assert b"ZeroDivisionError: a mistake" in build.text()[0]


def test_a_log_is_told_as_it_is_kept_but_for_its_line_ends(bench: Bench) -> None:
    """Seen on core 2.579: console notes, CRLF, pieces that end anywhere, and a size that counts what is kept."""
    bench.add("held", pipeline())
    running = bench.double.schedule("held")
    running.log("half a ")
    note = NOTE.decode()
    answer = log_until(bench, f"{{}}\r\n{note}half a ")
    assert answer.headers["X-More-Data"] == "true"
    assert int(answer.headers["X-Text-Size"]) == len(answer.content) - len("\r")
    running.write(b"line\n")
    rest = bench.get(f"job/held/1/logText/progressiveText?start={answer.headers['X-Text-Size']}")
    assert rest.text == "line\r\n"
    bench.go.set()
    running.wait(30)
    whole = bench.get("job/held/1/logText/progressiveText?start=0")
    assert "X-More-Data" not in whole.headers
    assert int(whole.headers["X-Text-Size"]) == len(whole.content) - whole.content.count(b"\r")
    assert bench.get("job/held/1/logText/progressiveText?start=99999").content == whole.content
    assert bench.get("job/held/1/consoleText").text == "{}\nhalf a line\nFinished: SUCCESS\n"


def test_a_fault_hits_what_it_is_meant_for_as_often_as_asked(bench: Bench) -> None:
    bench.double.faults.gateway(503, times=2, on=r"GET /api/json")
    assert bench.get("whoAmI/api/json").status_code == 200
    assert [bench.get("api/json").status_code for _ in range(3)] == [503, 503, 200]
    bench.double.faults.cut(times=None)
    with pytest.raises(requests.ConnectionError):
        bench.get("api/json")
    bench.double.faults.clear()
    assert bench.get("api/json").status_code == 200


def until_built(bench: Bench, name: str) -> None:
    job = bench.double.jobs.find(name)
    assert job
    wait_for(lambda: job.last() is not None)


def waiting_for(bench: Bench, item: int, start: str) -> str:
    """Return why an item waits, once that begins with `start`."""
    wait_for(lambda: (bench.get(f"queue/item/{item}/api/json").json()["why"] or "").startswith(start))
    return str(bench.get(f"queue/item/{item}/api/json").json()["why"])


def log_until(bench: Bench, text: str) -> requests.Response:
    wait_for(lambda: bench.get("job/held/1/logText/progressiveText?start=0").text == text)
    return bench.get("job/held/1/logText/progressiveText?start=0")


def wait_for(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not look():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
