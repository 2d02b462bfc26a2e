"""Setting up a real Argo CD from the platform file: what is made, what differs later, and what that does."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import masking
from jenkins_cd.argocd import states
from jenkins_cd.argocd_setup import plan as plans
from jenkins_cd.argocd_setup import setup
from jenkins_cd.cli import run
from jenkins_cd.config.argocd import ArgoCdCluster
from jenkins_cd.config.types import Freeze
from jenkins_cd.errors import Refused
from jenkins_cd.tools import argocd, argocd_applications, argocd_settings
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Absent, Blocked
from tests.argocd.shop import Shop, given, shop  # noqa: F401


def changed(shop: Shop, kind: str, name: str, namespace: str, **spec: Any) -> None:  # noqa: F811
    """Change an object by hand."""
    patch = json.dumps({"spec": spec})
    shop.scene.lab.kubectl("--namespace", namespace, "patch", kind, name, "--type=merge", "--patch", patch)


def test_from_nothing_to_an_app_that_is_synced_and_a_second_time_nothing_is_to_do(shop: Shop) -> None:  # noqa: F811
    assert shop.actions() == {f"AppProject/{shop.project}": "create", f"Application/{shop.ref.name}": "create"}
    assert shop.apply().applied
    assert shop.told == [f"AppProject/{shop.project} created", f"Application/{shop.ref.name} created"]
    assert not shop.plan().plan.differs
    argocd_applications.sync(
        shop.scene.admin, shop.ref, SyncOrder(revision=shop.scene.git("rev-parse", "HEAD").stdout.strip())
    )
    assert shop.scene.ends(shop.ref)["status"]["operationState"]["phase"] == "Succeeded"
    shop.scene.healthy(shop.ref)
    assert not shop.plan().plan.differs


def test_what_somebody_changes_by_hand_is_told_and_mended(shop: Shop) -> None:  # noqa: F811
    shop.apply()
    home = shop.scene.argocd.namespace
    roles = [
        {"name": "friends", "policies": [f"p, proj:{shop.project}:friends, applications, *, {shop.project}/*, allow"]}
    ]
    changed(shop, "appproject", shop.project, home, roles=roles, sourceRepos=["*"])
    parameters = {"releaseName": "web", "parameters": [{"name": "replicas", "value": "7"}]}
    changed(
        shop,
        "application",
        shop.ref.name,
        home,
        source={"helm": parameters},
        ignoreDifferences=[{"kind": "Job", "jsonPointers": ["/x"]}],
    )
    shop.scene.until(lambda: set(shop.actions().values()) == {"update"}, "the server to know it")
    diffs = {one.kind: one.diff for one in shop.plan().plan.changes}
    assert "-  - name: friends" in diffs["AppProject"]
    assert '-        value: "7"' in diffs["Application"]
    shop.apply()
    shop.scene.until(lambda: not shop.plan().plan.differs, "the server to know it")
    mended = argocd_applications.read(shop.scene.admin, shop.ref)["spec"]
    assert mended["source"]["helm"] == {"releaseName": "web"}
    assert mended["ignoreDifferences"]  # is none of ours


def test_tokens_survive_a_change_of_their_project(shop: Shop) -> None:  # noqa: F811
    shop.apply()
    token = shop.scene.token("ci")
    shop.says({"create_namespace": True})
    assert shop.apply().differs
    assert argocd.user(shop.scene.as_who_has(token.text)) == f"proj:{shop.project}:ci"


def test_what_others_have_made_is_refused_until_it_is_adopted(shop: Shop) -> None:  # noqa: F811
    spec = {"sourceRepos": ["https://git.local/other.git"]}
    argocd_settings.put_project(shop.scene.admin, {"metadata": {"name": shop.project}, "spec": spec}, None)
    shop.scene.until(lambda: shop.actions()[f"AppProject/{shop.project}"] == "refused", "the server to know it")
    with pytest.raises(Refused, match="was not made by jenkins-cd"):
        shop.apply()
    (project, _) = shop.plan(adopt=True).plan.changes
    assert (project.action, project.note) == ("update", "taken over")


def test_what_is_there_and_not_in_the_file_is_told_and_left_alone(shop: Shop) -> None:  # noqa: F811
    shop.apply()
    ref = shop.scene.app("by-hand")
    found = setup.render(shop.platform, None, None, datetime.now(timezone.utc))
    assert f"Application/{ref.name} in argocd" in plans.plan(shop.scene.admin, shop.platform, found).plan.others
    assert argocd_applications.read(shop.scene.admin, ref)


def test_an_applicationset_makes_the_same_applications(shop: Shop) -> None:  # noqa: F811
    shop.app("search")  # before Argo CD looks for the first time: it remembers for minutes what a branch is
    shop.apply()
    single = argocd_applications.read(shop.scene.admin, shop.ref)
    home = shop.scene.argocd.namespace
    shop.scene.lab.kubectl("--namespace", home, "delete", "application", shop.ref.name)
    shop.says(generate="applicationset")
    shop.apply()
    assert not shop.plan().plan.differs

    def made() -> bool:
        names = {one["metadata"]["name"] for one in argocd_settings.applications(shop.scene.admin, shop.project)}
        return names == {shop.ref.name, shop.ref.name.replace("-web-", "-search-")}

    shop.scene.until(made, "the Applications of the ApplicationSet")
    found = argocd_applications.read(shop.scene.admin, shop.ref)
    assert found["spec"] == single["spec"]
    for marks in ("labels", "annotations"):
        ours = {key: value for key, value in found["metadata"][marks].items() if not key.endswith("/refresh")}
        assert ours == single["metadata"][marks]


@pytest.fixture
def home(shop: Shop) -> Iterator[str]:  # noqa: F811
    """A namespace in which Applications of the shop may be, and are to be."""
    with shop.scene.lab.namespace("argocd-apps") as made:
        shop.says({"application_namespace": made})
        yield made


def test_an_application_in_a_namespace_of_its_own_is_the_pipelines_too(shop: Shop, home: str) -> None:  # noqa: F811
    shop.apply()
    assert not shop.plan().plan.differs
    ci = shop.scene.server("ci")
    assert argocd_applications.read(ci, shop.ref)["metadata"]["namespace"] == home
    assert argocd.may(ci, "applications", "sync", shop.ref.rbac)
    assert not argocd.may(ci, "applications", "sync", f"{shop.project}/{shop.ref.name}")  # in Argo CD's own


def test_an_applicationset_in_a_namespace_of_its_own_makes_its_applications_there(
    shop: Shop,  # noqa: F811
    home: str,
) -> None:
    if not shop.scene.argocd.application_sets:
        pytest.skip("the applicationset-controller of this Argo CD looks at its own namespace alone")
    shop.says(generate="applicationset")
    shop.apply()
    assert not shop.plan().plan.differs
    (made,) = argocd_settings.application_sets(shop.scene.admin, shop.project)
    assert made["metadata"]["namespace"] == home
    ci = shop.scene.server("ci")

    def there() -> bool:
        with contextlib.suppress(Absent):
            return bool(argocd_applications.read(ci, shop.ref))
        return False

    shop.scene.until(there, "the Application of the ApplicationSet")
    argocd_applications.sync(ci, shop.ref, SyncOrder(revision=shop.scene.git("rev-parse", "HEAD").stdout.strip()))
    assert shop.scene.ends(shop.ref)["status"]["operationState"]["phase"] == "Succeeded"
    shop.says({"automated": True})
    assert shop.actions()[f"ApplicationSet/{home}/{made['metadata']['name']}"] == "update"
    shop.apply()
    shop.scene.until(lambda: states.automated(argocd_applications.read(ci, shop.ref)), "the Application to follow")


def frozen(hours_ago: int, hours_to_come: int) -> Freeze:
    now = datetime.now(timezone.utc)
    start, end = now - timedelta(hours=hours_ago), now + timedelta(hours=hours_to_come)
    return Freeze(start=start.isoformat(), end=end.isoformat(), why="the shops are full")


def test_a_freeze_blocks_a_sync_as_long_as_it_lasts(shop: Shop) -> None:  # noqa: F811
    shop.rules(freeze=(frozen(30, 2), frozen(-5, 400)))
    shop.apply()
    ci = shop.scene.server("ci")
    assert not argocd_applications.windows(ci, shop.ref).can_sync
    with pytest.raises(Blocked):
        argocd_applications.sync(ci, shop.ref, SyncOrder())
    shop.rules(freeze=(frozen(30, -1), frozen(-5, 400)))
    shop.apply()
    shop.scene.until(lambda: argocd_applications.windows(ci, shop.ref).can_sync, "the window to be gone")
    (window,) = argocd_applications.windows(ci, shop.ref).assigned
    assert (window.kind, window.duration[:4]) == ("deny", "395h")


def test_a_cluster_is_registered_by_its_secret_alone_and_then_kept_as_the_file_says(
    shop: Shop,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(masking, "_forms", set())  # the credential is compared here: no other test has made it a secret
    lab, home, name = shop.scene.lab, shop.scene.argocd.namespace, f"prod-{secrets.token_hex(3)}"
    server = lab.server
    shop.says({"cluster": name}, clusters={name: ArgoCdCluster(server=server, credential=name, namespaces=True)})
    with pytest.raises(Refused, match="let your secret manager fill `config` in the Secret"):
        shop.apply()
    # The secret manager: it knows the credential and nothing else.
    config = base64.b64encode(_config(Path(lab.kubeconfig)).encode()).decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"config": config}}
    lab.kubectl("--namespace", home, "create", "--filename=-", stdin=json.dumps(secret))
    try:
        text = setup.text(setup.render(shop.platform, shop.project, None, datetime.now(timezone.utc)))
        rendered = next(one for one in yaml.safe_load_all(text) if one["kind"] == "Secret")
        assert "config" not in rendered["stringData"]
        ours = ("apply", "--server-side", "--field-manager=jenkins-cd", "--filename=-")
        lab.kubectl("--namespace", home, *ours, stdin=json.dumps(rendered))
        there = json.loads(lab.kubectl("--namespace", home, "get", "secret", name, "--output=json").stdout)
        assert there["data"]["config"] == config
        shop.scene.until(lambda: shop.actions()[f"Cluster/{name}"] == "unchanged", "the cluster")
        shop.apply()
        (mine,) = [one for one in argocd_settings.clusters(shop.scene.admin) if one["name"] == name]
        assert mine["namespaces"] == [shop.project]
        _changes_its_namespaces(shop, name)
        there = json.loads(lab.kubectl("--namespace", home, "get", "secret", name, "--output=json").stdout)
        assert json.loads(base64.b64decode(there["data"]["config"])) == json.loads(base64.b64decode(config))
    finally:
        lab.kubectl("--namespace", home, "delete", "secret", name)


def _changes_its_namespaces(shop: Shop, name: str) -> None:  # noqa: F811
    shop.says({"namespace": "{project}-other"})
    shop.scene.until(lambda: shop.actions()[f"Cluster/{name}"] == "update", "the server to know it")
    shop.apply()

    def known() -> bool:
        found = [one for one in argocd_settings.clusters(shop.scene.admin) if one["name"] == name]
        return [one["namespaces"] for one in found] == [[f"{shop.project}-other"]]

    shop.scene.until(known, "the namespaces")


def _config(kubeconfig: Path) -> str:
    """Return a cluster's `config` as a secret manager would have it."""
    loaded = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    authority = loaded["clusters"][0]["cluster"]["certificate-authority-data"]
    return json.dumps(
        {
            "bearerToken": loaded["users"][0]["user"]["token"],
            "tlsClientConfig": {"caData": authority, "insecure": False},
        }
    )


def test_a_credential_for_git_that_is_missing_is_told(shop: Shop) -> None:  # noqa: F811
    shop.says(repository_credentials="deploy-git")
    assert shop.actions()["Credential/deploy-git"] == "unchanged"  # the scene's repository has one
    shop.says(repository_url="https://git.local/unknown.git")
    with pytest.raises(Refused, match=r"Argo CD has no credential for https://git\.local/unknown\.git"):
        shop.apply()


@pytest.fixture
def command(given: tuple[str, ...]) -> list[str]:  # noqa: F811
    """`render argocd` of the shop, by the administrator."""
    return ["render", "argocd", *given]


def test_the_command_checks_applies_and_has_nothing_to_do(
    shop: Shop,  # noqa: F811
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*command, "--check"]) == 1
    assert f"+++ AppProject/{shop.project}" in capsys.readouterr().out
    assert run([*command, "--apply"]) == 0
    assert f"argocd: Application/{shop.ref.name} created" in capsys.readouterr().err
    assert run([*command, "--apply"]) == 0
    out, err = capsys.readouterr()
    assert "nothing to do: all is as the platform file says (2 unchanged)" in out
    assert err == ""
    assert run([*command, "--check", "--json"]) == 0
    assert {one["action"] for one in json.loads(capsys.readouterr().out)["changes"]} == {"unchanged"}


def test_what_is_applied_is_a_line_an_object_with_the_fields_of_one_that_is_there(
    shop: Shop,  # noqa: F811
    command: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*command, "--apply"]) == 0
    out = capsys.readouterr().out
    assert re.search(f"^Application +{shop.ref.name} +create$", out, re.MULTILINE)
    assert (out.count(shop.ref.name), out.endswith("\n2 created\n")) == (1, True), out
    changed(shop, "appproject", shop.project, shop.scene.argocd.namespace, sourceRepos=["*"])
    owner = f"AppProject/{shop.project}"
    shop.scene.until(lambda: shop.actions()[owner] == "update", "the server to know it")
    assert run([*command, "--apply"]) == 0
    out = capsys.readouterr().out
    assert re.search(f"^AppProject +{shop.project} +update +sourceRepos$", out, re.MULTILINE)
    assert (shop.ref.name in out, out.endswith("\n1 updated, 1 unchanged\n")) == (False, True), out
