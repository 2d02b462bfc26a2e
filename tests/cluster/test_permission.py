"""What becomes of a right that an API server refuses: it may only not know of it yet."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd.cluster import access, permission, rights
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.kubernetes_failures import Right
from tests.cluster import accounts
from tests.cluster.pushed import KINDS, App, wait_until_it_may
from tests.lab.lab import Lab

LIST_SECRETS = Right(user="jane", verb="list", resource="secrets", group="", namespace="")
READ_LOGS = replace(LIST_SECRETS, verb="get", resource="pods/log")
JOBS = ("batch", "jobs")
HOOK = {"name": "migrate", "when": "pre-install", "env": [{"name": "PROBE_EXIT_CODE", "value": "0"}]}


def test_an_account_has_what_it_was_given_in_its_namespace_and_nothing_else(lab: Lab, namespace: str) -> None:
    administrator = Cluster.of(Path(lab.kubeconfig))
    accounts.apply(administrator, rights.objects(namespace, accounts.ACCOUNT, {("", "pods/log"): ("get",)}))
    with access.granted(Path(lab.kubeconfig), None, namespace, accounts.ACCOUNT, accounts.MINUTES) as step:
        given = step.cluster
        assert permission.held(given, replace(READ_LOGS, namespace=namespace), 10)
        for other in (READ_LOGS, replace(LIST_SECRETS, namespace=namespace), replace(READ_LOGS, resource="pods")):
            assert not permission.held(given, other, 0)
    assert permission.held(administrator, LIST_SECRETS, 0)


def test_a_server_that_is_away_has_refused_nothing_for_good(lab: Lab) -> None:
    away = replace(Cluster.of(Path(lab.kubeconfig)), server="https://127.0.0.1:1", patience=0.1)
    assert permission.held(away, LIST_SECRETS, 0)


def test_helm_is_tried_again_where_a_hook_could_not_be_made_for_a_moment(
    pushed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_jobs(pushed, "get", "list", "watch", "delete")
    real = permission._allowed

    def known_by_now(cluster: Cluster, right: Right) -> bool:
        let_jobs(pushed, *rights.deploying(KINDS)[JOBS])
        return real(cluster, right)

    monkeypatch.setattr(permission, "_allowed", known_by_now)
    pushed.says(hook=HOOK)
    followed = pushed.deploy("1.0.0")
    assert followed.reached, followed.reason
    assert any("apply: trying again: " in text and " jobs.batch: " in text for text in pushed.notes.texts)


def test_whoever_may_not_make_a_hook_is_told_so_and_helm_is_not_tried_again(pushed: App) -> None:
    let_jobs(pushed, "get", "list", "watch", "delete")
    pushed.says(hook=HOOK)
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert f'{accounts.ACCOUNT}" cannot ' in followed.reason
    assert 'resource "jobs"' in followed.reason
    assert not any("trying again" in text for text in pushed.notes.texts)


def let_jobs(app: App, *verbs: str) -> None:
    """Let the account do nothing with Jobs but this."""
    rules = {**rights.deploying(KINDS), JOBS: verbs}
    [role] = [one for one in rights.objects(app.namespace, accounts.ACCOUNT, rules) if one["kind"] == "Role"]
    path = f"/apis/{rights.API}/v1/namespaces/{app.namespace}/roles/{accounts.ACCOUNT}"
    kubernetes.apply(Cluster.of(Path(app.lab.kubeconfig)), path, role, fieldManager="platform", force="true")
    may = "yes" if "create" in verbs else "no"
    wait_until_it_may(app.lab, app.namespace, may, "create", "jobs.batch")
