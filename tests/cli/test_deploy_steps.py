"""The steps of a deployment as commands, each a process of its own in one checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from jenkins_cd.findings import junit as reader
from tests.deployments import STEPS, Shop


def records(shop: Shop) -> list[tuple[str, str]]:
    """Return version and outcome of what was recorded for dev, the oldest first."""
    return [(one.version, one.outcome) for one in reversed(shop.ledger.deployments("storefront", "dev"))]


@pytest.fixture
def command(shop: Shop) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `jenkins-cd deploy` for storefront in dev, in a process of its own and an empty checkout."""
    checkout, platform = shop.folder / "checkout", shop.file()
    checkout.mkdir()

    def run(version: str, *more: str) -> subprocess.CompletedProcess[str]:
        names = ["--app", "storefront", "--version", version, "--environment", "dev", "--platform", str(platform)]
        return subprocess.run(
            [sys.executable, "-m", "jenkins_cd", "deploy", *names, *more],
            cwd=checkout,
            env={**os.environ, "JENKINS_CD_REQUESTED_BY": "jane"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_steps_are_commands_each_a_process(shop: Shop, command: Any) -> None:
    for step in STEPS:
        done = command("1.4.0", "--step", step)
        assert done.returncode == 0, done.stderr
    assert records(shop) == [("1.4.0", "verified")]
    junit = shop.folder / "checkout" / ".jenkins-cd" / "tests" / "dev" / "junit.xml"
    assert 'tests="1"' in junit.read_text()
    assert (shop.folder / "checkout" / ".jenkins-cd" / "report" / "index.html").exists()


def test_a_step_that_fails_ends_with_the_verdict_as_its_exit_code(shop: Shop, command: Any) -> None:
    shop.deploy("1.4.0")
    codes = [command("1.5.0", "--step", step).returncode for step in STEPS]
    assert codes == [0, 0, 0, 1, 1]
    assert shop.cluster.declared() == "1.4.0"


def test_why_it_failed_stands_in_the_progress_and_once_more_at_the_end(
    shop: Shop, command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.deploy("1.3.0")
    shop.cluster.broken = {"1.4.0"}
    alone = command("1.4.0")
    (failed,) = [one for one in shop.ledger.deployments("storefront", "dev") if one.outcome == "failed"]
    assert (alone.stderr.count(failed.reason), alone.stdout.count(failed.reason)) == (1, 1)
    assert "evidence:" in alone.stdout

    result = shop.folder / "result.json"
    monkeypatch.setenv("JENKINS_CD_RESULT", str(result))
    asked = command("1.4.0")  # the library says it as the build's error
    told = json.loads(result.read_text())
    assert ("did not come up" in asked.stdout, "evidence:" in asked.stdout) == (False, False)
    assert told["message"].startswith("storefront 1.4.0 in dev: failed: 1.4.0 did not come up")
    assert "it does not start" in told["evidence"]
    assert "rollback of storefront 1.3.0 to dev: verified" in asked.stdout


def test_a_deployment_that_fails_before_its_tests_is_a_failed_test_in_jenkins(shop: Shop, command: Any) -> None:
    shop.deploy("1.4.0")
    junit = shop.folder / "checkout" / ".jenkins-cd" / "tests" / "dev" / "junit.xml"
    junit.parent.mkdir(parents=True)
    junit.write_text("of another build")
    shop.cluster.broken = {"1.5.0"}
    assert command("1.5.0", "--step", "plan").returncode == 0
    assert command("1.5.0", "--step", "apply").returncode == 0
    assert not junit.exists()
    assert command("1.5.0", "--step", "verify").returncode == 1
    [case] = reader.read([junit]).cases
    assert (case.suite, case.name, case.outcome) == ("deployment.dev", "verify storefront 1.5.0", "failed")
    assert case.message.startswith("failed: 1.5.0 did not come up")
    assert "it does not start" in case.message


def test_an_error_while_it_is_applied_is_one_too(shop: Shop, command: Any) -> None:
    assert command("1.5.0", "--step", "plan").returncode == 0
    hook = shop.remote / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho closed for today\ntest $1 != refs/heads/main\n")
    hook.chmod(0o755)
    assert command("1.5.0", "--step", "apply").returncode not in (0, 1)
    [case] = reader.read([shop.folder / "checkout" / ".jenkins-cd" / "tests" / "dev" / "junit.xml"]).cases
    assert (case.suite, case.name, case.outcome) == ("deployment.dev", "apply storefront 1.5.0", "failed")
    assert "closed for today" in case.message


def test_a_step_too_early_is_bad_input(shop: Shop, command: Any) -> None:
    done = command("1.4.0", "--step", "verify")
    assert done.returncode == 2
    assert "have not run here" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("step", ["plan", "apply"])
def test_a_dry_run_of_a_step_writes_nothing(shop: Shop, command: Any, step: str) -> None:
    if step == "apply":
        assert command("1.4.0", "--step", "plan").returncode == 0
    before = shop.refs()
    command("1.4.0", "--step", step, "--dry-run")
    assert shop.refs() == before


def test_the_plan_of_a_deployment_is_read_from_the_command_line(shop: Shop, command: Any) -> None:
    done = command("1.4.0", "--plan", "--json")
    plan = json.loads(done.stdout)
    assert plan["schema"] == "jenkins_cd/pipeline-plan/v1"
    assert [step["stage"] for step in plan["steps"]] == ["Plan", "Deploy", "Verify", "Tests", "Record"]
    assert [step["junit"] for step in plan["steps"]][2:] == [junit := ".jenkins-cd/tests/dev/junit.xml", "", junit]
    assert plan["platform"]["file"] == ".jenkins-cd/platform.yaml"
    assert shop.ledger.deployments("storefront") == []
