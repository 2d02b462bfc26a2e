"""What is told of a sync that went wrong: on the real Argo CD, the cause in the first lines."""

from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.argocd import evidence, states, tree
from jenkins_cd.argocd.nodes import Node
from jenkins_cd.cluster.pod_failure import PodFailure
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_applications import SyncOrder
from tests.argocd.scene import CHART, Scene

PAGE = "https://argocd.local/applications/web"
SECRET = "swordfish-1234"


def synced(argo: Scene, ref: Ref, **values: Any) -> None:
    argo.values(**values)
    argocd_applications.read(argo.admin, ref, "normal")
    argocd_applications.sync(argo.admin, ref, SyncOrder())


def told(argo: Scene, ref: Ref, server: Server | None = None) -> str:
    """Return the evidence."""
    text = evidence.text(evidence.gather(server or argo.server("deployer"), ref, page=PAGE))
    assert len(text.splitlines()) <= evidence.LINES
    assert text.splitlines()[-1] == f"more: {PAGE}"
    return text


def failing(argo: Scene, ref: Ref) -> tuple[Node, PodFailure]:
    """Wait until something will certainly not heal, from the tree alone, and return it."""
    found: list[tuple[Node, PodFailure]] = []

    def seen() -> bool:
        operation = states.operation(argocd_applications.read(argo.admin, ref))
        assert operation is not None
        nodes = tree.read(argocd_applications.tree(argo.admin, ref))
        found[:] = tree.failures(nodes, operation.started).items() if operation.started else []
        return bool(found) and found[0][1].final

    argo.until(seen, f"a failure of {ref.rbac}")
    return found[0]


def failing_hook(argo: Scene) -> dict[str, Any]:
    env = {"PROBE_EXIT_CODE": "7", "PROBE_PRINT": "table orders is locked"}
    given = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "migrate", "image": argo.lab.image(), "env": given}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    metadata = {"name": "migrate", "annotations": {"argocd.argoproj.io/hook": "PreSync"}}
    spec = {"backoffLimit": 0, "template": pod}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


@pytest.fixture
def web(argo: Scene) -> Ref:
    """An Application that runs well."""
    ref = argo.app()
    synced(argo, ref)
    argo.healthy(ref)
    return ref


def test_an_image_that_is_not_there_is_named_at_once_and_what_ran_before_is_left_alone(argo: Scene, web: Ref) -> None:
    synced(argo, web, image=f"{argo.lab.registry}/probe:nothing-here")
    node, failure = failing(argo, web)
    image = f"{argo.lab.registry}/probe:nothing-here"
    assert failure.text.startswith(f"Deployment/web: {image} cannot be pulled: not found (")
    assert failure.text.partition(" (")[2].startswith(("ErrImagePull, Pod/web-", "ImagePullBackOff, Pod/web-"))
    text = told(argo, web)
    assert f"{argo.lab.registry}/probe:nothing-here: not found" in "\n".join(text.splitlines()[:8])
    assert f"✗ {node.called} Degraded" in text
    assert "Failed Pod/web-" in text


def test_a_crash_loop_is_told_with_exit_code_and_the_last_words_and_no_secret(argo: Scene, web: Ref) -> None:
    said = f"cannot reach the database with password={SECRET}"
    synced(argo, web, env=[{"name": "PROBE_EXIT_CODE", "value": "3"}, {"name": "PROBE_PRINT", "value": said}])
    _, failure = failing(argo, web)
    assert failure.text.startswith("Deployment/web: a container crashes again and again, restarted 2 times")
    text = told(argo, web)
    assert "exit code 3" in "\n".join(text.splitlines()[:6])
    assert "│ cannot reach the database with password=" in text
    assert SECRET not in text


def test_logs_that_the_role_may_not_read_are_said_to_be_missing(argo: Scene, web: Ref) -> None:
    text = told(argo, web, argo.server("without-logs"))
    assert "logs cannot be read" in text
    assert "logs, get" in text
    assert "✓ Deployment/web Healthy" in text


def test_a_hook_that_fails_is_the_first_that_is_told_with_its_log(argo: Scene, web: Ref) -> None:
    synced(argo, web, extra=[failing_hook(argo)])
    argo.ends(web)
    text = told(argo, web)
    assert "PreSync hook Job/migrate" in "\n".join(text.splitlines()[:4])
    assert "│ table orders is locked" in text
    assert "exit code 7" in text


def test_a_resource_that_the_project_forbids_is_named(argo: Scene, web: Ref) -> None:
    argo.change(namespaceResourceBlacklist=[{"group": "", "kind": "Service"}])
    port = {"port": 80}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "door"}, "spec": {"ports": [port]}}
    synced(argo, web, extra=[service])
    argo.ends(web)
    text = told(argo, web)
    assert "Service/door" in "\n".join(text.splitlines()[:5])
    assert f"not permitted in project {argo.project}" in "\n".join(text.splitlines()[:5])


def test_a_chart_that_does_not_render_says_what_helm_says(argo: Scene, web: Ref) -> None:
    argo.commit({f"{CHART}/templates/bad.yaml": "{{ .Values.nothing.at.all }}\n"})
    argocd_applications.read(argo.admin, web, "hard")
    first = " ".join(line.strip() for line in told(argo, web).splitlines()[:2])
    assert first.startswith("ComparisonError: Error: ")
    assert "bad.yaml" in first
    assert "nil pointer evaluating interface {}.at" in first


def test_a_quota_that_is_used_up_is_told_by_the_events_of_the_replica_set(argo: Scene, web: Ref) -> None:
    quota = (
        '{"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}'
    )
    argo.kubectl("apply", "--filename=-", stdin=quota)
    synced(argo, web, env=[{"name": "SOMETHING", "value": "new"}])

    def refused() -> bool:
        nodes = tree.read(argocd_applications.tree(argo.admin, web))
        return any(one.kind == "ReplicaSet" and "exceeded quota" in one.message for one in nodes)

    argo.until(refused, "a ReplicaSet that may make no pod")
    text = told(argo, web)
    assert "exceeded quota: few" in text
    assert "FailedCreate ReplicaSet/web-" in text


def test_what_somebody_changed_by_hand_is_told_and_a_secret_is_not(argo: Scene, web: Ref) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"key": SECRET}}
    synced(argo, web, extra=[secret])
    argo.ends(web)  # it might put back what is changed meanwhile
    argo.healthy(web)
    argo.kubectl("scale", "deployment/web", "--replicas=2")
    argo.kubectl("patch", "secret/keys", '--patch={"stringData": {"key": "another-one-99"}}')

    def seen() -> bool:
        app = argocd_applications.read(argo.admin, web, "normal")
        return {"Secret/keys", "Deployment/web"} <= set(states.out_of_sync(app, prune=True))

    argo.until(seen, "both objects OutOfSync")
    text = told(argo, web)
    assert "Deployment/web is not as declared:\n    spec.replicas: 2 → 1" in text
    assert "Secret/keys is not as declared" in text
    assert SECRET not in text
    assert "another-one-99" not in text


def test_an_application_that_is_gone_leaves_a_sentence(argo: Scene) -> None:
    text = told(argo, Ref(name="nobody", project=argo.project))
    assert f"{argo.project}/nobody cannot be read" in text


def test_whose_a_commit_is_comes_from_its_trailers(argo: Scene, web: Ref) -> None:
    commit = argo.commit({"notes": "x"}, "Deploy web 2\n\nRequested-by: anna\nBuild: https://jenkins.local/job/7/")
    argocd_applications.read(argo.admin, web, "normal")
    found = argocd_applications.metadata(argo.admin, web, commit)
    assert evidence.whose(found) == " by anna (https://jenkins.local/job/7/)"
    assert evidence.whose({"author": "Bob <bob@local>", "message": "Something"}) == " by Bob"
    assert evidence.whose({}) == ""
