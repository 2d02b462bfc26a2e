from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.cluster import rbac, rights
from jenkins_cd.cluster.rbac import Grant, Rbac, Wanted
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.deploy import Done
from jenkins_cd.errors import BadInput, ExternalFailure
from tests.deployments import Shop

DEPLOYER, READER = "jenkins-cd", "jenkins-cd-reader"


@pytest.fixture
def pushed(shop: Shop) -> Shop:
    """The shop, with two environments that are pushed to."""
    for name in ("dev", "prod"):
        shop.change(name, model="helm")
    return shop


def render(shop: Shop, **wanted: Any) -> Rbac:
    return rbac.render(shop.platform, Wanted(**wanted), lambda _line: None)


def named(grant: Grant, kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in grant.objects if one["kind"] == kind}


def allowed(role: dict[str, Any]) -> set[str]:
    """Return `verb resource` for all that a role allows."""
    return {f"{verb} {resource}" for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}


def test_each_namespace_has_an_account_that_deploys_and_one_that_reads(pushed: Shop) -> None:
    found = render(pushed)
    assert [(one.namespace, one.environments, one.apps) for one in found.grants] == [
        ("shop-dev", ("dev",), ("shop/storefront",)),
        ("shop-prod", ("prod",), ("shop/storefront",)),
    ]
    for grant in found.grants:
        for kind in ("ServiceAccount", "Role", "RoleBinding"):
            assert set(named(grant, kind)) == {DEPLOYER, READER}
        assert {one["metadata"]["namespace"] for one in grant.objects} == {grant.namespace}


def test_nobody_is_given_more_than_the_kinds_of_the_chart_and_helms_own_records(pushed: Shop) -> None:
    roles = named(render(pushed, environment="dev").grants[0], "Role")
    assert allowed(roles[DEPLOYER]) - allowed(roles[READER]) == {
        *(f"{verb} configmaps" for verb in ("create", "patch", "delete")),
        *(f"{verb} secrets" for verb in ("get", "list", "create", "update", "delete")),
    }
    look = {
        f"{verb} {what}"
        for verb in ("get", "list", "watch")
        for what in ("configmaps", "pods", "events", "replicasets")
    }
    assert allowed(roles[READER]) == look | {"get pods/log"}


def test_no_right_is_for_everything_or_for_the_whole_cluster(pushed: Shop) -> None:
    for grant in render(pushed, bootstrap="jenkins/agent").grants:
        assert not any(one["kind"].startswith("Cluster") for one in grant.objects)
        assert "*" not in str(grant.objects)
        assert all(one["roleRef"]["kind"] == "Role" for one in named(grant, "RoleBinding").values())
        assert not any(one["automountServiceAccountToken"] for one in named(grant, "ServiceAccount").values())


def test_what_jenkins_holds_may_ask_for_tokens_of_the_two_accounts(pushed: Shop) -> None:
    grant = render(pushed, environment="dev", bootstrap="jenkins/agent").grants[0]
    assert named(grant, "Role")[rights.TOKENS]["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["serviceaccounts/token"],
            "resourceNames": [DEPLOYER, READER],
            "verbs": ["create"],
        }
    ]
    assert named(grant, "RoleBinding")[rights.TOKENS]["subjects"] == [
        {"kind": "ServiceAccount", "name": "agent", "namespace": "jenkins"}
    ]


def test_environments_that_share_a_namespace_share_its_accounts_unless_they_are_in_two_clusters(pushed: Shop) -> None:
    for name in ("dev", "prod"):
        pushed.change(name, helm=HelmTarget(namespace="{project}"))
    (shared,) = render(pushed).grants
    assert (shared.namespace, shared.environments) == ("shop", ("dev", "prod"))
    pushed.change("prod", helm=HelmTarget(namespace="{project}", context="eu", service_account="robot"))
    first, second = render(pushed).grants
    assert (first.context, second.context) == (None, "eu")
    assert set(named(second, "Role")) == {"robot", "robot-reader"}


def test_where_the_given_credential_is_used_as_it_is_there_is_nobody_to_deploy_as(pushed: Shop) -> None:
    pushed.change("dev", helm=HelmTarget(service_account=None))
    assert set(named(render(pushed, environment="dev").grants[0], "Role")) == {READER}


def test_an_environment_of_another_model_gets_a_reading_account_where_it_is_asked_for(shop: Shop) -> None:
    assert set(named(render(shop, environment="dev").grants[0], "Role")) == {READER}
    with pytest.raises(BadInput, match="no environment has the model helm"):
        render(shop)


def test_a_project_without_releases_gets_what_the_common_chart_needs(pushed: Shop) -> None:
    (grant,) = render(pushed, environment="dev", project="payments").grants
    assert (grant.namespace, grant.apps) == ("payments-dev", ())
    assert "create deployments" in allowed(named(grant, "Role")[DEPLOYER])
    pushed.change("dev", helm=HelmTarget(namespace="{app}"))
    with pytest.raises(BadInput, match="payments has released none"):
        render(pushed, environment="dev", project="payments")


def test_what_runs_counts_as_well_as_what_was_released_last(pushed: Shop) -> None:
    pushed.change("dev", model="flux")
    done: Done = pushed.deploy("1.3.0")
    assert done.deployments[0].outcome == "verified"
    rbac._of_chart.cache_clear()
    fetched: list[str] = []
    rbac.render(pushed.platform, Wanted(environment="dev"), fetched.append)
    assert sorted(line for line in fetched if line.startswith("fetching")) == [
        "fetching the chart storefront 1.3.0",
        "fetching the chart storefront 1.5.0",
    ]


def test_a_chart_that_was_replaced_in_the_registry_is_not_trusted(pushed: Shop) -> None:
    one = pushed.releases["1.5.0"]
    with pytest.raises(ExternalFailure, match="is not the one that was released"):
        rbac._of_chart(one.chart.repository, "storefront", "1.5.0", "sha256:other", True, lambda _line: None)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"environment": "def"}, r"no environment 'def' \(did you mean dev\?\)"),
        ({"project": "Shop/../x"}, "names no project"),
        ({"bootstrap": "agent"}, "names no service account"),
    ],
)
def test_what_is_asked_for_is_checked(pushed: Shop, wanted: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        render(pushed, **wanted)


def test_kinds_without_rights_are_said() -> None:
    kinds = {
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("", "Widget"),
        ("v1", "Secret"),
        ("v1", "Service"),
    }
    assert rights.left_out(kinds) == (
        "CustomResourceDefinition (apiextensions.k8s.io/v1): it is not in a namespace; the platform team makes it",
        "Widget: its template computes the apiVersion, and no cluster has it built in",
    )
    assert set(rights.deploying(kinds)[("", "secrets")]) > {"create", "patch", "update"}
    assert ("", "secrets") not in rights.reading(kinds)
