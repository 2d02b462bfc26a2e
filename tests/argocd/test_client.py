"""Applications as the client sees them and what it may do with them."""

from __future__ import annotations

import json
import threading
from functools import partial

import pytest

from jenkins_cd.tools import argocd
from jenkins_cd.tools import argocd_applications as applications
from jenkins_cd.tools.argocd import Ref
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Absent, Blocked, Busy, Denied, Rejected
from tests.argocd.scene import BRANCH, CHART, Scene
from tests.lab.lab import Lab


def test_a_refresh_sees_the_commit_that_was_just_pushed(argo: Scene) -> None:
    server, ref = argo.server("deployer"), argo.app()
    for text in ("second", "third"):
        commit = argo.values(text=text)
        assert applications.read(server, ref, "normal")["status"]["sync"]["revision"] == commit
    assert applications.read(server, ref, "hard")["status"]["sync"]["revision"] == commit


def test_a_sync_carries_what_it_is_known_by_and_does_what_was_ordered(argo: Scene) -> None:
    server, ref = argo.server("deployer"), argo.app()
    commit = argo.values(text="second")
    order = SyncOrder(
        revision=commit, prune=True, options=("ServerSideApply=true",), retries=2, infos={"build": "shop/7"}
    )
    begun = applications.sync(server, ref, order)
    assert begun["operation"]["info"] == [{"name": "build", "value": "shop/7"}]
    state = argo.ends(ref)["status"]["operationState"]
    assert (state["phase"], state["syncResult"]["revision"]) == ("Succeeded", commit)
    asked = state["operation"]
    assert asked["initiatedBy"]["username"] == f"proj:{argo.project}:deployer"
    assert (asked["sync"]["prune"], asked["sync"]["syncOptions"]) == (True, ["ServerSideApply=true"])
    assert asked["retry"]["limit"] == 2
    assert argo.kubectl("get", "configmap", "web", "--output=jsonpath={.data.text}").stdout == "second"


def test_only_the_chosen_resources_are_synced(argo: Scene) -> None:
    ref = argo.app()
    applications.sync(argo.server("deployer"), ref, SyncOrder(resources=(f":ConfigMap:{argo.namespace}/web",)))
    argo.ends(ref)
    assert argo.kubectl("get", "configmap,deployment", "--output=name").stdout.split() == [
        "configmap/kube-root-ca.crt",
        "configmap/web",
    ]


def test_a_dry_run_changes_nothing(argo: Scene) -> None:
    ref = argo.app()
    applications.sync(argo.server("deployer"), ref, SyncOrder(dry_run=True))
    assert argo.ends(ref)["status"]["operationState"]["phase"] == "Succeeded"
    assert argo.kubectl("get", "configmap", "web", check=False).exit_code != 0


def test_several_sources_are_synced_to_the_commits_that_are_named(argo: Scene) -> None:
    values = {"repoURL": argo.url, "targetRevision": BRANCH, "ref": "values"}
    helm = {"releaseName": "web", "valueFiles": ["$values/web.yaml"]}
    chart = {"repoURL": argo.url, "path": CHART, "targetRevision": BRANCH, "helm": helm}
    old = argo.commit({"web.yaml": "text: of the source"})
    argo.commit({"web.yaml": "text: too new"})
    ref = argo.app(sources=[chart, values])
    applications.sync(argo.server("deployer"), ref, SyncOrder(revisions=(old, old), positions=(1, 2)))
    result = argo.ends(ref)["status"]["operationState"]["syncResult"]
    assert result["revisions"] == [old, old]
    assert argo.kubectl("get", "configmap", "web", "--output=jsonpath={.data.text}").stdout == "of the source"
    assert applications.metadata(argo.server("deployer"), ref, old, source=1)["message"] == "Change something"


def test_a_second_sync_is_told_that_one_is_under_way_until_that_is_ended(argo: Scene) -> None:
    argo.values(hook="PreSync")
    server, ref = argo.server("deployer"), argo.app()
    applications.sync(server, ref, SyncOrder())
    with pytest.raises(Busy, match="another operation on it is in progress"):
        applications.sync(server, ref, SyncOrder())
    argo.seen(ref, lambda app: bool(app["status"].get("operationState")), "with an operation that runs")
    applications.terminate(server, ref)
    assert argo.ends(ref)["status"]["operationState"]["phase"] == "Failed"
    applications.terminate(server, ref)  # there is none to end


def test_a_closed_window_is_told_from_a_right_that_is_missing(argo: Scene) -> None:
    ref = argo.app()
    assert applications.windows(argo.server("reader"), ref).can_sync
    argo.window(ref, schedule="* 0-23 * * *", timeZone="Europe/Zurich")
    found = applications.windows(argo.server("reader"), ref)
    assert not found.can_sync
    assert [(one.kind, one.schedule, one.duration, one.time_zone) for one in found.active] == [
        ("deny", "* 0-23 * * *", "24h", "Europe/Zurich")
    ]
    with pytest.raises(Blocked, match=f"cannot sync {ref.rbac}: blocked by a sync window"):
        applications.sync(argo.server("deployer"), ref, SyncOrder())
    argo.window(ref, schedule="* 0-23 * * *", manualSync=True)
    assert applications.windows(argo.server("deployer"), ref).can_sync
    with pytest.raises(Denied):
        applications.sync(argo.server("reader"), ref, SyncOrder())


def test_a_missing_right_is_named_with_the_line_that_gives_it(argo: Scene) -> None:
    ref, role = argo.app(), f"proj:{argo.project}:reader"
    with pytest.raises(Denied) as caught:
        applications.sync(argo.server("reader"), ref, SyncOrder())
    assert (caught.value.permission, caught.value.what) == ("applications, sync", ref.rbac)
    assert f"{role} lacks the right `applications, sync` on {ref.rbac}" in caught.value.message
    line = f"p, {role}, applications, sync, {ref.rbac}, allow"
    assert caught.value.hint == f"add `{line}` to the role reader of the AppProject {argo.project}"


def test_a_token_of_another_project_is_told_as_such(argo: Scene) -> None:
    with pytest.raises(Denied) as caught:
        applications.read(argo.server("reader"), Ref(name="web", project="elsewhere"))
    assert caught.value.hint == f"the token is of the project {argo.project}: use one of the project elsewhere"


def test_a_missing_application_is_absent_and_not_forbidden(argo: Scene) -> None:
    with pytest.raises(Absent, match=r'cannot read .*/nowhere: .*"nowhere" not found'):
        applications.read(argo.server("reader"), Ref(name="nowhere", project=argo.project))


def test_what_cannot_be_done_is_rejected_in_the_servers_words(argo: Scene) -> None:
    ref, commit = argo.app(automated=True), argo.values(text="other")
    with pytest.raises(Rejected, match="auto-sync currently set to main"):
        applications.sync(argo.server("deployer"), ref, SyncOrder(revision=commit))


def test_an_application_may_live_in_a_namespace_of_its_own(argo: Scene) -> None:
    place = f"argocd-apps-{argo.namespace}"
    ref = argo.app(namespace=place)
    try:
        assert applications.read(argo.admin, ref)["metadata"]["namespace"] == place
        assert ref.rbac == f"{argo.project}/{place}/{ref.name}"
        assert applications.page("https://argocd.local/", ref).endswith(f"/applications/{place}/{ref.name}")
        with pytest.raises(Denied, match=f"on {ref.rbac} "):
            applications.sync(argo.server("reader"), ref, SyncOrder())
        applications.sync(argo.server("deployer"), ref, SyncOrder())
        assert argo.ends(ref)["status"]["operationState"]["phase"] == "Succeeded"
    finally:
        argo.kubectl("delete", "namespace", place, "--wait=false")


def test_what_one_looks_at_when_it_goes_wrong_is_there(argo: Scene) -> None:
    server, ref = argo.server("deployer"), argo.app(automated=True)
    app = argo.healthy(ref)
    pod = next(one for one in applications.tree(server, ref)["nodes"] if one["kind"] == "Pod")
    assert {one["kind"] for one in applications.managed(server, ref)} == {"ConfigMap", "Deployment"}
    reasons = {one["reason"] for one in applications.events(server, ref)}
    assert "ResourceUpdated" in reasons or "OperationStarted" in reasons
    told = applications.events(server, ref, pod["uid"], pod["name"], pod["namespace"])
    assert "Started" in {one["reason"] for one in told}
    assert applications.metadata(server, ref, app["status"]["sync"]["revision"])["author"].startswith("Test <")
    assert {json.loads(one)["kind"] for one in applications.manifests(server, ref)} == {"ConfigMap", "Deployment"}


def test_the_logs_of_a_pod_are_read_and_followed(argo: Scene) -> None:
    argo.values(env=[{"name": "PROBE_EVERY", "value": "0.1"}])
    server, ref = argo.server("deployer"), argo.app(automated=True)
    argo.healthy(ref)
    pod = next(one for one in applications.tree(server, ref)["nodes"] if one["kind"] == "Pod")["name"]
    read = partial(applications.logs, server, ref, pod=pod, namespace=argo.namespace, container="app")
    assert len(list(read(tail=2))) == 2
    assert list(read(tail=0)) == []
    followed: list[str] = []
    for line in read(tail=None, follow=True, stop=lambda: len(followed) >= 5):
        followed.append(line)
    assert followed[0] == "version 1.0.0 listens on 8080"
    assert len(followed) == 5
    new = next(read(tail=0, follow=True))
    assert new not in followed
    (said,) = read(tail=2, previous=True)
    assert "previous terminated container" in said
    assert list(read(tail=2, pod="nowhere")) == []


def test_who_may_not_read_logs_is_told_so(argo: Scene) -> None:
    ref, server = argo.app(), argo.server("without-logs")
    with pytest.raises(Denied, match=f"lacks the right `logs, get` on {ref.rbac}") as caught:
        list(applications.logs(server, ref, pod="web", namespace=argo.namespace, container="app", tail=2))
    assert f"logs, get, {ref.rbac}, allow" in caught.value.hint


def test_a_stream_tells_what_changes_and_ends_when_it_is_told_to(argo: Scene) -> None:
    server, ref = argo.server("deployer"), argo.app()
    version = applications.read(server, ref, "normal")["metadata"]["resourceVersion"]
    commit, enough = argo.values(text="second"), threading.Event()
    refreshing = threading.Thread(target=lambda: applications.read(argo.admin, ref, "normal"))
    seen: list[tuple[str, str]] = []
    for kind, app in applications.watch(server, ref, version, enough.is_set):
        if not seen:
            refreshing.start()
        seen.append((kind, app["status"].get("sync", {}).get("revision")))
        if seen[-1][1] == commit:
            enough.set()
    refreshing.join()
    assert seen[0][0] == "ADDED"
    assert seen[-1] == ("MODIFIED", commit)


def test_reads_go_on_when_the_server_has_been_restarted(argo: Scene, alone: None, lab: Lab) -> None:
    server, ref = argo.server("deployer"), argo.app()
    assert applications.read(server, ref)["metadata"]["name"] == ref.name
    streaming = applications.watch(server, ref, "", lambda: False)
    assert next(streaming)[0] == "ADDED"
    lab.restart("argocd-server")
    assert {kind for kind, _ in streaming} <= {"ADDED", "MODIFIED"}  # and then it ends
    assert applications.read(server, ref)["metadata"]["name"] == ref.name
    assert argocd.version(server).startswith("v3.")
