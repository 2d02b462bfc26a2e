"""The way back on a real cluster, with hooks of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from jenkins_cd import attempt as phases
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.delivery import helm
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Image
from tests.cluster.pushed import APP, App


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
