"""`jenkins-cd deploy` on a real cluster, killed without a word. The same command, run again, completes the work."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator

from jenkins_cd.tools import helm_release, kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests import programs
from tests.cluster.agent import BUILD, HOOK, Agent, read_until
from tests.cluster.pushed import APP
from tests.user import eventually

PATIENCE = 60.0  # seconds


@contextlib.contextmanager
def running_until(agent: Agent, version: str, reached: Callable[[], object]) -> Iterator[subprocess.Popen[str]]:
    """Start a deployment, and yield it at a certain point of its way; at the end of the block it has ended."""
    deploying = agent.start(version)
    try:
        eventually(lambda: reached() or deploying.poll() is not None, PATIENCE)
        assert deploying.poll() is None, deploying.communicate()
        yield deploying
    finally:
        deploying.kill()
        deploying.communicate()


@contextlib.contextmanager
def left_behind(agent: Agent, administrator: Cluster) -> Iterator[None]:
    """Look at what a killed command left before the block, and that the block has removed it."""
    kubeconfigs = agent.kubeconfigs
    secrets = [(file.parent / "secret").read_text(encoding="utf-8") for file in kubeconfigs]
    assert secrets
    assert all(kubernetes.get(administrator, one) for one in secrets)
    yield
    assert agent.kubeconfigs == []
    assert not any(kubernetes.get(administrator, one) for one in secrets)


def test_an_upgrade_that_was_killed_with_its_helm_is_explained_and_finished_by_the_same_command(
    agent: Agent, administrator: Cluster
) -> None:
    agent.deploy("1.0.0")
    agent.app.says(hook=HOOK)
    with running_until(agent, "1.0.1", lambda: agent.hooks) as deploying:
        started = programs.children(deploying.pid)  # each has a process group of its own
        assert started
        programs.kill(deploying.pid, *started)
    assert agent.app.status.status == "pending-upgrade"
    with left_behind(agent, administrator):
        said = agent.deploy("1.0.1").all
    assert f"the release {APP} is pending-upgrade since" in said
    assert f"held by {BUILD} (process {deploying.pid} on " in said
    assert "who is gone: putting back revision 1, the last that was deployed" in said
    history = [(one.status, one.description.partition(",")[0]) for one in helm_release.history(agent.app.place)]
    assert history[0] == ("deployed", f"Deploy {APP} 1.0.1 in dev")
    assert ("superseded", "Rollback to 1") in history
    assert agent.app.image == agent.app.lab.image("1.0.1")
    assert agent.outcomes == [("1.0.0", "verified"), ("1.0.1", "verified")]


def test_a_command_that_was_killed_without_its_helm_is_finished_by_the_same_command(
    agent: Agent, administrator: Cluster
) -> None:
    agent.deploy("1.0.0")
    agent.app.says(hook=HOOK)
    with running_until(agent, "1.0.1", lambda: agent.hooks) as deploying:
        orphans = programs.children(deploying.pid)
        deploying.kill()
        deploying.wait()
    try:
        assert agent.app.status.status == "pending-upgrade"
        with left_behind(agent, administrator):
            second = agent.start("1.0.1")
            try:
                read_until(second, f"waiting: the release {APP} is pending-upgrade since")
            finally:
                ended = agent.end(second)
    finally:
        programs.kill(*orphans)
    assert ended.code == 0, ended.all
    assert agent.app.image == agent.app.lab.image("1.0.1")
    assert agent.app.status.status == "deployed"
    assert agent.outcomes == [("1.0.0", "verified"), ("1.0.1", "verified")]


def test_a_first_installation_that_was_killed_begins_anew(agent: Agent, administrator: Cluster) -> None:
    agent.app.says(hook={**HOOK, "when": "pre-install"})
    with running_until(agent, "1.0.0", lambda: agent.hooks) as deploying:
        programs.kill(deploying.pid, *programs.children(deploying.pid))
    assert agent.app.status.status == "pending-install"
    with left_behind(agent, administrator):
        said = agent.deploy("1.0.0").all
    assert "uninstalling this first installation, which was never through" in said
    assert agent.app.status.revision == 1
    assert agent.outcomes == [("1.0.0", "verified")]


def test_a_command_that_was_killed_while_it_planned_has_changed_nothing_and_the_next_one_deploys(
    agent: Agent, administrator: Cluster
) -> None:
    agent.deploy("1.0.0")
    with running_until(agent, "1.0.1", lambda: agent.kubeconfigs):
        pass
    assert agent.app.status.revision == 1
    with left_behind(agent, administrator):
        agent.deploy("1.0.1")
    assert agent.app.status.revision == 2
    assert agent.outcomes == [("1.0.0", "verified"), ("1.0.1", "verified")]


def test_a_command_that_was_killed_while_it_verified_is_finished_without_another_revision(
    agent: Agent, administrator: Cluster
) -> None:
    agent.deploy("1.0.0")
    agent.app.says(env=[{"name": "PROBE_READY_AFTER", "value": "5"}])
    with running_until(agent, "1.0.1", lambda: agent.app.status.version == "1.0.1" and not agent.app.status.pending):
        pass
    assert agent.outcomes == [("1.0.0", "verified")]
    with left_behind(agent, administrator):
        agent.deploy("1.0.1")
    assert agent.app.status.revision == 2
    assert agent.outcomes == [("1.0.0", "verified"), ("1.0.1", "verified")]
