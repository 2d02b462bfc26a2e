"""`jenkins-cd deploy` as a whole on a real cluster, with Helm 3 and Helm 4."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd.cluster import rights
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import accounts
from tests.cluster.agent import HOOK, Agent, read_until
from tests.cluster.pushed import APP
from tests.user import eventually

CRASH = [{"name": "PROBE_EXIT_CODE", "value": "3"}, {"name": "PROBE_PRINT", "value": "no database"}]


def test_what_jenkins_holds_is_enough_though_it_may_do_nothing_but_ask_for_a_token(
    agent: Agent, administrator: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = agent.app.namespace
    accounts.apply(administrator, rights.tokens(namespace, [accounts.ACCOUNT], f"{namespace}/agent"))
    with accounts.bootstrap(administrator, agent.folder, namespace) as kubeconfig:
        held = Cluster.of(kubeconfig)
        assert "may not list" in accounts.refused(kubernetes.list_, held, f"/api/v1/namespaces/{namespace}/secrets")
        monkeypatch.setenv("JENKINS_CD_KUBECONFIG", str(kubeconfig))
        agent.deploy("1.0.0")
        agent.deploy("1.0.1")
    assert agent.app.image == agent.app.lab.image("1.0.1")
    assert agent.kubeconfigs == []
    assert agent.outcomes == [("1.0.0", "verified"), ("1.0.1", "verified")]


def test_a_crash_loop_fails_the_build_with_its_evidence_in_the_error_and_on_the_page(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_RESULT", str(tmp_path / "result.json"))
    agent.app.says(env=CRASH)
    said = agent.end(agent.start("1.0.0"))
    assert said.code == 1
    assert "app crashes again and again, last with exit code 3" in said.stderr
    assert "no database" not in said.stdout  # whoever reads the result shows it
    assert "no database" in json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["evidence"]
    pages = [file.read_text(encoding="utf-8") for file in (tmp_path / ".jenkins-cd").rglob("*.html")]
    assert any("no database" in page for page in pages)
    assert agent.outcomes == [("1.0.0", "failed")]


def test_a_version_whose_tests_fail_is_put_back_by_helm(agent: Agent) -> None:
    agent.platform(tests=["smoke"], on_failure="rollback")
    agent.deploy("1.0.0")
    said = agent.end(agent.start("2.0.0"))
    assert said.code == 1, said.all
    assert agent.app.status.description == "Rollback to 1"
    assert agent.app.image == agent.app.lab.image("1.0.0")
    assert agent.outcomes == [("1.0.0", "verified"), ("2.0.0", "failed"), ("1.0.0", "verified")]


def test_a_dry_run_shows_the_change_and_makes_none(agent: Agent) -> None:
    agent.deploy("1.0.0")
    said = agent.end(agent.start("1.0.1", "--dry-run"))
    assert said.code == 0, said.all
    assert agent.app.lab.image("1.0.1").rpartition("@")[2] in said.stdout
    assert "dry run takes all 3 objects" in said.all
    assert agent.app.status.revision == 1
    assert agent.outcomes == [("1.0.0", "verified")]


def test_of_two_machines_that_deploy_at_once_the_second_waits_for_the_first(agent: Agent, tmp_path: Path) -> None:
    agent.deploy("1.0.0")
    agent.app.says(hook=HOOK)
    elsewhere = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "BUILD_URL": "https://jenkins.local/job/shop/8/"}
    first = agent.start("1.0.1")
    try:
        eventually(lambda: agent.hooks or first.poll() is not None, 60)
        second = replace(agent, env=elsewhere).start("2.0.0")
        try:
            read_until(second, f"waiting: the release {APP} is pending-upgrade")
            told = agent.end(first)
        finally:
            rest = agent.end(second)
    finally:
        first.kill()
    assert rest.code == 0, rest.all
    assert told.code in (0, 1), told.all
    assert agent.app.image == agent.app.lab.image("2.0.0")
    outcomes = agent.outcomes
    assert ("2.0.0", "verified") in outcomes
    assert ("1.0.1", "failed") not in outcomes
