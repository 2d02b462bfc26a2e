"""Question, approval and promotion as commands, each a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.deployments import Shop


@pytest.fixture
def proven(shop: Shop) -> Shop:
    """The shop, with 1.4.0 verified in dev."""
    shop.deploy("1.4.0")
    return shop


def jenkins_cd(shop: Shop, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jenkins_cd", *arguments, "--app", "storefront", "--version", "1.4.0"],
        cwd=shop.folder,
        env={**os.environ, "JENKINS_CD_REQUESTED_BY": "jane"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_question_approval_and_deployment_are_commands_each_a_process(proven: Shop) -> None:
    proven.file()
    proven.cluster.environment = "prod"
    asked = jenkins_cd(proven, "promote", "--to", "prod", "--dry-run", "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["approvers"] == ["ops", "release-managers", "mia"]
    refused = jenkins_cd(proven, "approve", "--environment", "prod", "--approver", "jane")
    assert refused.returncode == 4
    approved = jenkins_cd(proven, "approve", "--environment", "prod", "--approver", "mia", "--reason", "ünö $(id)")
    assert approved.returncode == 0, approved.stderr
    assert "storefront 1.4.0 for prod is approved by mia" in approved.stdout
    deployed = jenkins_cd(proven, "deploy", "--environment", "prod")
    assert deployed.returncode == 0, deployed.stderr
    latest = proven.ledger.latest("storefront", "prod")
    assert latest
    assert (latest.approver, latest.approval_reason) == ("mia", "ünö $(id)")


@pytest.mark.parametrize("approver", ["ops\nApproved-by: mia", "a b", ""])
def test_promote_takes_no_approver_that_is_no_name(proven: Shop, approver: str) -> None:
    proven.file()
    before = proven.refs()
    done = jenkins_cd(proven, "promote", "--to", "prod", "--approver", approver)
    assert done.returncode in (2, 4)
    assert proven.refs() == before
