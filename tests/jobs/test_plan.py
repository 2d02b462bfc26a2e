"""The shared jobs against the double of a Jenkins controller, with a ledger in a real repository."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jenkins_cd.config.types import DeployRepository, Environment, Jenkins, PlatformFile, Registry
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.jobs import plan as room
from jenkins_cd.jobs import xml as job_xml
from jenkins_cd.tools.jenkins import Connection, connect
from tests.jenkins.controller import JenkinsDouble

FREESTYLE = "<project><description/><builders/></project>"
FOREIGN = (
    "<flow-definition><description>Made by hand</description>"
    "<properties><hudson.plugins.jira.JiraProjectProperty/></properties>"
    '<definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"><scriptPath>Jenkinsfile</scriptPath>'
    "</definition></flow-definition>"
)
ALL = ["delivery", "delivery/deploy", "delivery/promote"]


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[JenkinsDouble]:
    with JenkinsDouble.start() as running:
        running.add_user("robot", "token-of-robot")
        monkeypatch.setenv("JENKINS_USER", "robot")
        monkeypatch.setenv("JENKINS_TOKEN", "token-of-robot")
        yield running


@pytest.fixture
def connection(double: JenkinsDouble) -> Connection:
    return connect(double.url)


def platform(**jenkins: Any) -> PlatformFile:
    def environment(**more: Any) -> Environment:
        return Environment(model="flux", health_url="http://127.0.0.1:1", **more)

    return PlatformFile(
        registry=Registry(images="registry.local/apps", charts="oci://registry.local/charts"),
        deploy_repository=DeployRepository(url="/nowhere"),
        environments={
            "dev": environment(after="ci"),
            "staging": environment(after="dev", promotion="manual"),
            "prod": environment(after="staging", promotion="manual"),
        },
        jenkins=Jenkins(**jenkins),
    )


def actions(jobs: room.Jobs) -> dict[str, str]:
    return {change.name: change.action for change in jobs.changes}


def go(connection: Connection, rules: PlatformFile | None = None, apps: tuple[str, ...] = ("storefront",)) -> room.Jobs:
    """Plan and apply."""
    return room.apply(connection, room.plan(connection, rules or platform(), apps), lambda _text: None)


def config(double: JenkinsDouble, name: str) -> str:
    job = double.jobs.find(name)
    assert job
    return job.config


def edit(double: JenkinsDouble, name: str, old: str, new: str) -> None:
    """Change a job as somebody does in the browser."""
    before = config(double, name)
    assert old in before
    double.jobs.update(name, before.replace(old, new))


def writes(double: JenkinsDouble) -> list[str]:
    return [one for one in double.requests if one.startswith("POST")]


def test_an_empty_controller_gets_the_folder_and_the_jobs(double: JenkinsDouble, connection: Connection) -> None:
    done = go(connection)
    assert actions(done) == dict.fromkeys(ALL, "create")
    assert done.applied
    assert [one.url for one in done.changes][1] == f"{double.url}/job/delivery/job/deploy"
    deploy = double.jobs.find("delivery/deploy")
    assert deploy
    assert deploy.script == "@Library('jenkins-cd') _\ndeployPipeline()\n"
    assert deploy.concurrent
    assert "<sandbox>true</sandbox>" in deploy.config
    assert "<numToKeep>200</numToKeep>" in deploy.config
    app, version, environment, request = deploy.parameters
    assert (app.name, app.kind) == ("APP", "StringParameterDefinition")
    assert "Released until now: storefront." in app.description
    assert (version.name, version.kind) == ("VERSION", "StringParameterDefinition")
    assert (environment.name, environment.choices) == ("ENVIRONMENT", ("dev", "staging", "prod"))
    assert (request.name, request.default) == ("REQUEST_ID", "")


def test_people_choose_among_released_apps_and_the_environments_that_want_a_person(
    double: JenkinsDouble, connection: Connection
) -> None:
    go(connection, apps=("shop/storefront", "web/storefront"))
    promote = double.jobs.find("delivery/promote")
    assert promote
    assert promote.script == "@Library('jenkins-cd') _\npromotePipeline()\n"
    app, version, environment, reason = promote.parameters
    assert (app.name, app.choices) == ("APP", ("shop/storefront", "web/storefront"))
    assert (version.name, environment.choices) == ("VERSION", ("staging", "prod"))
    assert (reason.name, reason.kind) == ("REASON", "TextParameterDefinition")


def test_before_the_first_release_an_app_is_typed_and_later_chosen(
    double: JenkinsDouble, connection: Connection
) -> None:
    go(connection, apps=())
    promote = double.jobs.find("delivery/promote")
    assert promote
    assert promote.parameters[0].kind == "StringParameterDefinition"
    assert actions(go(connection, apps=("storefront",)))["delivery/promote"] == "update"
    assert [one.name for one in promote.parameters] == ["APP", "VERSION", "ENVIRONMENT", "REASON"]
    assert promote.parameters[0].choices == ("storefront",)


def test_without_an_environment_for_people_there_is_no_promote_job(connection: Connection) -> None:
    rules = platform()
    rules = PlatformFile(
        registry=rules.registry,
        deploy_repository=rules.deploy_repository,
        environments={"dev": rules.environments["dev"]},
    )
    assert list(room.wanted(rules, ())) == ["delivery", "delivery/deploy"]


def test_the_platform_file_says_names_library_and_agents(double: JenkinsDouble, connection: Connection) -> None:
    names = {
        "deploy_job": "Team A/cd/deploy",
        "promote_job": "promote",
        "common_chart_job": "Team A/chart",
        "library": "ours@v1.2.0",
        "agent": "linux && docker",
    }
    done = go(connection, platform(**names))
    assert [one.name for one in done.changes] == ["Team A", "Team A/cd", "Team A/cd/deploy", "promote", "Team A/chart"]
    deploy, chart = double.jobs.find("Team A/cd/deploy"), double.jobs.find("Team A/chart")
    assert deploy
    assert chart
    assert deploy.script == "@Library('ours@v1.2.0') _\ndeployPipeline(agent: 'linux && docker')\n"
    assert chart.script == "@Library('ours@v1.2.0') _\ncommonChartPipeline(agent: 'linux && docker')\n"
    assert chart.parameters == ()
    assert set(actions(go(connection, platform(**names))).values()) == {"unchanged"}


@pytest.mark.parametrize(
    "names", [{"promote_job": "delivery/deploy"}, {"promote_job": "delivery"}, {"common_chart_job": "delivery/promote"}]
)
def test_names_that_get_into_each_others_way_are_told(names: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="each other's way"):
        room.wanted(platform(**names), ())


def test_a_second_run_changes_nothing_however_jenkins_writes_it(double: JenkinsDouble, connection: Connection) -> None:
    go(connection)
    assert config(double, "delivery/deploy").startswith("<?xml version='1.1'")
    assert 'plugin="workflow-cps@' in config(double, "delivery/deploy")
    before = writes(double)
    assert actions(go(connection)) == dict.fromkeys(ALL, "unchanged")
    assert writes(double) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deployPipeline()\n", "deployPipeline()\r\n\r\n"),
        ('<choices class="java.util.Arrays$ArrayList">', '<choices class="java.util.ArrayList">'),
        ("<defaultValue/>", "<defaultValue></defaultValue>"),
        ("<defaultValue/>", ""),
        ("<numToKeep>200<", "<numToKeep>30<"),
        ("<disabled>false<", "<disabled>true<"),
    ],
)
def test_what_means_the_same_or_is_not_ours_is_no_change(
    double: JenkinsDouble, connection: Connection, old: str, new: str
) -> None:
    go(connection)
    edit(double, "delivery/deploy", old, new)
    assert actions(go(connection))["delivery/deploy"] == "unchanged"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("deployPipeline()", "somethingElse()"),
        ("<sandbox>true<", "<sandbox>false<"),
        ("<string>staging</string>", ""),
        ("<defaultValue/>", "<defaultValue>storefront</defaultValue>"),
        ("Deploys a release", "Destroys a release"),
        ("CpsFlowDefinition", "CpsScmFlowDefinition"),
    ],
)
def test_what_was_changed_of_ours_is_put_right(
    double: JenkinsDouble, connection: Connection, old: str, new: str
) -> None:
    go(connection)
    right = config(double, "delivery/deploy")
    edit(double, "delivery/deploy", old, new)
    done = go(connection)
    assert actions(done) == {**dict.fromkeys(ALL, "unchanged"), "delivery/deploy": "update"}
    assert config(double, "delivery/deploy") == right
    assert actions(go(connection)) == dict.fromkeys(ALL, "unchanged")


def test_what_others_have_added_to_our_job_stays(double: JenkinsDouble, connection: Connection) -> None:
    go(connection)
    trigger = "<triggers><hudson.triggers.TimerTrigger><spec>H 4 * * *</spec></hudson.triggers.TimerTrigger></triggers>"
    edit(double, "delivery/deploy", "<triggers/>", trigger)
    alone = "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty"
    edit(
        double,
        "delivery/deploy",
        "<properties>",
        f"<properties><{alone}><abortPrevious>false</abortPrevious></{alone}>",
    )
    parameter = "<hudson.model.BooleanParameterDefinition><name>LOUD</name></hudson.model.BooleanParameterDefinition>"
    edit(double, "delivery/deploy", "<parameterDefinitions>", f"<parameterDefinitions>{parameter}")
    carriage = "Their words &lt;b&gt; &amp;&#xd; more"
    edit(double, "delivery/deploy", "<actions/>", f"<actions><theirs>{carriage}</theirs></actions>")
    theirs = config(double, "delivery/deploy")

    done = go(connection, apps=("basket", "storefront"))
    assert actions(done)["delivery/deploy"] == "update"
    changed = list(difflib.ndiff(theirs.splitlines(), config(double, "delivery/deploy").splitlines()))
    assert [line for line in changed if line[0] in "-+"] == [
        "- Released until now: storefront.</description>",
        "+ Released until now: basket, storefront.</description>",
    ]


def test_a_job_of_somebody_else_is_refused_before_anything_is_changed(
    double: JenkinsDouble, connection: Connection
) -> None:
    double.add_job("delivery", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    double.add_job("delivery/promote", FOREIGN)
    theirs = config(double, "delivery/promote")
    planned = room.plan(connection, platform(), ("storefront",))
    assert actions(planned.jobs) == {
        "delivery": "unchanged",
        "delivery/deploy": "create",
        "delivery/promote": "refused",
    }
    with pytest.raises(Refused, match="delivery/promote: it is there, and was not made by jenkins-cd") as caught:
        room.apply(connection, planned, print)
    assert "--adopt" in caught.value.hint
    assert caught.value.exit_code == 4
    assert writes(double) == []
    assert config(double, "delivery/promote") == theirs


def test_a_job_that_is_adopted_becomes_ours_and_keeps_what_is_not(
    double: JenkinsDouble, connection: Connection
) -> None:
    double.add_job("delivery", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    double.add_job("delivery/promote", FOREIGN)
    planned = room.plan(connection, platform(), ("storefront",), adopt=True)
    assert planned.jobs.changes[2].note == "taken over"
    room.apply(connection, planned, lambda _text: None)
    promote = double.jobs.find("delivery/promote")
    assert promote
    assert "promotePipeline()" in promote.script
    assert "JiraProjectProperty" in promote.config
    assert "scriptPath" not in promote.config
    assert set(actions(go(connection)).values()) == {"unchanged"}


@pytest.mark.parametrize("adopt", [False, True])
def test_what_is_no_pipeline_job_cannot_become_one(double: JenkinsDouble, connection: Connection, adopt: bool) -> None:
    double.add_job("delivery", FREESTYLE)
    planned = room.plan(connection, platform(), (), adopt=adopt)
    assert planned.jobs.changes[0].action == "refused"
    assert "is no folder but a project" in planned.jobs.changes[0].note
    with pytest.raises(Refused):
        room.apply(connection, planned, print)
    assert writes(double) == []


def test_a_folder_of_somebody_else_is_used_and_left_as_it_is(double: JenkinsDouble, connection: Connection) -> None:
    double.add_job("delivery", "<com.cloudbees.hudson.plugins.folder.Folder><description>Ours</description>"
                   "</com.cloudbees.hudson.plugins.folder.Folder>")  # fmt: skip
    theirs = config(double, "delivery")
    done = go(connection)
    assert actions(done) == {"delivery": "unchanged", "delivery/deploy": "create", "delivery/promote": "create"}
    assert config(double, "delivery") == theirs


def test_nothing_is_removed(double: JenkinsDouble, connection: Connection) -> None:
    go(connection)
    go(connection, platform(deploy_job="delivery/ship", promote_job="delivery/lift"))
    assert {job.name for job in double.jobs} == {*ALL, "delivery/ship", "delivery/lift"}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (lambda double: double.users.find("robot").denied.add("Job/Create"), Refused),
        (lambda double: double.faults.broken(on="POST .*name=promote.*"), ExternalFailure),
        (lambda double: double.faults.cut(on="POST .*name=promote.*"), JenkinsCdError),
        (lambda double: double.faults.cut(on="POST .*name=promote.*", late=True), JenkinsCdError),
    ],
)
def test_a_failure_half_way_says_what_was_done_and_the_next_run_completes(
    double: JenkinsDouble, connection: Connection, fault: Callable[[JenkinsDouble], None], expected: type[Exception]
) -> None:
    fault(double)
    with pytest.raises(expected) as caught:
        go(connection)
    error = caught.value
    assert isinstance(error, JenkinsCdError)
    done = [name for name in ALL[:2] if double.jobs.find(name)]
    assert f"done before: {', '.join(f'{name} created' for name in done) or 'nothing'}" in error.message
    assert "run it again" in error.hint

    double.users.add("robot", "token-of-robot")
    go(connection)
    assert {job.name for job in double.jobs} == set(ALL)
    assert actions(go(connection)) == dict.fromkeys(ALL, "unchanged")


def test_a_plan_needs_no_more_than_to_read(double: JenkinsDouble, connection: Connection) -> None:
    robot = double.users.find("robot")
    assert robot
    robot.denied |= {"Job/Create", "Job/Configure", "Job/Delete", "Job/Build"}
    planned = room.plan(connection, platform(), ("storefront",))
    assert actions(planned.jobs) == dict.fromkeys(ALL, "create")
    assert all(request.startswith("GET ") for request in double.requests)


def test_what_looks_like_a_secret_is_in_no_diff(double: JenkinsDouble, connection: Connection) -> None:
    go(connection)
    edit(double, "delivery/deploy", "<actions/>", "<actions><authToken>hunter2</authToken></actions>")
    edit(double, "delivery/deploy", "Deploys", "Destroys")
    diff = room.plan(connection, platform(), ("storefront",)).jobs.changes[1].diff
    assert "authToken" in diff
    assert "hunter2" not in diff
    go(connection)
    assert "hunter2" in config(double, "delivery/deploy")


def test_an_answer_that_is_no_xml_is_told(double: JenkinsDouble, connection: Connection) -> None:
    job = double.add_job("delivery", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    job.config = "<half"
    with pytest.raises(ExternalFailure, match=r"the config\.xml of delivery cannot be read"):
        room.plan(connection, platform(), ())


def test_many_apps_are_told_in_short() -> None:
    root = room.wanted(platform(), [f"app-{number:03}" for number in range(60)])["delivery/deploy"]
    text = job_xml.pretty(root)
    assert "app-049 and 10 more." in text
    assert "app-050" not in text
