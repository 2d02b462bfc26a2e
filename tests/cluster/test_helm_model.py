from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import phases
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.delivery import DeliveryModel, helm, release_owner
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Image
from jenkins_cd.tools import helm_release, process
from tests.cluster.pushed import APP, App, wait_until_it_may
from tests.gitops.remotes import count

NOWHERE = "{}/nothing-like-it:1"
MODEL: DeliveryModel = helm


def changed(diff: str) -> list[str]:
    """Return the lines that a diff changes."""
    return [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]


def test_a_first_deployment_is_planned_applied_and_followed_until_it_is_up(pushed: App) -> None:
    plan = pushed.plan("1.0.0")
    assert (plan.declared, plan.running, plan.wanted) == ("0.0.0", None, "1.0.0")
    assert f"# now: no release {APP} in {pushed.namespace}\n# wanted: chart {APP}-1.0.0" in plan.manifests
    assert "--- /dev/null\n+++ b/Deployment/storefront.yaml" in plan.manifests
    assert helm_release.status(pushed.place) is None
    followed = pushed.deploy("1.0.0")
    assert followed.reached, followed.reason
    assert followed.observation
    assert followed.observation.version == "1.0.0"


def test_an_upgrade_is_shown_object_by_object_against_what_runs(pushed: App) -> None:
    pushed.apply("1.0.0")
    plan = pushed.plan("1.0.1")
    old, new = (pushed.lab.image(version).rpartition("@")[2] for version in ("1.0.0", "1.0.1"))
    assert f"{APP} in {pushed.namespace} is at revision 1 (deployed " in plan.manifests
    assert f"chart {APP}-1.0.0, {pushed.lab.image('1.0.0')}" in plan.manifests
    assert [line.strip("+- ").rpartition("@")[2] for line in changed(plan.manifests)] == [old, new]
    assert pushed.deploy("1.0.1").reached
    assert pushed.image == pushed.lab.image("1.0.1")
    assert [one.revision for one in helm_release.history(pushed.place)] == [2, 1]


def test_release_build_and_requester_are_tied_together_in_the_history(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    now = pushed.status
    assert now.description.startswith(f"Deploy {APP} 1.0.0 in dev, requested by jane, build https://jenkins.local/")
    labels = [now.labels[f"{release_owner.PREFIX}{name}"] for name in ("version", "commit", "requester")]
    assert labels == ["1.0.0", commit, "jane"]
    owner = release_owner.of(now.labels)
    assert owner
    assert owner.build == "https://jenkins.local/job/shop/job/storefront%2Fmain/7/"


def test_applying_what_is_deployed_makes_no_revision(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    plan = pushed.plan("1.0.0")
    assert (plan.files, plan.manifests) == ("", "")
    assert pushed.apply("1.0.0") == commit
    assert pushed.status.revision == 1
    assert count(pushed.remote) == 2


def test_a_value_that_was_changed_in_the_deploy_repository_is_pushed_and_a_secret_never_shown(pushed: App) -> None:
    pushed.apply("1.0.0")
    pushed.says(key="open up", replicas=0)
    plan = pushed.plan("1.0.0")
    assert plan.files == ""
    assert changed(plan.manifests) == [
        "-  replicas: 1",
        "+  replicas: 0",
        "-  key: (hidden)",
        "+  key: (hidden), changed",
    ]
    assert not any(word in plan.manifests for word in ("sesame", "open up"))
    pushed.apply("1.0.0")
    assert pushed.live("deployments", APP)["spec"]["replicas"] == 0


def test_values_that_somebody_gave_by_hand_are_forgotten(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    chart = f"{pushed.charts}/{APP}"
    given = ["--version", "1.0.0", "--set", "replicas=0,image.repository=x,image.digest=y", "--plain-http"]
    where = [f"--kubeconfig={pushed.lab.kubeconfig}", "-n", pushed.namespace]
    process.run(["helm", "upgrade", APP, chart, *given, *where]).require("upgrade by hand")
    assert helm_release.values(pushed.place)
    assert pushed.apply("1.0.0") == commit
    assert helm_release.values(pushed.place) == {}
    assert pushed.image == pushed.lab.image("1.0.0")


def test_what_somebody_changed_by_hand_does_not_stop_a_deployment(pushed: App) -> None:
    pushed.apply("1.0.0")
    set_image = ("set", "image", f"deployment/{APP}", f"app={pushed.lab.image('2.0.0')}")
    pushed.lab.kubectl("-n", pushed.namespace, *set_image)
    followed = pushed.deploy("1.0.1")
    assert followed.reached, followed.reason
    assert pushed.image == pushed.lab.image("1.0.1")


def test_a_version_that_does_not_come_up_fails_with_evidence_and_the_verified_revision_is_put_back(pushed: App) -> None:
    assert pushed.deploy("1.0.0").reached
    pushed.says(env=[{"name": "PROBE_EXIT_CODE", "value": "3"}, {"name": "PROBE_PRINT", "value": "no database"}])
    followed = pushed.deploy("1.0.1")
    assert not followed.reached
    evidence = helm.diagnose(pushed.target, pushed.release("1.0.1"), followed)
    assert f"{APP} in {pushed.namespace} is at revision 2" in evidence
    assert "no database" in evidence
    pushed.says(env=[])
    assert pushed.deploy("1.0.0", verified="1.0.0").reached
    assert (pushed.status.revision, pushed.status.description) == (3, "Rollback to 1")
    assert pushed.plan("1.0.0").manifests == ""


def test_where_values_have_changed_the_way_back_is_an_upgrade(pushed: App) -> None:
    pushed.apply("1.0.0")
    pushed.apply("1.0.1")
    pushed.says(replicas=2)
    pushed.apply("1.0.0", verified="1.0.0")
    assert pushed.status.description.startswith(f"Deploy {APP} 1.0.0 in dev")
    assert pushed.live("deployments", APP)["spec"]["replicas"] == 2


def test_a_whole_attempt_rolls_back_by_itself_and_verifies_that(pushed: App, tmp_path: Path) -> None:
    pushed.rules(on_failure="rollback")
    ledger = Ledger.open(pushed.target.platform)
    for version in ("1.0.0", "2.0.0"):
        ledger.publish(pushed.release(version))

    def attempt(version: str) -> Attempt:
        request = Request(app=APP, version=version, environment="dev", requested_by="jane")
        target, wanted = pushed.target, pushed.release(version)
        return Attempt(request=request, release=wanted, target=target, model=MODEL, ledger=ledger, folder=tmp_path)

    first = attempt("1.0.0")
    assert [one.outcome for one in phases.carry_out(first, phases.planned(first, None), None)] == ["verified"]
    broken = attempt("2.0.0")
    missing = Image(repository=f"{pushed.lab.registry}/probe", digest=f"sha256:{'0' * 64}")
    broken = replace(broken, release=replace(broken.release, image=missing))
    verified = ledger.verified(APP, "dev")
    failed, back = phases.carry_out(broken, phases.planned(broken, verified), verified)
    assert (failed.outcome, back.kind, back.outcome, back.version) == ("failed", "rollback", "verified", "1.0.0")
    assert "2.0.0" in failed.evidence
    assert pushed.image == pushed.lab.image("1.0.0")


def test_a_hook_that_fails_is_a_verdict_with_its_log(pushed: App) -> None:
    env = [{"name": "PROBE_EXIT_CODE", "value": "4"}, {"name": "PROBE_PRINT", "value": "the table is locked"}]
    pushed.says(hook={"name": "migrate", "when": "pre-install,pre-upgrade", "env": env})
    assert "# hook: Job/storefront-migrate runs pre-install,pre-upgrade\n" in pushed.plan("1.0.0").manifests
    followed = pushed.deploy("1.0.0")
    assert not followed.reached
    assert f"{APP}-migrate" in followed.reason
    assert "the table is locked" in helm.diagnose(pushed.target, pushed.release("1.0.0"), followed)
    assert pushed.status.status == "failed"


def test_a_hook_that_cannot_start_ends_helm_long_before_its_timeout(pushed: App) -> None:
    pushed.apply("1.0.0")
    pushed.rules(timeout="5m")
    pushed.says(hook={"name": "migrate", "when": "pre-upgrade", "image": NOWHERE.format(pushed.lab.registry)})
    followed = pushed.deploy("1.0.1")
    assert not followed.reached
    assert "nothing-like-it" in followed.reason
    assert pushed.status.status == "failed"
    assert pushed.image == pushed.lab.image("1.0.0")
    pushed.says(hook=None)
    assert pushed.deploy("1.0.1").reached


def test_a_hook_after_the_upgrade_is_said_to_run_before_everything_is_up(pushed: App) -> None:
    pushed.says(hook={"name": "smoke", "when": "post-install", "args": ["resolve", "localhost"]})
    assert (
        "runs post-install (right after the objects are applied, not once they are up)"
        in pushed.plan("1.0.0").manifests
    )
    assert pushed.deploy("1.0.0").reached


def test_a_first_installation_that_fails_is_uninstalled_where_that_is_wanted(pushed: App) -> None:
    pushed.says(env=[{"name": "PROBE_EXIT_CODE", "value": "3"}])
    assert not pushed.deploy("1.0.0").reached
    assert helm.withdraw(pushed.target, pushed.release("1.0.0")) == ""
    pushed.rules(helm_uninstall_failed_first=True)
    assert "uninstalled" in helm.withdraw(pushed.target, pushed.release("1.0.0"))
    assert helm_release.status(pushed.place) is None
    pushed.says(env=[])
    assert pushed.deploy("1.0.0").reached


def test_what_ran_before_is_never_uninstalled(pushed: App) -> None:
    pushed.rules(helm_uninstall_failed_first=True)
    pushed.apply("1.0.0")
    pushed.apply("1.0.1")
    assert helm.withdraw(pushed.target, pushed.release("1.0.1")) == ""
    assert pushed.status.revision == 2


def test_the_next_deployment_after_a_first_one_that_failed_succeeds(pushed: App) -> None:
    pushed.says(hook={"name": "migrate", "when": "pre-install", "env": [{"name": "PROBE_EXIT_CODE", "value": "4"}]})
    assert not pushed.deploy("1.0.0").reached
    pushed.says(hook=None)
    followed = pushed.deploy("1.0.0")
    assert followed.reached, followed.reason


def test_a_deployment_that_another_one_overtook_is_superseded(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    pushed.apply("1.0.1")
    followed = helm.follow(pushed.target, pushed.release("1.0.0"), commit)
    assert (followed.reached, followed.superseded_by) == (False, "1.0.1")


def test_a_release_that_somebody_uninstalled_meanwhile_is_told(pushed: App) -> None:
    commit = pushed.apply("1.0.0")
    helm_release.uninstall(pushed.place)
    followed = helm.follow(pushed.target, pushed.release("1.0.0"), commit)
    assert followed.reason == f"there is no release {APP} in {pushed.namespace} any more"


def test_a_namespace_is_made_only_where_the_platform_says_so(pushed: App) -> None:
    missing = f"{pushed.namespace}-more"
    pushed.rules(helm_namespace=missing, helm_service_account=None)
    try:
        with pytest.raises(BadInput, match="not found"):
            pushed.apply("1.0.0")
        pushed.rules(helm_create_namespace=True)
        pushed.apply("1.0.0")
        pushed.namespace = missing
        assert pushed.image == pushed.lab.image("1.0.0")
    finally:
        pushed.lab.kubectl("delete", "namespace", missing, "--wait=false", "--ignore-not-found")


def test_who_may_not_deploy_is_told_what_he_lacks(pushed: App) -> None:
    pushed.lab.kubectl("-n", pushed.namespace, "delete", "rolebinding", "jenkins-cd")
    wait_until_it_may(pushed.lab, pushed.namespace, "no")
    with pytest.raises(
        Refused, match=f"system:serviceaccount:{pushed.namespace}:jenkins-cd may not list secrets"
    ) as caught:
        pushed.plan("1.0.0")
    assert "render rbac" in caught.value.hint


def test_the_server_says_in_a_rehearsal_what_it_would_not_take(pushed: App) -> None:
    helm.rehearse(pushed.target, pushed.release("1.0.0"))
    assert any("dry run takes all 3 objects" in text for text in pushed.notes.texts)
    quota = ("create", "quota", "small", "--hard=count/deployments.apps=0,count/secrets=1000")
    pushed.lab.kubectl("-n", pushed.namespace, *quota)
    pushed.says(extra=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"no key": "x"}}])
    with pytest.raises(BadInput) as caught:
        helm.rehearse(pushed.target, pushed.release("1.0.0"))
    assert len(caught.value.problems) == 2
    problems = "\n".join(sorted(caught.value.problems))
    assert "ConfigMap/x: " in problems
    assert "no key" in problems
    assert "Deployment/storefront: " in problems
    assert "exceeded quota: small" in problems
    assert helm_release.status(pushed.place) is None


def test_a_chart_that_was_replaced_in_the_registry_is_not_deployed(pushed: App) -> None:
    one = pushed.release("1.0.0")
    with pytest.raises(ExternalFailure, match="not the one that was released"):
        helm.plan(pushed.target, replace(one, chart=replace(one.chart, content="sha256:0")), None)


@pytest.mark.usefixtures("alone")
def test_an_api_server_that_restarts_in_the_middle_leaves_no_release_stuck(pushed: App) -> None:
    pushed.rules(timeout="5m")
    pushed.apply("1.0.0")
    env = [{"name": "PROBE_EXIT_CODE", "value": "0"}, {"name": "PROBE_EXIT_AFTER", "value": "4"}]
    pushed.says(hook={"name": "migrate", "when": "pre-upgrade", "env": env})
    restart = threading.Thread(target=_restart_once_pending, args=(pushed,))
    restart.start()
    followed = pushed.deploy("1.0.1")
    restart.join()
    assert followed.reached, followed.reason
    assert not pushed.status.pending


def _restart_once_pending(pushed: App) -> None:
    while not pushed.status.pending:
        time.sleep(0.1)
    pushed.lab.restart("kube-apiserver")
