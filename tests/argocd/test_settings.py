"""Projects, Applications, sets, clusters and repositories as the server keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jenkins_cd.tools import argocd, argocd_settings
from jenkins_cd.tools import argocd_applications as applications
from jenkins_cd.tools.argocd import Ref
from jenkins_cd.tools.argocd_failures import Absent, Denied, Rejected
from jenkins_cd.tools.kubernetes import Cluster
from tests.argocd.scene import BRANCH, CHART, Scene
from tests.cluster.proxy import proxy_to


def test_a_project_is_changed_without_revoking_its_tokens(argo: Scene) -> None:
    ref, reader = argo.app(), argo.server("reader")
    present = argocd_settings.project(argo.admin, argo.project)
    assert present is not None
    roles = [{key: value for key, value in one.items() if key != "jwtTokens"} for one in present["spec"]["roles"]]
    wanted = {"metadata": {"name": argo.project}, "spec": {**present["spec"], "roles": roles, "description": "a shop"}}
    changed = argocd_settings.put_project(argo.admin, wanted, present)
    assert changed["spec"]["description"] == "a shop"
    assert applications.read(reader, ref)["metadata"]["name"] == ref.name
    with pytest.raises(Rejected, match="has been modified"):
        argocd_settings.put_project(argo.admin, wanted, present)
    assert argo.project in {one["metadata"]["name"] for one in argocd_settings.projects(argo.admin)}


def test_a_project_that_is_not_there_is_none(argo: Scene) -> None:
    assert argocd_settings.project(argo.admin, "nowhere") is None
    argocd_settings.delete_project(argo.admin, "nowhere")


def test_who_may_not_change_a_project_is_told_what_is_missing(argo: Scene) -> None:
    present = argocd_settings.project(argo.server("reader"), argo.project)
    assert present is not None
    with pytest.raises(Denied) as caught:
        argocd_settings.put_project(argo.server("reader"), present, present)
    assert (caught.value.permission, caught.value.what) == ("projects, update", argo.project)


def test_an_application_is_put_over_what_it_was_and_deleted_with_what_it_has(argo: Scene) -> None:
    ref = argo.app()
    argo.app(spec={"revisionHistoryLimit": 3})
    (found,) = argocd_settings.applications(argo.admin, argo.project)
    assert found["spec"]["revisionHistoryLimit"] == 3
    for _ in range(2):
        argocd_settings.delete_application(argo.admin, ref)
    with pytest.raises(Absent):
        applications.read(argo.admin, ref)


def test_an_application_that_its_project_does_not_allow_is_rejected(argo: Scene) -> None:
    with pytest.raises(Rejected, match="kube-system"):
        argo.app(spec={"destination": {"name": "in-cluster", "namespace": "kube-system"}})


def test_a_set_makes_applications(argo: Scene) -> None:
    source = {"repoURL": argo.url, "path": CHART, "targetRevision": BRANCH}
    spec = {
        "project": argo.project,
        "source": source,
        "destination": {"name": "in-cluster", "namespace": argo.namespace},
    }
    made = {
        "metadata": {"name": argo.project},
        "spec": {
            "generators": [{"list": {"elements": [{"app": f"{argo.project}-web"}]}}],
            "template": {"metadata": {"name": "{{app}}"}, "spec": spec},
        },
    }
    for _ in range(2):
        argocd_settings.put_application_set(argo.admin, made)
    (found,) = argocd_settings.application_sets(argo.admin, argo.project)
    assert found["metadata"]["name"] == argo.project
    argo.until(lambda: len(argocd_settings.applications(argo.admin, argo.project)) == 1, "the Application of the set")


def test_a_cluster_is_registered_and_written_over(argo: Scene) -> None:
    administrator = Cluster.of(Path(argo.lab.kubeconfig))
    with proxy_to(administrator) as (_, cluster):  # an address of this test alone
        wanted = {
            "server": cluster.server,
            "name": argo.namespace,
            "config": {"bearerToken": cluster.token, "tlsClientConfig": _tls(argo, cluster)},
        }
        for namespaces in ([argo.namespace], [argo.namespace, "other"]):
            argocd_settings.put_cluster(argo.admin, {**wanted, "namespaces": namespaces})
        try:
            found = next(one for one in argocd_settings.clusters(argo.admin) if one["name"] == argo.namespace)
        finally:
            argocd.call(argo.admin, "DELETE", f"/api/v1/clusters/{argocd.segment(cluster.server)}")
    assert found["namespaces"] == [argo.namespace, "other"]
    assert str(cluster.token) not in json.dumps(found)


def _tls(argo: Scene, cluster: Cluster) -> dict[str, str]:
    kubeconfig = json.loads(Path(argo.lab.kubeconfig).read_text(encoding="utf-8"))
    authority = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
    return {"caData": authority, "serverName": cluster.tls_server_name}


def test_repositories_are_listed_without_their_passwords(argo: Scene) -> None:
    found = next(one for one in argocd_settings.repositories(argo.admin) if one["repo"] == argo.url)
    assert argo.lab.git.passwords["reader"] not in json.dumps(found)
    beginning = {"url": f"{argo.url}/templates", "username": "reader", "password": "secret-of-reader"}
    argocd.call(argo.admin, "POST", "/api/v1/repocreds", body=beginning)
    try:
        templates = argocd_settings.credential_templates(argo.admin)
        assert beginning["url"] in {one["url"] for one in templates}
        assert "secret-of-reader" not in json.dumps(templates)
    finally:
        argocd.call(argo.admin, "DELETE", f"/api/v1/repocreds/{argocd.segment(beginning['url'])}")


def test_the_name_of_a_ref_in_policies_has_its_namespace_where_it_has_one() -> None:
    assert Ref(name="web", project="shop").rbac == "shop/web"
    assert Ref(name="web", project="shop", namespace="team").rbac == "shop/team/web"
