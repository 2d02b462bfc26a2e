"""The model `argocd` on the real Argo CD, from a commit to a verdict."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import phases
from jenkins_cd.argocd import states
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.delivery import Followed, argocd
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Image
from jenkins_cd.tools import argocd_settings
from tests.argocd.apps import Make, app_as_wanted, app_charts, app_of_either_kind, app_of_manual_syncs  # noqa: F401
from tests.argocd.delivered import BROKEN_HOOK, IN_CLUSTER, Delivered, declare
from tests.argocd.race_histories import ending_hooks, verified
from tests.argocd.scene import Scene
from tests.cluster.pushed import APP, MESSAGE, PLACE
from tests.gitops.remotes import bare, count, git


def failed(followed: Followed, *words: str) -> None:
    """Assert that it failed, for a cause that has these words."""
    assert (followed.reached, followed.superseded_by, followed.outcome) == (False, "", "failed"), followed
    assert [one for one in words if one not in followed.reason] == [], followed.reason


def missing(app: Delivered) -> Image:
    """Return an image that is nowhere."""
    return Image(repository=f"{app.lab.registry}/probe", digest=f"sha256:{'0' * 64}")


def changed(app: Delivered, **spec: Any) -> None:
    """Change the project by hand: Argo CD's API refuses what does not suit its Applications."""
    patch = json.dumps({"spec": spec})
    home = app.scene.argocd.namespace
    app.lab.kubectl("-n", home, "patch", "appproject", app.scene.project, "--type=merge", "--patch", patch)


def idle(app: Delivered) -> bool:
    operation = states.operation(app.application)
    return operation is None or not operation.running


def attempt(app: Delivered, folder: Path, version: str, **release: Any) -> tuple[Deployment, ...]:
    """Deploy a version in one go, with the way back."""
    ledger, wanted = Ledger.open(app.target.platform), replace(app.release(version), **release)
    ledger.publish(wanted)
    one = Attempt(
        request=Request(app=APP, version=version, environment="dev", requested_by="jane"),
        release=wanted,
        target=app.target,
        model=argocd,
        ledger=ledger,
        folder=folder,
    )
    before = ledger.verified(APP, "dev")
    return phases.carry_out(one, phases.planned(one, before), before)


def test_a_first_version_and_the_next_one_are_verified(app: Delivered) -> None:
    verified(app, app.deploy("1.0.0"), "1.0.0")
    verified(app, app.deploy("1.0.1", "1.0.0"), "1.0.1")
    assert git(app.remote, "log", "-1", "--format=%B", "main").strip() == MESSAGE.format(f"{APP} 1.0.1").strip()


def test_what_is_declared_already_is_verified_without_a_commit_or_a_sync(app: Delivered) -> None:
    verified(app, app.deploy("1.0.0"), "1.0.0")
    commits, operation = count(app.remote), states.operation(app.application)
    assert not app.plan("1.0.0", "1.0.0").changes
    verified(app, app.deploy("1.0.0", "1.0.0"), "1.0.0")
    assert count(app.remote) == commits
    assert states.operation(app.application) == operation


@pytest.mark.parametrize("automated", [False, True])
def test_several_sources_with_shared_values_and_the_deploy_repository_as_values(
    make: Make, tmp_path: Path, *, automated: bool
) -> None:
    shared = bare(tmp_path / "shared.git", {"shared.yaml": b"storefront: {key: from-shared}\n"})
    url = f"file://{tmp_path / 'deploy.git'}"
    values = ["$shared/shared.yaml", f"$deploy/{PLACE}/values.yaml"]
    sources = [
        {"repoURL": url, "path": PLACE, "targetRevision": "main", "helm": {"releaseName": APP, "valueFiles": values}},
        {"repoURL": f"file://{shared}", "targetRevision": "main", "ref": "shared"},
        {"repoURL": url, "targetRevision": "main", "ref": "deploy"},
    ]
    app = make(automated=automated, sources=sources)
    verified(app, app.deploy("1.0.0"), "1.0.0")
    verified(app, app.deploy("1.0.1"), "1.0.1")
    assert app.live("secrets", APP)["data"]["key"] == "ZnJvbS1zaGFyZWQ="
    assert len(states.compared_revisions(app.application)) == 3


@pytest.mark.parametrize("automated", [False, True])
def test_an_application_may_live_in_another_namespace(make: Make, argo: Scene, *, automated: bool) -> None:
    with argo.lab.namespace("argocd-apps") as home:
        app = make(automated=automated, home=home)
        verified(app, app.deploy("1.0.0"), "1.0.0")
        verified(app, app.deploy("1.0.1"), "1.0.1")
        assert app.application["metadata"]["namespace"] == home


@pytest.mark.parametrize("prune", [True, False])
def test_what_is_not_declared_any_more_goes_where_that_is_wanted(manual: Delivered, *, prune: bool) -> None:
    extra = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}, "data": {}}
    manual.rules(argocd_prune=prune)
    manual.says(extra=[extra])
    verified(manual, manual.deploy("1.0.0"), "1.0.0")
    manual.says(extra=[])
    followed = manual.deploy("1.0.1")
    assert followed.reached, followed
    assert manual.image == manual.lab.image("1.0.1")
    found = manual.lab.kubectl("-n", manual.namespace, "get", "configmap", "extra", check=False)
    assert (found.exit_code == 0) is not prune


def test_only_chosen_resources_are_synced_and_judged(manual: Delivered) -> None:
    verified(manual, manual.deploy("1.0.0"), "1.0.0")
    manual.rules(argocd_resources=("apps:Deployment:{app}",))
    manual.says(key="another")
    followed = manual.deploy("1.0.1")
    assert followed.reached, followed
    assert manual.image == manual.lab.image("1.0.1")
    assert manual.live("secrets", APP)["data"]["key"] == "c2VzYW1l", "not ours to sync"


def test_sync_options_of_the_platform_file_are_sent(manual: Delivered) -> None:
    manual.rules(argocd_sync_options=("ServerSideApply=true",))
    verified(manual, manual.deploy("1.0.0"), "1.0.0")
    fields = json.loads(
        manual.lab.kubectl(
            "-n", manual.namespace, "get", "deployment", APP, "--show-managed-fields", "-o", "json"
        ).stdout
    )
    assert ("argocd-controller", "Apply") in [
        (one["manager"], one["operation"]) for one in fields["metadata"]["managedFields"]
    ]


def test_a_hook_before_the_sync_that_fails_is_told_with_what_it_said(app: Delivered) -> None:
    verified(app, app.deploy("1.0.0"), "1.0.0")
    app.says(hook=BROKEN_HOOK)
    followed = app.deploy("1.0.1")
    failed(followed, f"Job/{APP}-migrate")
    assert "no table" in argocd.diagnose(app.target, app.release("1.0.1"), followed)
    assert app.image == app.lab.image("1.0.0")
    assert followed.resources


@pytest.mark.parametrize("what", ["sourceRepos", "destinations"])
def test_what_the_project_does_not_permit_has_failed_and_is_mended_by_what_permits_it(
    manual: Delivered, what: str
) -> None:
    verified(manual, manual.deploy("1.0.0"), "1.0.0")
    elsewhere = {
        "sourceRepos": ["https://git.local/elsewhere.git"],
        "destinations": [{"server": IN_CLUSTER, "namespace": "elsewhere"}],
    }
    project = argocd_settings.project(manual.scene.admin, manual.scene.project)
    assert project is not None
    changed(manual, **{what: elsewhere[what]})
    followed = manual.deploy("1.0.1")
    failed(followed, "Argo CD refuses the Application: application ", f"project '{manual.scene.project}'")
    assert manual.image == manual.lab.image("1.0.0")
    changed(manual, **{what: project["spec"][what]})
    verified(manual, manual.deploy("1.0.1"), "1.0.1")


def test_an_image_that_does_not_exist_is_told_long_before_the_timeout(app: Delivered) -> None:
    verified(app, app.deploy("1.0.0"), "1.0.0")
    app.rules(timeout="1h")
    wanted = replace(app.release("1.0.1"), image=missing(app))
    commit = argocd.apply(app.target, wanted, argocd.plan(app.target, wanted, None), "Deploy what is not there")
    failed(argocd.follow(app.target, wanted, commit), f"Deployment/{APP}", "cannot be pulled", "not found")


def test_a_container_that_crashes_again_and_again_is_told_long_before_the_timeout(manual: Delivered) -> None:
    verified(manual, manual.deploy("1.0.0"), "1.0.0")
    manual.rules(timeout="1h")
    manual.says(env=[{"name": "PROBE_EXIT_CODE", "value": "3"}])
    failed(manual.deploy("1.0.1"), f"Deployment/{APP}", "crashes again and again")


def test_a_version_that_does_not_come_up_in_time_has_failed(app: Delivered) -> None:
    verified(app, app.deploy("1.0.0"), "1.0.0")
    app.rules(timeout="12s")
    app.says(env=[{"name": "PROBE_READY_AFTER", "value": "never"}])
    failed(app.deploy("1.0.1"), "1.0.1 did not come up and stay up in 12 s", f"Deployment/{APP} is Progressing")
    app.until(lambda: idle(app), "no sync")


def test_a_version_that_fails_is_put_back_by_git_and_git_and_cluster_agree(
    app: Delivered,
    tmp_path: Path,
) -> None:
    app.rules(on_failure="rollback")
    assert [one.outcome for one in attempt(app, tmp_path, "1.0.0")] == ["verified"]
    first, back = attempt(app, tmp_path, "1.0.1", image=missing(app))
    assert (first.outcome, back.outcome, back.kind) == ("failed", "verified", "rollback"), (first.reason, back.reason)
    app.running("1.0.0")
    assert app.declared == "1.0.0"


def test_a_failure_of_what_nobody_wants_any_more_puts_nothing_back(app: Delivered, tmp_path: Path) -> None:
    app.rules(on_failure="rollback")
    assert [one.outcome for one in attempt(app, tmp_path, "1.0.0")] == ["verified"]
    app.notes.texts.clear()
    with ThreadPoolExecutor(1) as beside:
        deploying = beside.submit(attempt, app, tmp_path, "1.0.1", image=missing(app))
        app.until(lambda: app.told("has begun") or deploying.done(), "the sync")
        declare(app, "2.0.0")
    (only,) = deploying.result()
    assert only.outcome == "superseded", only.reason
    assert "superseded: 2.0.0 was declared meanwhile by jane" in only.reason
    assert app.declared == "2.0.0"


def test_a_hook_that_takes_long_is_waited_for(app: Delivered) -> None:
    app.says(hook={"name": "migrate", "when": "pre-install,pre-upgrade"})
    with app.deploying("1.0.0") as deploying:
        app.until(lambda: app.hooks or deploying.done(), "the hook")
        ending_hooks(app, deploying)
    verified(app, deploying.result(), "1.0.0")
    assert app.told(f"PreSync hook Job/{APP}-migrate Running")
