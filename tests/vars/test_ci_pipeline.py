from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from tests.vars import plans
from tests.vars.scene import Scene, document, failing, stages

TWO_LINES = "ciPipeline(checkout: false)"
JUNIT = '<testsuite name="a" tests="1"><testcase classname="a" name="b"/></testsuite>'
SARIF = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a"}}, "results": []}]}'
SHELL_STAGES = [("Plan",), ("build",), ("dead-code",), ("unit-tests",), ("package",), ("upload",)]


@pytest.fixture
def ci(scene: Scene) -> Scene:
    """A build whose stages all pass, and leave what they publish."""
    page = {".jenkins-cd/report/index.html": "<html>"}
    scene.answers = {
        "ci --plan": document(plans.ci()),
        "ci unit-tests": {"files": {".jenkins-cd/unit-tests/junit.xml": JUNIT}},
        "ci upload": {"files": page},
        "ci dead-code": {"files": {".jenkins-cd/dead-code.sarif": SARIF}},
    }
    return scene


def test_every_stage_is_shown_by_its_name_with_one_sh(ci: Scene) -> None:
    outcome = ci.run(TWO_LINES)
    assert outcome.result == "SUCCESS", outcome.log
    assert sorted(stages(outcome)) == sorted(SHELL_STAGES)
    assert [call.arguments["name"] for call in outcome.called("stage")][-2:] == ["Deliver to dev", "Deliver to test"]
    assert next(call.arguments["label"] for call in outcome.called("sh")) == "jenkins-cd ci --plan"


def test_stages_that_do_not_wait_for_one_another_are_side_by_side(ci: Scene) -> None:
    outcome = ci.run(TWO_LINES)
    paths = {call.path for call in outcome.called("sh")}
    assert {("build", "build"), ("dead-code", "dead-code"), ("unit-tests", "unit-tests"), ("upload",)} < paths
    order = [started.arguments[1] for started in ci.started]
    assert order[0] == "--plan"
    assert set(order[1:3]) == {"build", "dead-code"}
    assert set(order[3:5]) == {"unit-tests", "package"}
    assert order[5] == "upload"


def test_the_build_is_named_for_what_it_builds(ci: Scene) -> None:
    assert ci.run(TWO_LINES).display_name == "#1 storefront 1.0.0"


def test_each_stage_is_given_just_the_credentials_of_its_plan(ci: Scene) -> None:
    outcome = ci.run(TWO_LINES)
    given = {call.path[-1]: call.secrets for call in outcome.called("sh")}
    registry = {"JENKINS_CD_REGISTRY_USERNAME", "JENKINS_CD_REGISTRY_PASSWORD"}
    git = {"JENKINS_CD_GIT_USERNAME", "JENKINS_CD_GIT_PASSWORD"}
    assert given == {
        "Plan": set(), "build": set(), "dead-code": set(), "unit-tests": set(),
        "package": registry | git, "upload": registry | git,
    }  # fmt: skip
    for started in ci.started:
        found = {name for name in started.environment if name.startswith(("JENKINS_CD_REGISTRY", "JENKINS_CD_GIT"))}
        assert found == given[{"--plan": "Plan"}.get(started.arguments[1], started.arguments[1])]


def test_the_platform_file_is_read_with_credentials_once_and_then_held_to(ci: Scene) -> None:
    outcome = ci.run(
        TWO_LINES,
        env={"JENKINS_CD_PLATFORM": "git+https://git/p.git@main:p.yaml", "JENKINS_CD_PLATFORM_CREDENTIALS": "platform"},
    )
    assert outcome.result == "SUCCESS", outcome.log
    first, *others = ci.started
    assert first.environment["JENKINS_CD_PLATFORM"] == "git+https://git/p.git@main:p.yaml"
    assert first.environment["JENKINS_CD_GIT_PASSWORD"] == "platform-canary/+ä"
    for one in others:
        assert one.environment["JENKINS_CD_PLATFORM"] == plans.PLATFORM.file
        assert one.environment["JENKINS_CD_PLATFORM_DIGEST"] == plans.PLATFORM.digest
        assert one.environment.get("JENKINS_CD_GIT_PASSWORD") != "platform-canary/+ä"


def test_tests_findings_and_the_page_are_published(ci: Scene) -> None:
    ci.run(TWO_LINES)
    shown = dict(ci.shown)
    assert set(shown) == {"junit", "recordIssues", "publishHTML"}
    assert shown["junit"]["testResults"] == ".jenkins-cd/unit-tests/junit.xml"
    assert ".jenkins-cd/dead-code.sarif" in str(shown["recordIssues"])
    assert ".jenkins-cd/report" in str(shown["publishHTML"])


def test_findings_are_recorded_without_a_page_of_words_in_the_log(ci: Scene) -> None:
    [call] = ci.run(TWO_LINES).called("recordIssues")
    assert call.arguments["quiet"] is True


def test_where_a_stage_has_written_no_tests_jenkins_is_not_asked_for_any(ci: Scene) -> None:
    ci.answers["ci unit-tests"] = failing("unit-tests: gotestsum is not installed", code=2)
    assert ci.run(TWO_LINES).called("junit") == []


def test_why_a_build_failed_is_its_description(ci: Scene) -> None:
    ci.answers["ci unit-tests"] = failing("unit-tests: 1 failed test, 0 allowed", evidence="main_test.go:3")
    assert ci.run(TWO_LINES).description == "jenkins-cd ci unit-tests: unit-tests: 1 failed test, 0 allowed"


def test_an_outer_node_with_its_own_checkout_is_where_everything_runs(ci: Scene) -> None:
    script = f"node('builder') {{\n    writeFile(file: 'cd.yaml', text: 'app: a')\n    {TWO_LINES}\n}}"
    outcome = ci.run(script)
    assert outcome.result == "SUCCESS", outcome.log
    assert len(outcome.called("node")) == 1
    assert {started.folder for started in ci.started} == {str(ci.workspace)}


def test_every_command_of_a_pipeline_knows_the_run_and_the_next_run_is_another(ci: Scene) -> None:
    runs = []
    for _ in range(2):
        assert ci.run(TWO_LINES).result == "SUCCESS"
        [run] = {started.environment["JENKINS_CD_RUN"] for started in ci.started}
        runs.append(run)
    assert len(set(runs)) == 2


def test_a_plugin_that_is_missing_costs_its_view_and_not_the_build(ci: Scene) -> None:
    ci.missing = frozenset({"junit", "recordIssues", "sarif", "publishHTML"})
    outcome = ci.run(TWO_LINES)
    assert outcome.result == "SUCCESS", outcome.log
    for step in ("junit", "recordIssues", "publishHTML"):
        assert f"this Jenkins has no step {step}, its plugin is not installed" in outcome.log
    [(kind, arguments)] = ci.shown
    assert kind == "archiveArtifacts"
    assert arguments["artifacts"] == ".jenkins-cd/**"


def test_the_deploy_job_is_started_for_each_automatic_environment_in_turn(ci: Scene) -> None:
    ci.run(TWO_LINES)
    values = {"APP": "shop/storefront", "VERSION": "1.0.0"}
    assert ci.built == [("delivery/deploy", {**values, "ENVIRONMENT": name}) for name in ("dev", "test")]


def test_delivery_ends_with_the_first_environment_that_fails_and_says_why(ci: Scene) -> None:
    ci.downstream = {"dev": "FAILURE"}
    outcome = ci.run(TWO_LINES)
    assert outcome.result == "FAILURE"
    assert outcome.error == "shop/storefront 1.0.0 → dev: FAILURE\nit did not come up\nhttp://jenkins/job/d/3/"
    assert len(ci.built) == 1


@pytest.mark.parametrize(
    ("script", "plan"),
    [
        ("ciPipeline(checkout: false, deliver: false)", plans.ci()),
        (TWO_LINES, plans.ci(delivery=None, unreleased="pull request 7 is checked, not released")),
    ],
)
def test_nothing_is_delivered_where_that_is_not_wanted_or_nothing_was_released(
    ci: Scene, script: str, plan: Any
) -> None:
    ci.answers["ci --plan"] = document(plan)
    outcome = ci.run(script)
    assert (outcome.result, ci.built) == ("SUCCESS", [])
    assert not plan.unreleased or f"Nothing will be published: {plan.unreleased}" in outcome.log


def test_a_stage_that_does_not_apply_is_shown_with_the_reason_and_starts_nothing(ci: Scene) -> None:
    skipped = replace(plans.CHECK, skip_reason="switched off by ci.dead-code.enabled")
    ci.answers["ci --plan"] = document(plans.ci(plans.BUILD, skipped))
    outcome = ci.run(TWO_LINES)
    assert stages(outcome) == [("Plan",), ("build",)]
    assert "skipped: switched off by ci.dead-code.enabled" in outcome.log


def test_a_failed_stage_lets_the_others_go_on_and_keeps_back_what_needs_it(ci: Scene) -> None:
    ci.answers["ci build"] = failing("build: it does not compile", evidence="main.go:3", hint="mend it")
    outcome = ci.run(TWO_LINES)
    assert outcome.result == "FAILURE"
    assert outcome.error == "jenkins-cd ci build: build: it does not compile\nmain.go:3\nnext: mend it"
    assert sorted(stages(outcome)) == [("Plan",), ("build",), ("dead-code",)]
    assert "not run: build did not pass" in outcome.log
    assert "not run: build, unit-tests, package did not pass" in outcome.log
    assert ci.built == []


def test_all_that_failed_stands_in_the_build_s_error(ci: Scene) -> None:
    ci.answers |= {"ci unit-tests": failing("1 test failed"), "ci dead-code": failing("2 findings")}
    assert set(ci.run(TWO_LINES).error.splitlines()) == {
        "jenkins-cd ci unit-tests: 1 test failed",
        "jenkins-cd ci dead-code: 2 findings",
    }


@pytest.mark.parametrize(
    ("script", "plan"),
    [
        ("ciPipeline(checkout: false, unstable: ['dead-code'])", plans.ci()),
        (TWO_LINES, plans.ci(plans.BUILD, replace(plans.CHECK, unstable=True), plans.UPLOAD)),
    ],
)
def test_a_check_can_be_made_unstable_and_then_nothing_is_published(ci: Scene, script: str, plan: Any) -> None:
    ci.answers |= {"ci --plan": document(plan), "ci dead-code": failing("2 findings")}
    outcome = ci.run(script)
    assert outcome.result == "UNSTABLE", outcome.log
    assert ("upload",) not in stages(outcome)
    assert ci.built == []


def test_only_a_failed_gate_can_be_unstable_not_a_server_that_is_down(ci: Scene) -> None:
    ci.answers["ci dead-code"] = failing("no answer", code=3)
    assert ci.run("ciPipeline(checkout: false, unstable: ['dead-code'])").result == "FAILURE"


def test_a_plan_that_fails_is_the_build_s_error_with_every_problem(ci: Scene) -> None:
    ci.answers["ci --plan"] = failing("2 problems", code=2, problems=["cd.yaml:3: app: …", "cd.yaml:4: no such key"])
    outcome = ci.run(TWO_LINES)
    assert outcome.error == "jenkins-cd ci --plan: 2 problems\ncd.yaml:3: app: …\ncd.yaml:4: no such key"
    assert stages(outcome) == [("Plan",)]


def test_a_command_that_dies_without_a_word_is_told_as_such(ci: Scene) -> None:
    ci.answers["ci build"] = {"dies": True, "code": 137}
    assert "jenkins-cd ci build ended with exit code 137: the log above says why" in ci.run(TWO_LINES).error


def test_an_aborted_build_ends_its_commands_and_starts_no_more(ci: Scene) -> None:
    ci.answers["ci build"] = {"wait": 60}
    aborted = threading.Event()
    outcome = ci.run(TWO_LINES, aborted=aborted, log=lambda line: aborted.set() if line == "waiting" else None)
    assert outcome.result == "ABORTED"
    assert {started.arguments[1] for started in ci.started} <= {"--plan", "build", "dead-code"}


def test_a_folder_of_the_checkout_can_be_the_app_s(ci: Scene) -> None:
    assert ci.run("ciPipeline(checkout: false, directory: 'services/shop')").result == "SUCCESS"
    assert {started.folder for started in ci.started} == {str(ci.workspace / "services/shop")}


def test_the_version_is_passed_on_as_it_is(ci: Scene) -> None:
    ci.run("ciPipeline(checkout: false, version: '1.0; touch pwned')")
    assert ci.started[0].arguments == ["ci", "--plan", "--version", "1.0; touch pwned"]
    assert not list(ci.folder.rglob("pwned"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("deliverr: false", "ciPipeline: there is no option 'deliverr'. The options are: agent, platform, "),
        ("deliver: 'no'", "ciPipeline: the option 'deliver' is a text, expected a true or false"),
        ("unstable: 'dead-code'", "ciPipeline: the option 'unstable' is a text, expected a list"),
        ("timeout: '2h'", "ciPipeline: the option 'timeout' is a text, expected a number"),
    ],
)
def test_an_option_that_is_unknown_or_of_another_type_is_an_error(ci: Scene, options: str, said: str) -> None:
    outcome = ci.run(f"ciPipeline({options})")
    assert outcome.result == "FAILURE"
    assert outcome.error.startswith(said)
    assert ci.started == []
