"""From `jobs apply` to staging: the library, the real command line, registry, repositories and agent of the demo.

Only Jenkins itself is not real: its REST API is the double's, its pipelines are run by the runner. The story is played
once; the tests look at what each part of it left behind.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests

from jenkins_cd.demo import site
from tests.jenkins.controller.builds import RunningBuild
from tests.jenkins.controller.server import JenkinsDouble
from tests.jenkins.model import Scm, UsernamePassword
from tests.user import Said, User
from tests.vars.world import LIBRARY, Branch, World

FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
BRANCH = "<flow-definition><definition/></flow-definition>"
CANARIES = {"registry": "canary-of-the-registry/+1", "git": "canary-of-git/+2"}
JENKINS = """
groups:
  testers: [jane]
jenkins:
  url: {url}
  credentials: {{registry: registry, git: git}}
"""


@dataclass
class Story:
    """What was done, and what came of it."""

    user: User
    world: World
    double: JenkinsDouble
    said: dict[str, Said] = field(default_factory=dict)
    builds: dict[str, RunningBuild] = field(default_factory=dict)
    ran: dict[str, dict[str, str]] = field(default_factory=dict)  # version by environment
    question: str = ""
    answers: dict[str, requests.Response] = field(default_factory=dict)  # to the question, by user

    def command(self, name: str, *arguments: str) -> None:
        token = {"JENKINS_USER": "admin", "JENKINS_TOKEN": "token-of-admin"}
        self.said[name] = self.user.cd(*arguments, env=token)

    def post(self, path: str, user: str = "jane", **form: str) -> requests.Response:
        address = f"{self.double.url}/{path}"
        return requests.post(address, data=form, auth=(user, f"token-of-{user}"), timeout=30)

    def start(self, name: str, job: str, **parameters: str) -> RunningBuild:
        """Start a build over REST."""
        path = "".join(f"job/{quote(part)}/" for part in job.split("/"))
        answer = self.post(f"{path}{'buildWithParameters' if parameters else 'build'}", **parameters)
        assert answer.status_code == 201, answer.text
        number = int(answer.headers["Location"].rstrip("/").rpartition("/")[2])
        item = self.double.queue.find(number)
        assert item
        self.builds[name] = self.double.queue.started(item, 60)
        return self.builds[name]

    def finish(self, name: str, expected: str = "SUCCESS") -> None:
        """Wait for its end, which has to be as expected: the story could not go on."""
        result = self.builds[name].wait(300)
        assert result == expected, f"{self.log(name)}\n{self.error(name)}"
        self.ran[name] = self.user.versions()

    def branch(self, name: str, ref: str, *, script: str = "", **variables: str) -> None:
        """Let the multibranch project find a branch, a tag or a pull request, with the Jenkinsfile of two lines."""
        job = f"shop/{name}"
        self.double.add_job(job, BRANCH)
        url = str(self.user.site.folder / "repositories" / "storefront.git")
        script = script or (LIBRARY / "Jenkinsfile.example").read_text(encoding="utf-8")
        self.world.branches[job] = Branch(Scm(url=url, ref=ref), script, {"BRANCH_NAME": name, **variables})

    def error(self, name: str) -> str:
        build = self.builds[name]
        return self.world.outcomes[build.job, build.number].error

    def log(self, name: str) -> str:
        return self.builds[name].text()[0].decode()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("story")
    (folder / "site").mkdir()
    with site.start(folder / "site", patience="20s") as here:
        accounts = {name: UsernamePassword(username=f"{name}-user", password=one) for name, one in CANARIES.items()}
        world = World(folder / "workspaces", env=here.env, credentials=accounts)
        with world.open() as double:
            for user in ("admin", "jane", "joe"):
                double.add_user(user, f"token-of-{user}", admin=user == "admin")
            told = Story(User(here), world, double)
            prepare(told)
            deliver(told)
            promote(told)
            bad(told)
            yield told


def prepare(told: Story) -> None:
    """Set up the jobs and release a first version, as the page on Jenkins says."""
    platform = told.user.site.folder / "platform.yaml"
    text = platform.read_text(encoding="utf-8").replace("approvers: [qa]", "approvers: [testers]")
    platform.write_text(text + JENKINS.format(url=told.double.url), encoding="utf-8")
    told.command("chart", "common-chart", "publish")
    told.command("jobs plan", "jobs", "plan")
    told.command("jobs", "jobs", "apply")
    told.command("jobs again", "jobs", "apply")
    told.double.add_job("shop", FOLDER)


def deliver(told: Story) -> None:
    told.user.git("tag", "v1.0.0")
    told.user.git("push", "--quiet", "origin", "v1.0.0")
    told.branch("PR-7", "main", CHANGE_ID="7")
    told.start("pull request", "shop/PR-7")
    told.finish("pull request")
    told.branch("v1.0.0", "v1.0.0", TAG_NAME="v1.0.0")
    told.start("release", "shop/v1.0.0")
    told.finish("release")
    told.command("jobs with the app", "jobs", "apply")
    told.branch("own", "v1.0.0", script=documented("jenkinsCd").replace("params.APP", "'storefront'"))
    told.start("own pipeline", "shop/own")
    told.finish("own pipeline")


def documented(step: str) -> str:
    """Return the example on the page of a step."""
    page = (LIBRARY / f"docs/jenkins/{step}.md").read_text(encoding="utf-8")
    return "@Library('jenkins-cd') _\n" + page.partition("```groovy\n")[2].partition("```")[0]


def promote(told: Story) -> None:
    names = {"APP": "storefront", "ENVIRONMENT": "staging"}
    told.start("unknown version", "delivery/promote", **names, VERSION="9.9.9", REASON="")
    told.finish("unknown version", "FAILURE")
    told.start("unapproved", "delivery/deploy", **names, VERSION="1.0.0")
    told.finish("unapproved", "FAILURE")
    told.start("promotion", "delivery/promote", **names, VERSION="1.0.0", REASON="it's $ale; time")
    question = asked(told, "promotion")
    told.question = question.message
    for user in ("joe", "jane"):
        told.answers[user] = told.post(f"{told.builds['promotion'].path}input/{question.id}/proceedEmpty", user)
    told.finish("promotion")
    told.command("trigger", "trigger", "deploy", "--app", "storefront", "--version", "1.0.0", "--environment", "dev",
                 "--wait")  # fmt: skip


def bad(told: Story) -> None:
    """Release a version that passes CI and fails where it is deployed."""
    told.user.git("apply", str(site.BAD_VERSION))
    told.user.git("commit", "--quiet", "--all", "--message", "Ask the price service for the prices")
    told.user.git("tag", "v1.1.0")
    told.user.git("push", "--quiet", "origin", "main", "v1.1.0")
    told.branch("v1.1.0", "v1.1.0", TAG_NAME="v1.1.0")
    told.start("bad release", "shop/v1.1.0")
    told.finish("bad release", "FAILURE")
    told.start("bad promotion", "delivery/promote", APP="storefront", VERSION="1.1.0", ENVIRONMENT="staging", REASON="")
    told.finish("bad promotion", "FAILURE")


def asked(told: Story, name: str) -> Any:
    """Wait for the question of a build and return it."""
    build = told.builds[name]
    deadline = time.monotonic() + 120
    while not build.pending:
        assert build.building, build.text()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return next(iter(build.pending.values())).question


def test_the_jobs_are_made_once(story: Story) -> None:
    assert story.said["jobs plan"].code == 0, story.said["jobs plan"].all
    assert story.said["jobs"].code == 0, story.said["jobs"].all
    assert "delivery/deploy" in story.said["jobs"].stdout
    assert story.said["jobs again"].code == 0
    assert "unchanged" in story.said["jobs again"].stdout
    assert "created" not in story.said["jobs again"].stdout


def test_a_released_app_can_be_chosen_for_a_promotion(story: Story) -> None:
    assert story.said["jobs with the app"].code == 0, story.said["jobs with the app"].all
    job = story.double.jobs.find("delivery/promote")
    assert job
    assert "storefront" in job.config


def test_two_lines_take_a_tag_through_ci_to_dev_and_test(story: Story) -> None:
    assert story.builds["release"].result == "SUCCESS", story.log("release")
    assert story.ran["release"] == {"dev": "1.0.0", "test": "1.0.0", "staging": ""}
    outcome = story.world.outcomes["shop/v1.0.0", 1]
    shown = [call.arguments["name"] for call in outcome.called("stage")]
    assert {"build", "unit-tests", "compiler-warnings", "dead-code", "code-standard", "package", "upload"} < set(shown)
    assert shown[-2:] == ["Deliver to dev", "Deliver to test"]
    assert story.builds["release"].display_name == "#1 storefront 1.0.0"


def test_the_deploy_job_ran_for_each_environment_by_its_steps(story: Story) -> None:
    outcomes = [outcome for (job, _), outcome in story.world.outcomes.items() if job == "delivery/deploy"]
    names = [outcome.display_name for outcome in outcomes if outcome.result == "SUCCESS"][:2]
    assert names == ["storefront 1.0.0 → dev", "storefront 1.0.0 → test"]
    assert [call.arguments["name"] for call in outcomes[0].called("stage")] == [
        "Prepare", "Plan", "Deploy", "Verify", "Tests", "Record",
    ]  # fmt: skip
    assert story.world.held[:2] == ["jenkins-cd deploys storefront to dev", "jenkins-cd deploys storefront to test"]


def test_tests_findings_and_reports_are_published(story: Story) -> None:
    kinds = [(job, kind) for job, kind, _ in story.world.published]
    assert {kind for job, kind in kinds if job == "shop/v1.0.0"} == {"junit", "recordIssues", "publishHTML"}
    assert {kind for job, kind in kinds if job == "delivery/deploy"} == {"junit", "publishHTML"}


def test_a_build_that_deployed_nothing_shows_no_report_of_another(story: Story) -> None:
    """The deploy job works in one workspace: the build before has left its page and its tests there."""
    shown = {
        number: {call.name for call in outcome.calls} & {"publishHTML", "junit"}
        for (job, number), outcome in story.world.outcomes.items()
        if job == "delivery/deploy"
    }
    assert shown[story.builds["unapproved"].number] == set()
    recorded = [number for number, steps in shown.items() if "publishHTML" in steps]
    assert len(recorded) == len(story.user.must("history", "--app", "storefront", "--json").json["deployments"]) - 1
    assert set(recorded) < set(shown)


def test_the_documented_pipeline_of_ones_own_runs(story: Story) -> None:
    assert story.builds["own pipeline"].result == "SUCCESS", story.log("own pipeline")
    assert "last: 1.0.0" in story.log("own pipeline")


def test_a_pull_request_is_checked_and_packaged_and_goes_nowhere(story: Story) -> None:
    assert story.builds["pull request"].result == "SUCCESS", story.log("pull request")
    assert "Nothing will be published: pull request 7 is checked, not released" in story.log("pull request")
    assert story.ran["pull request"] == {"dev": "", "test": "", "staging": ""}
    package, upload = (story.world.folder / "shop_PR-7/.jenkins-cd" / f"{name}.json" for name in ("package", "upload"))
    assert package.exists()
    assert not upload.exists()


def test_a_version_that_does_not_exist_is_refused_before_anybody_is_asked(story: Story) -> None:
    assert story.builds["unknown version"].result == "FAILURE"
    assert "storefront 9.9.9 was never published" in story.error("unknown version")


def test_nobody_can_go_around_the_question(story: Story) -> None:
    assert story.builds["unapproved"].result == "FAILURE"
    assert "people bring releases to staging" in story.error("unapproved")
    assert story.ran["unapproved"]["staging"] == ""


def test_the_approver_sees_what_runs_and_the_proof(story: Story) -> None:
    message = story.question
    assert message.startswith("Promote storefront 1.0.0 (commit ")
    assert "Runs there now: no verified version." in message
    assert "Proven in test: verified " in message
    assert "tests" in message
    assert "Reason given: it's $ale; time" in message


def test_only_an_approver_can_answer(story: Story) -> None:
    assert not story.answers["joe"].ok
    assert story.answers["jane"].ok


def test_a_promotion_that_is_approved_over_rest_ends_in_staging(story: Story) -> None:
    assert story.builds["promotion"].result == "SUCCESS", story.log("promotion")
    assert story.ran["promotion"] == {"dev": "1.0.0", "test": "1.0.0", "staging": "1.0.0"}
    history = story.user.must("history", "--app", "storefront", "--json").json["deployments"]
    [promoted] = [one for one in history if one["environment"] == "staging"]
    assert (promoted["approver"], promoted["approval_reason"]) == ("jane", "it's $ale; time")
    assert promoted["requested_by"] == "delivery/promote #2"
    assert promoted["build_url"].startswith(story.double.url)


def test_a_deployment_can_be_triggered_from_a_terminal(story: Story) -> None:
    said = story.said["trigger"]
    assert said.code == 0, said.all
    assert "is deployed and verified already" in said.stdout


def test_a_bad_version_is_rolled_back_and_its_evidence_is_in_the_build_s_error(story: Story) -> None:
    assert story.builds["bad release"].result == "FAILURE"
    assert story.ran["bad release"] == {"dev": "1.0.0", "test": "1.0.0", "staging": "1.0.0"}
    assert "shop/storefront 1.1.0 → dev: FAILURE" in story.error("bad release")
    deployed = [outcome for (job, _), outcome in story.world.outcomes.items() if job == "delivery/deploy"][-1]
    assert "1.1.0 did not come up" in deployed.error
    assert "PRICES_URL is not set" in deployed.error
    assert "not verified in test" in story.error("bad promotion")


def test_every_stage_of_every_build_is_one_sh(story: Story) -> None:
    for (job, _), outcome in story.world.outcomes.items():
        paths = [call.path for call in outcome.called("sh") if job != "shop/own"]  # which has no stages
        assert len(paths) == len(set(paths))


def test_no_secret_is_in_a_log_an_argument_a_report_or_the_ledger(story: Story) -> None:
    texts = {f"log {name}": outcome.log for name, outcome in story.world.outcomes.items()}
    texts |= {
        f"calls {name}": str([dict(c.arguments) for c in one.calls]) for name, one in story.world.outcomes.items()
    }
    for file in story.world.folder.rglob("*"):
        if file.is_file() and file.stat().st_size < 2_000_000:
            texts[str(file)] = file.read_text(encoding="utf-8", errors="replace")
    deploy = story.user.site.folder / "repositories" / "deploy.git"
    texts["ledger"] = story.user.git("log", "-p", "--all", folder=deploy)
    for name, secret in CANARIES.items():
        encoded = base64.b64encode(secret.encode()).decode()
        pair = base64.b64encode(f"{name}-user:{secret}".encode()).decode()
        for form in (secret, quote(secret, safe=""), quote_plus(secret), encoded, pair):
            assert [where for where, text in texts.items() if form in text] == []
