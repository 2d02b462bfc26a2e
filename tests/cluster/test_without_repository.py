"""A platform without a deploy repository on a real cluster, with Helm 3 and 4: values stand in the release's chart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd.config.types import Ledger
from jenkins_cd.delivery import declaration, release_owner
from jenkins_cd.gitops.ledger import Ledger as Records
from tests.cluster import agent as agents
from tests.cluster.agent import Agent
from tests.cluster.pushed import APP, App, publish
from tests.deployments import STEPS
from tests.gitops.remotes import bare, git

REPLICAS = {"1.0.0": 1, "1.0.1": 1, "2.0.0": 2}


@pytest.fixture
def app(pushed: App, tmp_path: Path) -> App:
    """An app whose charts have values of dev. The ledger is all that there is in Git."""
    port = int(pushed.target.url.rpartition(":")[2])
    values = {version: {"nodePort": port, "replicas": number} for version, number in REPLICAS.items()}
    charts = publish(pushed.lab, tmp_path / "own", values)
    ledger = Ledger(url=str(bare(tmp_path / "ledger.git")))
    platform = replace(pushed.target.platform, deploy_repository=None, ledger=ledger)
    return replace(pushed, target=replace(pushed.target, platform=platform), charts=charts)


@pytest.fixture
def agent(app: App, runtime: Path, tmp_path: Path) -> Agent:
    return agents.prepared(app, runtime, tmp_path)


def replicas(app: App) -> int:
    return int(app.live("deployments", APP)["spec"]["replicas"])


def test_each_release_brings_its_own_values_and_the_way_back_those_of_before(app: App) -> None:
    first = app.plan("1.0.0")
    assert (first.declared, first.files_of) == (None, "the app's chart")
    assert "# values: values-dev.yaml of the chart\n" in first.manifests
    Records.open(app.target.platform).publish(app.release("1.0.0"))
    assert app.deploy("1.0.0").reached
    assert (replicas(app), app.image) == (1, app.lab.image("1.0.0"))
    plan = app.plan("2.0.0")
    assert plan.declared == "1.0.0"
    assert "-  replicas: 1\n+  replicas: 2\n" in plan.files
    followed = app.deploy("2.0.0")
    assert followed.reached, followed.reason
    assert (replicas(app), app.image) == (2, app.lab.image("2.0.0"))
    assert app.status.labels[f"{release_owner.PREFIX}commit"] == app.release("2.0.0").commit
    assert app.deploy("1.0.0", verified="1.0.0").reached
    assert (replicas(app), app.status.description) == (1, "Rollback to 1")


def test_applying_what_is_deployed_makes_no_revision(app: App) -> None:
    commit = app.apply("1.0.0")
    plan = app.plan("1.0.0")
    assert (plan.declared, plan.files, plan.manifests) == ("1.0.0", "", "")
    assert app.apply("1.0.0") == commit
    assert app.status.revision == 1


def test_a_version_that_came_between_is_no_failure_of_ours(app: App) -> None:
    commit = app.apply("1.0.0")
    release = app.release("1.0.0")
    assert declaration.other_wish(app.target, release, commit) == ""
    app.apply("2.0.0")
    assert declaration.other_wish(app.target, release, commit) == "2.0.0"


def test_the_commands_work_with_the_ledger_alone(agent: Agent, tmp_path: Path) -> None:
    dev = ("--app", APP, "--environment", "dev")
    agent.platform(tests=["smoke"], on_failure="rollback")
    said = agent.run("diff", *dev)
    assert (said.code, "nothing was deployed of storefront to dev" in said.stderr) == (2, True)
    shown = agent.end(agent.start("1.0.0", "--dry-run"))
    assert "changes in the app's chart:" in shown.stdout, shown.all
    agent.deploy("1.0.0")
    failed = agent.end(agent.start("2.0.0"))
    assert failed.code == 1, failed.all
    assert agent.outcomes == [("1.0.0", "verified"), ("2.0.0", "failed"), ("1.0.0", "verified")]
    assert (replicas(agent.app), agent.app.image) == (1, agent.app.lab.image("1.0.0"))
    agent.deploy("1.0.0")
    assert agent.app.status.revision == 3
    assert len(agent.outcomes) == 3
    assert agent.run("diff", *dev).code == 0
    assert "replicas: 2" in agent.run("diff", *dev, "--version", "2.0.0").stdout
    assert agent.run("drift", *dev).code == 0
    assert "1.0.0" in agent.run("status").stdout
    assert "kind: Role" in agent.run("render rbac", "--environment", "dev").stdout
    assert git(tmp_path / "ledger.git", "for-each-ref", "--format=%(refname)").split() == ["refs/heads/ledger"]


def test_the_steps_of_a_pipeline_need_no_deploy_repository(agent: Agent) -> None:
    for step in STEPS:
        said = agent.end(agent.start("2.0.0", "--step", step))
        assert said.code == 0, said.all
    assert agent.outcomes == [("2.0.0", "verified")]
    assert replicas(agent.app) == 2
