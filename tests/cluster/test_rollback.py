"""The way back on a real cluster, with hooks of its own, and where it is killed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import phases
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.delivery import helm
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Image
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests import programs
from tests.cluster.agent import HOOK, Agent
from tests.cluster.pushed import APP, App
from tests.user import eventually


def hook(when: str, code: str) -> dict[str, Any]:
    env = [{"name": "PROBE_EXIT_CODE", "value": code}, {"name": "PROBE_PRINT", "value": "the table is locked"}]
    return {"name": "before", "when": when, "env": env}


def deploy(pushed: App, folder: Path, version: str, **release: Any) -> tuple[Deployment, ...]:
    """Deploy a version in one go, with the way back."""
    ledger = Ledger.open(pushed.target.platform)
    ledger.publish(pushed.release(version))
    one = Attempt(
        request=Request(app=APP, version=version, environment="dev", requested_by="jane"),
        release=replace(pushed.release(version), **release),
        target=pushed.target,
        model=helm,
        ledger=ledger,
        folder=folder,
    )
    verified = ledger.verified(APP, "dev")
    return phases.carry_out(one, phases.planned(one, verified), verified)


def test_a_hook_before_the_rollback_that_succeeds_does_not_stop_it(pushed: App, tmp_path: Path) -> None:
    pushed.rules(on_failure="rollback")
    pushed.says(hook=hook("pre-rollback", "0"))
    deploy(pushed, tmp_path, "1.0.0")
    missing = Image(repository=f"{pushed.lab.registry}/probe", digest=f"sha256:{'0' * 64}")
    _, back = deploy(pushed, tmp_path, "2.0.0", image=missing)
    assert (back.outcome, pushed.status.description) == ("verified", "Rollback to 1")
    assert pushed.image == pushed.lab.image("1.0.0")


@pytest.mark.parametrize(
    ("when", "reason", "running"),
    [
        ("pre-rollback", "1.0.0 was not put back: hook: ", "2.0.0"),
        ("post-rollback", "1.0.0 was put back, but failed: hook: ", "1.0.0"),
    ],
)
def test_a_hook_that_fails_on_the_way_back_is_recorded_and_holds_the_release_for_nobody(
    pushed: App, tmp_path: Path, when: str, reason: str, running: str
) -> None:
    pushed.rules(on_failure="rollback")
    pushed.says(hook=hook(when, "4"))
    deploy(pushed, tmp_path, "1.0.0")
    missing = Image(repository=f"{pushed.lab.registry}/probe", digest=f"sha256:{'0' * 64}")
    failed, back = deploy(pushed, tmp_path, "2.0.0", image=missing)
    assert (failed.outcome, back.kind, back.version, back.outcome) == ("failed", "rollback", "1.0.0", "failed")
    assert back.reason.startswith(f"{reason}Job {APP}-before")
    assert "the table is locked" in back.evidence
    assert (pushed.status.status, pushed.status.version) == ("deployed", running)
    recorded = [(one.kind, one.outcome) for one in Ledger.open(pushed.target.platform).deployments(APP, "dev")]
    assert recorded == [("rollback", "failed"), ("deployment", "failed"), ("deployment", "verified")]
    pushed.says(hook=None)
    [deployed] = deploy(pushed, tmp_path, "1.0.1")
    assert deployed.outcome == "verified"


def killed(agent: Agent, version: str, reached: Callable[[], object]) -> int:
    """Start a deployment, and kill it with all that it has started at a certain point; returns its process ID."""
    running = agent.start(version)
    try:
        eventually(lambda: reached() or running.poll() is not None, 60)
        assert running.poll() is None, running.communicate()
        programs.kill(running.pid, *programs.children(running.pid))
    finally:
        running.kill()
        running.communicate()
    return running.pid


def test_a_rollback_that_was_killed_is_finished_by_the_next_command(agent: Agent, administrator: Cluster) -> None:
    def records() -> int:
        path = f"/api/v1/namespaces/{agent.app.namespace}/secrets"
        return len(kubernetes.list_(administrator, path, labelSelector="jenkins-cd/purpose=rollback").items)

    agent.platform(tests=["smoke"], on_failure="rollback")
    agent.app.says(hook={**HOOK, "when": "pre-rollback"})
    agent.deploy("1.0.0")
    process = killed(agent, "2.0.0", lambda: agent.hooks)
    assert (agent.app.status.status, records()) == ("pending-rollback", 1)
    said = agent.deploy("1.0.1").all
    assert f"(process {process} on " in said
    assert "who is gone: putting back revision 1, as he wanted" in said
    assert agent.outcomes[-1] == ("1.0.1", "verified")
    assert records() == 0


def test_a_login_that_a_killed_command_has_left_is_removed_by_the_next(agent: Agent) -> None:
    env = {"JENKINS_CD_REGISTRY_USERNAME": "robot", "JENKINS_CD_REGISTRY_PASSWORD": "correct-horse"}
    agent = replace(agent, env=env)
    killed(agent, "1.0.0", lambda: [*agent.folder.glob("jenkins-cd-login-*/config.json")])
    assert [*agent.folder.glob("jenkins-cd-login-*/config.json")]
    agent.deploy("1.0.0")
    assert [*agent.folder.glob("jenkins-cd-*")] == []
