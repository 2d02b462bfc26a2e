from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.deploy_steps import STAGES
from tests.vars import plans
from tests.vars.scene import Scene, document, failing, stages

PARAMETERS = {"APP": "storefront", "VERSION": "1.0.0", "ENVIRONMENT": "dev"}
DONE = {"ended": {"document": {"done": [{"already": False}]}}}


@pytest.fixture
def deploy(scene: Scene) -> Scene:
    scene.answers = {"deploy": DONE, "deploy --app storefront --version 1.0.0 --environment dev --plan": {}}
    return scene


def answers(**steps: Any) -> dict[str, Any]:
    """Return answers by step."""
    words = "deploy --app storefront --version 1.0.0 --environment dev --step"
    usual = dict.fromkeys(STAGES, DONE)
    return {"deploy --plan": document(plans.deployment())} | {
        f"{words} {name}": answer for name, answer in {**usual, **steps}.items()
    }


def test_the_steps_are_stages_with_one_sh_each(scene: Scene) -> None:
    files = {".jenkins-cd/report/index.html": "", ".jenkins-cd/tests/dev/junit.xml": "<testsuites/>"}
    scene.answers = answers(record={**DONE, "files": files})
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.result == "SUCCESS", outcome.log
    assert stages(outcome) == [("Prepare",), ("Plan",), ("Deploy",), ("Verify",), ("Tests",), ("Record",)]
    assert outcome.display_name == "storefront 1.0.0 → dev"
    assert [started.arguments[-1] for started in scene.started] == ["dev", *STAGES]
    assert [kind for kind, _ in scene.shown] == ["junit", "publishHTML"]


def test_deployments_of_one_app_to_one_environment_hold_one_lock(scene: Scene) -> None:
    scene.answers = answers()
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert scene.held == ["jenkins-cd deploys storefront to dev"]
    assert outcome.called("lock")[0].arguments["resource"] == "jenkins-cd deploys storefront to dev"


def test_without_the_plugin_for_locks_it_says_so_and_deploys(scene: Scene) -> None:
    scene.answers, scene.missing = answers(), frozenset({"lock"})
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.result == "SUCCESS", outcome.log
    assert "this Jenkins has no step lock, its plugin is not installed" in outcome.log
    assert len(scene.started) == 6


def test_a_failure_ends_it_with_the_evidence_in_the_build_s_error(scene: Scene) -> None:
    bad = failing("storefront 1.0.0 in dev: failed: it did not come up", evidence="HTTP 500", hint="mend it")
    junit = ".jenkins-cd/tests/dev/junit.xml"
    scene.answers = answers(verify={**bad, "files": {junit: "<testsuites/>"}})
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.result == "FAILURE"
    said = "jenkins-cd deploy: storefront 1.0.0 in dev: failed: it did not come up"
    assert outcome.error == f"{said}\nHTTP 500\nnext: mend it"
    assert outcome.description == said
    assert stages(outcome)[-1] == ("Verify",)
    assert [shown["files"] for kind, shown in scene.shown if kind == "junit"] == [[junit]]


def test_a_failure_in_prepare_is_told_to_whoever_started_the_build(scene: Scene) -> None:
    scene.answers = {"deploy --plan": failing("there is no environment 'dve' (did you mean dev?)", code=2)}
    outcome = scene.run("deployPipeline()", parameters={**PARAMETERS, "ENVIRONMENT": "dve"})
    assert outcome.result == "FAILURE"
    assert outcome.description == "jenkins-cd deploy --plan: there is no environment 'dve' (did you mean dev?)"


def test_credentials_that_jenkins_does_not_have_are_told_too(scene: Scene) -> None:
    scene.answers, scene.credentials = answers(), {}
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.description == "Could not find credentials entry with ID 'registry'"


def test_tests_that_fail_are_recorded_and_the_record_is_the_build_s_error(scene: Scene) -> None:
    bad = failing("storefront 1.0.0 in dev: smoke: exit code 3")
    told = failing("storefront 1.0.0 in dev: failed: smoke: exit code 3", evidence="HTTP 500")
    scene.answers = answers(test=bad, record=told)
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.result == "FAILURE"
    assert outcome.error == "jenkins-cd deploy: storefront 1.0.0 in dev: failed: smoke: exit code 3\nHTTP 500"
    assert stages(outcome)[-2:] == [("Tests",), ("Record",)]


def test_tests_that_fail_make_the_build_fail_whatever_the_record_says(scene: Scene) -> None:
    scene.answers = answers(test=failing("storefront 1.0.0 in dev: smoke: exit code 3"))
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert (outcome.result, outcome.error) == (
        "FAILURE",
        "jenkins-cd deploy: storefront 1.0.0 in dev: smoke: exit code 3",
    )


@pytest.mark.parametrize("step", ["plan", "apply", "verify"])
def test_nothing_is_run_after_another_step_that_fails(scene: Scene, step: str) -> None:
    scene.answers = answers(**{step: failing("no")})
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert scene.started[-1].arguments[-1] == step
    assert outcome.result == "FAILURE"


def test_what_is_deployed_already_is_left_alone(scene: Scene) -> None:
    scene.answers = answers(plan={"ended": {"document": {"done": [{"already": True}]}}})
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS)
    assert outcome.result == "SUCCESS", outcome.log
    assert stages(outcome) == [("Prepare",), ("Plan",)]
    assert [call.arguments["name"] for call in outcome.called("stage")][2:] == ["Deploy", "Verify", "Tests", "Record"]


def test_each_step_is_given_just_the_credentials_of_its_plan(scene: Scene) -> None:
    scene.answers = answers()
    outcome = scene.run("deployPipeline()", parameters=PARAMETERS, env={"JENKINS_CD_PLATFORM_CREDENTIALS": "platform"})
    given = [{name.split("_")[2] for name in call.secrets} for call in outcome.called("sh")]
    assert given == [{"GIT"}, *[{"REGISTRY", "GIT"}] * 3, set(), {"REGISTRY", "GIT"}]
    passwords = [started.environment.get("JENKINS_CD_GIT_PASSWORD", "") for started in scene.started]
    assert passwords == ["platform-canary/+ä", *["git-canary/+ä"] * 3, "", "git-canary/+ä"]


@pytest.mark.parametrize("version", ["1.0; rm -rf /", "$(id)", "a'b\"c", "1.0.0\n2.0.0"])
def test_a_parameter_reaches_the_command_as_it_is(scene: Scene, version: str) -> None:
    scene.answers = {"deploy": failing("no version", code=2)}
    outcome = scene.run("deployPipeline()", parameters={**PARAMETERS, "VERSION": version})
    assert outcome.result == "FAILURE"
    assert scene.started[0].arguments == [
        "deploy", "--plan", "--app", "storefront", "--version", version, "--environment", "dev",
    ]  # fmt: skip


def test_options_go_before_parameters(scene: Scene) -> None:
    scene.answers = {"deploy": failing("enough seen")}
    scene.run("deployPipeline(app: 'shop/greeter', environment: 'test')", parameters=PARAMETERS)
    assert scene.started[0].arguments[3::2] == ["shop/greeter", "1.0.0", "test"]
