from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.jenkins.model import Build
from tests.jenkins.questions import Answer, Question
from tests.vars import plans
from tests.vars.scene import PLATFORM, Scene, document, failing, stages

PATIENCE = 2.0  # seconds that nobody answers for
PARAMETERS = {"APP": "storefront", "VERSION": "1.0.0", "ENVIRONMENT": "staging", "REASON": "it's $ale time"}
QUESTION = {"question": "Promote storefront 1.0.0 to staging?", "approvers": ["qa", "jane"], "already": False}


@pytest.fixture
def promotion(scene: Scene) -> Scene:
    scene.answers = {
        "promote --plan": {**document(plans.promotion()), "files": {PLATFORM: "registry: {}\n"}},
        "promote --app": asks(QUESTION),
        "approve": {},
    }
    return scene


def asks(question: dict[str, Any]) -> dict[str, Any]:
    return {"ended": {"document": question}}


def test_the_approvers_are_asked_and_the_deploy_job_does_the_rest(promotion: Scene) -> None:
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.result == "SUCCESS", outcome.log
    assert stages(outcome) == [("Prepare",), ("Question",), ("Record",)]
    [question] = promotion.asked
    assert question.message.startswith("Promote storefront 1.0.0 to staging?")
    assert question.submitters == ("qa", "jane")
    assert promotion.built == [("delivery/deploy", {"APP": "storefront", "VERSION": "1.0.0", "ENVIRONMENT": "staging"})]
    assert (outcome.display_name, outcome.description) == ("storefront 1.0.0 → staging", "approved by jane")


def test_who_approved_is_recorded_before_anything_is_deployed(promotion: Scene) -> None:
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert promotion.started[-1].arguments[-2:] == ["--approver", "jane"]
    names = [call.name for call in outcome.calls if call.name in ("sh", "input", "build")]
    assert names == ["sh", "sh", "input", "sh", "build"]


def test_no_agent_waits_while_somebody_is_asked(promotion: Scene) -> None:
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    names = [call.name for call in outcome.calls if call.name in ("node", "input")]
    assert names == ["node", "input", "node"]


def test_the_reason_reaches_the_command_as_it_is(promotion: Scene) -> None:
    promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert promotion.started[0].arguments[-2:] == ["--reason", "it's $ale time"]


def test_a_version_that_may_not_go_there_is_refused_before_anybody_is_asked(promotion: Scene) -> None:
    promotion.answers["promote --app"] = failing("1.0.0 may not go to staging: it is not verified in test", code=4)
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.result == "FAILURE"
    assert "it is not verified in test" in outcome.error
    assert (promotion.asked, promotion.built) == ([], [])


def test_a_no_records_nothing_and_deploys_nothing(promotion: Scene) -> None:
    promotion.approver = None
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.result in ("ABORTED", "FAILURE")
    assert [started.arguments[0] for started in promotion.started] == ["promote", "promote"]
    assert promotion.built == []


def test_a_question_that_is_aborted_records_nothing_and_deploys_nothing(
    promotion: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has the right Job/Cancel can do so: Jenkins asks for no more."""
    aborted = threading.Event()

    def nobody_answers(_build: Build, _question: Question) -> Answer:
        aborted.set()
        time.sleep(PATIENCE)
        return Answer(submitter="jane")

    monkeypatch.setattr(promotion, "input", nobody_answers)
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS, aborted=aborted)
    assert outcome.result == "ABORTED"
    assert [started.arguments[0] for started in promotion.started] == ["promote", "promote"]
    assert (outcome.description or "", promotion.built) == ("", [])


def test_an_answer_of_somebody_who_may_not_approve_deploys_nothing(promotion: Scene) -> None:
    promotion.answers["approve"] = failing("1.0.0 may not go to staging: admin is not one of its approvers", code=4)
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert "admin is not one of its approvers" in outcome.error
    assert promotion.built == []


def test_a_deployment_that_fails_fails_the_promotion(promotion: Scene) -> None:
    promotion.downstream = {"staging": "FAILURE"}
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.error == "storefront 1.0.0 → staging: FAILURE\nit did not come up\nhttp://jenkins/job/d/3/"


def test_a_promotion_is_one_run_on_whichever_agents(promotion: Scene) -> None:
    promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert len({started.environment["JENKINS_CD_RUN"] for started in promotion.started}) == 1


def test_a_refusal_is_told_in_the_build_s_description(promotion: Scene) -> None:
    promotion.answers["promote --app"] = failing("1.0.0 may not go to staging: it is not verified in test", code=4)
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.description.endswith("1.0.0 may not go to staging: it is not verified in test")


def test_who_approved_stays_in_the_description_where_the_deployment_fails(promotion: Scene) -> None:
    promotion.downstream = {"staging": "FAILURE"}
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.description == "approved by jane; storefront 1.0.0 → staging: FAILURE"


def test_what_is_deployed_already_needs_nobody(promotion: Scene) -> None:
    promotion.answers["promote --app"] = asks({**QUESTION, "already": True})
    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS)
    assert outcome.result == "SUCCESS"
    assert "nothing to do: storefront 1.0.0 → staging is deployed and verified already" in outcome.log
    assert (promotion.asked, promotion.built) == ([], [])


def test_the_platform_file_of_the_plan_is_there_on_whichever_agent_records(promotion: Scene) -> None:
    """The agent that records may have another workspace; here it is the same, emptied by what happens meanwhile."""
    file = promotion.workspace / PLATFORM
    promotion.answers["approve"] = {}

    def forget(line: str) -> None:
        if line == "[Pipeline] input":
            file.unlink()

    outcome = promotion.run("promotePipeline()", parameters=PARAMETERS, log=forget)
    assert outcome.result == "SUCCESS", outcome.log
    assert file.read_text(encoding="utf-8") == "registry: {}\n"
