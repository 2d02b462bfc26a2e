"""What is rendered for Argo CD, without one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from jenkins_cd.argocd_setup import ownership, setup
from jenkins_cd.argocd_setup.applications import GENERATED_FROM
from jenkins_cd.argocd_setup.placed import Placed
from jenkins_cd.argocd_setup.roles import RIGHTS, roles
from jenkins_cd.argocd_setup.setup import Setup
from jenkins_cd.cli.render import render as render_command
from jenkins_cd.config.argocd import ArgoCdCluster, ArgoCdGroups, ArgoCdWindow
from jenkins_cd.config.types import ArgoCd, ArgoCdTarget, Environment, Freeze, PlatformFile
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.ledger import Ledger
from tests.gitops import samples
from tests.gitops.remotes import bare

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
IN_CLUSTER = "https://kubernetes.default.svc"
PROD = "https://prod.example:6443"
FILES = {
    "dev/shop/storefront/Chart.yaml": b"apiVersion: v2\nname: storefront\nversion: 1.4.0\n"
    b"dependencies: [{name: common-chart, version: 1.0.0, repository: 'file://../../../charts/common'},"
    b" {name: inner, version: 1.0.0, repository: 'file://charts/inner'}]\n",
    "charts/common/Chart.yaml": b"apiVersion: v2\nname: common-chart\nversion: 1.0.0\n"
    b"dependencies: [{name: base, version: 1.0.0, repository: 'file://../base'}]\n",
    "charts/base/Chart.yaml": b"apiVersion: v2\nname: base\nversion: 1.0.0\n",
}


@pytest.fixture
def platform(tmp_path: Path) -> PlatformFile:
    """Two apps of the project shop, delivered to dev and prod, which is another cluster."""
    remote = bare(tmp_path / "deploy.git", FILES)
    environments = {"dev": environment(), "prod": environment(after="dev", target={"cluster": "prod"})}
    made = replace(
        samples.platform(str(remote)),
        environments=environments,
        argocd=ArgoCd(url="https://argocd.local", clusters={"prod": ArgoCdCluster(server=PROD)}),
    )
    for app in ("storefront", "search"):
        Ledger.open(made).publish(samples.release(app=app))
    return made


def environment(target: dict[str, Any] | None = None, **rules: Any) -> Environment:
    known = {"model": "argocd", "after": "ci", "health_url": "https://{app}.{environment}.local"}
    return Environment(**{**known, **rules}, argocd=ArgoCdTarget(**(target or {})))


def changed(platform: PlatformFile, name: str, target: dict[str, Any] | None = None, **rules: Any) -> PlatformFile:
    before = platform.environments[name]
    after = replace(before, argocd=replace(before.argocd, **(target or {})), **rules)
    return replace(platform, environments={**platform.environments, name: after})


def settings(platform: PlatformFile, **more: Any) -> PlatformFile:
    return replace(platform, argocd=replace(platform.argocd, **more))


def render(platform: PlatformFile, project: str | None = None, environment: str | None = None) -> Setup:
    return setup.render(platform, project, environment, NOW)


def objects(found: Setup, kind: str) -> dict[str, dict[str, Any]]:
    return {one.name: one.object for one in found.entries if one.kind == kind}


def shop(platform: PlatformFile) -> dict[str, Any]:
    spec: dict[str, Any] = objects(render(platform), "AppProject")["shop"]["spec"]
    return spec


def policies(spec: dict[str, Any], role: str) -> list[str]:
    return next(list(one["policies"]) for one in spec["roles"] if one["name"] == role)


def test_a_project_may_deliver_from_the_deploy_repository_to_its_own_namespaces_alone(platform: PlatformFile) -> None:
    spec = shop(settings(platform, source_repositories=("https://git.local/extra.git",)))
    url = f"file://{platform.declared_in.url}"
    charts = ["registry.local/charts", "oci://registry.local/charts/*"]
    assert spec["sourceRepos"] == [url, *charts, "https://git.local/extra.git"]
    assert spec["destinations"] == [
        {"server": IN_CLUSTER, "namespace": "shop-dev"},
        {"server": PROD, "namespace": "shop-prod"},
    ]
    assert "clusterResourceWhitelist" not in spec  # none is allowed
    assert {"group": "", "kind": "ResourceQuota"} in spec["namespaceResourceBlacklist"]
    assert spec["orphanedResources"] == {"warn": True}


def test_kinds_outside_of_namespaces_are_those_that_are_named_and_the_namespace_that_is_made(
    platform: PlatformFile,
) -> None:
    spec = shop(changed(settings(platform, cluster_kinds=("/PersistentVolume",)), "dev", {"create_namespace": True}))
    assert spec["clusterResourceWhitelist"] == [
        {"group": "", "kind": "Namespace"},
        {"group": "", "kind": "PersistentVolume"},
    ]


def test_each_app_has_an_application_in_each_environment_projects_first(platform: PlatformFile) -> None:
    found = render(changed(platform, "dev", {"automated": True, "self_heal": True, "create_namespace": True}))
    assert [one.kind for one in found.entries] == ["AppProject"] + ["Application"] * 4
    app = objects(found, "Application")["shop-storefront-dev"]
    assert app["metadata"]["namespace"] == "argocd"
    assert app["spec"] == {
        "project": "shop",
        "source": {
            "repoURL": f"file://{platform.declared_in.url}",
            "path": "dev/shop/storefront",
            "targetRevision": "main",
            "helm": {"releaseName": "storefront"},
        },
        "destination": {"server": IN_CLUSTER, "namespace": "shop-dev"},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
    }
    assert app["metadata"]["annotations"]["link.argocd.argoproj.io/external-link"] == "https://storefront.dev.local"


def test_no_application_has_a_finalizer_that_would_delete_what_runs(platform: PlatformFile) -> None:
    assert "finalizers" not in setup.text(render(platform))


def test_what_an_app_is_made_from_covers_the_charts_in_the_repository_that_it_depends_on(
    platform: PlatformFile,
) -> None:
    apps = objects(render(settings(platform, shared_paths=("values",))), "Application")
    paths = {name: app["metadata"]["annotations"][GENERATED_FROM] for name, app in apps.items()}
    assert paths["shop-storefront-dev"] == ".;/charts/base;/charts/common;/values"
    assert paths["shop-search-dev"] == ".;/values"


def test_roles_are_bound_to_the_groups_of_all_projects_and_of_this_one(platform: PlatformFile) -> None:
    own = {"shop": ArgoCdGroups(devops=("shop-ops",)), "other": ArgoCdGroups(devops=("other-ops",))}
    spec = shop(settings(platform, groups=ArgoCdGroups(devops=("ops",), admin=("admins",)), project_groups=own))
    groups = {one["name"]: one.get("groups", []) for one in spec["roles"]}
    assert groups == {"developer": [], "devops": ["ops", "shop-ops"], "admin": ["admins"], "ci": []}


def test_the_pipeline_may_see_sync_and_read_logs_and_nothing_else(platform: PlatformFile) -> None:
    assert policies(shop(platform), "ci") == [
        "p, proj:shop:ci, applications, get, shop/*, allow",
        "p, proj:shop:ci, logs, get, shop/*, allow",
        "p, proj:shop:ci, applications, sync, shop/*, allow",
    ]


def test_where_all_applications_live_in_namespaces_of_their_own_policies_name_those(platform: PlatformFile) -> None:
    for name in ("dev", "prod"):
        platform = changed(platform, name, {"application_namespace": f"apps-{name}"})
    spec = shop(platform)
    assert spec["sourceNamespaces"] == ["apps-dev", "apps-prod"]
    assert "p, proj:shop:ci, applications, sync, shop/apps-dev/*, allow" in policies(spec, "ci")
    assert not any(", shop/*, " in one for one in policies(spec, "admin"))
    apps = objects(render(platform), "Application")
    assert apps["shop-search-prod"]["metadata"]["namespace"] == "apps-prod"


def test_no_role_has_a_right_that_a_project_cannot_give() -> None:
    known = {"applications", "applicationsets", "logs"}
    assert {resource for rights in RIGHTS.values() for resource, _ in rights} <= known
    assert not any("*" in action for _, action in (*RIGHTS["ci"], *RIGHTS["developer"], *RIGHTS["devops"]))
    assert len(roles("shop", ArgoCd(), ["shop"], [])) == 4


def freeze(start: str, end: str) -> Freeze:
    return Freeze(start=start, end=end, why="the shops are full")


def test_a_freeze_is_a_window_of_the_applications_of_its_environment(platform: PlatformFile) -> None:
    found = changed(platform, "prod", freeze=(freeze("2026-12-20T01:30:20+01:00", "2027-01-02T00:00:00Z"),))
    assert shop(found)["syncWindows"] == [
        {
            "kind": "deny",
            "schedule": "30 0 20 12 *",
            "duration": "311h30m",
            "timeZone": "UTC",
            "description": "the shops are full",
            "applications": ["shop-search-prod", "shop-storefront-prod"],
        }
    ]


def test_a_freeze_ends_no_earlier_than_it_says(platform: PlatformFile) -> None:
    found = changed(platform, "prod", freeze=(freeze("2026-12-20T00:00:59Z", "2026-12-20T00:01:01Z"),))
    assert shop(found)["syncWindows"][0]["duration"] == "2m"


def test_a_freeze_that_is_over_or_would_close_now_as_cron_has_no_year_is_left_out_and_told(
    platform: PlatformFile,
) -> None:
    over = freeze("2026-01-01T00:00:00Z", "2026-10-31T00:00:00Z")
    next_year = freeze("2027-10-25T00:00:00Z", "2027-11-20T00:00:00Z")
    found = changed(platform, "prod", freeze=(over, next_year))
    assert "syncWindows" not in shop(found)
    (project,) = [one for one in render(found).entries if one.kind == "AppProject"]
    assert project.notes == (
        "prod: the freeze until 2026-10-31T00:00:00Z is over: the shops are full",
        "prod: the freeze from 2027-10-25T00:00:00Z would close now too, as cron has no year: render after 2026-11-20",
    )


def test_the_windows_of_an_environment_are_for_it_alone(platform: PlatformFile) -> None:
    night = ArgoCdWindow(kind="deny", schedule="0 22 * * *", duration="8h", time_zone="Europe/Zurich", manual_sync=True)
    (window,) = shop(changed(platform, "dev", {"windows": (night,)}))["syncWindows"]
    assert (window["timeZone"], window["manualSync"]) == ("Europe/Zurich", True)
    assert window["applications"] == ["shop-search-dev", "shop-storefront-dev"]


def test_one_applicationset_makes_the_same_applications_from_the_folders_of_an_environment(
    platform: PlatformFile,
) -> None:
    single = objects(render(platform), "Application")["shop-storefront-prod"]
    found = render(settings(platform, generate="applicationset"))
    assert list(objects(found, "ApplicationSet")) == ["shop-dev", "shop-prod"]
    assert not objects(found, "Application")
    spec = objects(found, "ApplicationSet")["shop-prod"]["spec"]
    assert spec["generators"][0]["git"]["directories"] == [{"path": "prod/shop/*"}]
    assert spec["syncPolicy"] == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}
    filled = json.loads(json.dumps(spec["template"]).replace("{{.path.basename}}", "storefront"))
    assert filled["spec"] == single["spec"]
    assert filled["metadata"] == {key: single["metadata"][key] for key in ("name", "labels", "annotations")}


def test_windows_of_apps_that_are_yet_to_come_go_by_name_and_namespace(platform: PlatformFile) -> None:
    night = ArgoCdWindow(kind="deny", schedule="0 22 * * *", duration="8h")
    found = changed(settings(platform, generate="applicationset"), "dev", {"windows": (night,)})
    (window,) = shop(found)["syncWindows"]
    assert (window["applications"], window["namespaces"], window["andOperator"]) == (["shop-*-dev"], ["shop-dev"], True)


def test_the_secret_of_a_cluster_has_all_but_the_credential(platform: PlatformFile) -> None:
    prod = ArgoCdCluster(server=f"{PROD}/", credential="cluster-prod", namespaces=True)
    found = render(settings(platform, clusters={"prod": prod}))
    secret = objects(found, "Secret")["cluster-prod"]
    assert secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "cluster"
    assert secret["stringData"] == {
        "name": "prod",
        "server": PROD,
        "namespaces": "shop-prod",
        "clusterResources": "false",
    }
    whole = render(settings(platform, clusters={"prod": replace(prod, namespaces=False)}))
    data = objects(whole, "Secret")["cluster-prod"]["stringData"]
    assert (data["namespaces"], data["clusterResources"]) == ("", "true")
    assert found.entries[0].kind == "Secret"


def test_a_cluster_without_a_credential_is_registered_by_others(platform: PlatformFile) -> None:
    found = render(platform)
    assert not objects(found, "Secret")
    assert found.clusters == ("prod",)
    assert render(platform, environment="dev").clusters == ()


def test_the_credential_for_git_is_a_reference(platform: PlatformFile) -> None:
    secret = objects(render(settings(platform, repository_credentials="deploy-git")), "Secret")["deploy-git"]
    assert secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repo-creds"
    assert secret["stringData"] == {"type": "git", "url": f"file://{platform.declared_in.url}"}


def test_one_environment_is_its_applications_and_the_whole_project(platform: PlatformFile) -> None:
    found = render(platform, environment="dev")
    assert list(objects(found, "Application")) == ["shop-search-dev", "shop-storefront-dev"]
    assert objects(found, "AppProject") == objects(render(platform), "AppProject")


def test_a_project_that_has_not_released_yet_has_its_appproject(platform: PlatformFile) -> None:
    found = render(changed(platform, "dev", freeze=(freeze("2026-12-20T00:00:00Z", "2026-12-21T00:00:00Z"),)), "pay")
    (project,) = found.entries
    assert project.name == "pay"
    assert project.object["spec"]["syncWindows"][0]["applications"] == ["pay-*-dev"]


@pytest.mark.parametrize(
    ("change", "given", "said"),
    [
        ({"application": "{project}-{environment}"}, {}, "there would be two Application/shop-dev in argocd"),
        ({}, {"environment": "deev"}, "there is no environment 'deev' (did you mean dev?)"),
        ({}, {"project": "Shop!"}, "'Shop!' names no project"),
    ],
)
def test_what_cannot_be_rendered_is_told(
    platform: PlatformFile, change: dict[str, Any], given: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput) as error:
        render(changed(platform, "dev", change), **given)
    assert said in error.value.message


def test_an_environment_of_another_model_is_told(platform: PlatformFile) -> None:
    with pytest.raises(BadInput) as error:
        render(changed(platform, "dev", model="flux"), environment="dev")
    assert error.value.message == "dev has the model flux, not argocd"


def test_an_appproject_that_is_named_after_apps_waits_for_the_first_release(platform: PlatformFile) -> None:
    with pytest.raises(BadInput, match="pay has released none"):
        render(changed(platform, "dev", {"project": "{project}-{app}"}), project="pay")


def test_the_text_is_the_same_twice_and_yaml_that_kubectl_takes(platform: PlatformFile) -> None:
    frozen = changed(platform, "dev", freeze=(freeze("2026-12-20T00:00:00Z", "2026-12-21T00:00:00Z"),))
    text = setup.text(render(frozen))
    assert text == setup.text(render(frozen))
    assert [one["kind"] for one in yaml.safe_load_all(text)] == ["AppProject"] + ["Application"] * 4
    assert "\n# dev: frozen from 2026-12-20 00:00 to 2026-12-21 00:00 UTC; render again after it" in text


def test_the_command_prints_yaml_or_json(platform: PlatformFile, tmp_path: Path) -> None:
    file = tmp_path / "platform.yaml"
    content = {
        "registry": {"images": "registry.local/apps", "charts": "oci://registry.local/charts"},
        "deploy_repository": {"url": platform.declared_in.url},
        "argocd": {"url": "https://argocd.local"},
        "environments": {"dev": {"model": "argocd", "after": "ci", "health_url": "https://{app}.local"}},
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    printed = CliRunner().invoke(render_command, ["argocd", "--platform", str(file)], catch_exceptions=False)
    assert [one["kind"] for one in yaml.safe_load_all(printed.stdout)] == ["AppProject", "Application", "Application"]
    arguments = ["argocd", "--platform", str(file), "--json"]
    shown = json.loads(CliRunner().invoke(render_command, arguments, catch_exceptions=False).stdout)
    assert shown["schema"] == "jenkins_cd/argocd/setup/v1"
    assert shown["entries"][0]["object"]["kind"] == "AppProject"


def wanted(platform: PlatformFile, kind: str, name: str) -> dict[str, Any]:
    return objects(render(platform), kind)[name]


def test_what_a_server_fills_in_is_no_difference_and_order_neither(platform: PlatformFile) -> None:
    night = ArgoCdWindow(kind="deny", schedule="0 22 * * *", duration="8h")
    mine = wanted(changed(platform, "dev", {"windows": (night,)}), "AppProject", "shop")
    there = json.loads(json.dumps(mine))
    there["metadata"] |= {"resourceVersion": "7", "labels": {**there["metadata"]["labels"], "team": "x"}}
    there["spec"]["syncWindows"][0].pop("timeZone")
    there["spec"]["roles"].reverse()
    there["spec"]["roles"][0]["jwtTokens"] = [{"iat": 1, "id": "x"}]
    there["spec"] |= {"signatureKeys": [{"keyID": "4AEE18F83AFDEB23"}], "clusterResourceBlacklist": []}
    assert (ownership.diff(mine, there), ownership.fields(mine, there)) == ("", ())
    assert ownership.merged(mine, there)["spec"]["signatureKeys"] == [{"keyID": "4AEE18F83AFDEB23"}]
    assert ownership.merged(mine, there)["metadata"]["labels"]["team"] == "x"


def test_what_somebody_has_changed_is_told_as_a_diff(platform: PlatformFile) -> None:
    mine = wanted(platform, "Application", "shop-storefront-dev")
    there = json.loads(json.dumps(mine))
    there["spec"]["source"]["helm"]["parameters"] = [{"name": "image.tag", "value": "evil"}]
    there["spec"]["syncPolicy"] = {"automated": {}}
    told = ownership.diff(mine, there)
    assert "-      - name: image.tag" in told
    assert "-    automated:\n-      enabled: true" in told
    assert ownership.fields(mine, there) == ("source.helm.parameters", "syncPolicy")
    assert "sources" not in ownership.merged(mine, {**there, "spec": {**there["spec"], "sources": [{}]}})["spec"]


def test_automated_syncs_that_are_switched_off_are_a_difference(platform: PlatformFile) -> None:
    mine = wanted(changed(platform, "dev", {"automated": True}), "Application", "shop-storefront-dev")
    there = json.loads(json.dumps(mine))
    there["spec"]["syncPolicy"]["automated"]["enabled"] = False
    assert "+    automated:" in ownership.diff(mine, there)
    there["spec"]["syncPolicy"]["automated"]["enabled"] = True
    assert ownership.diff(mine, there) == ""


def test_a_placed_app_of_any_name_fills_patterns_with_a_star() -> None:
    placed = Placed(environment="dev", rules=environment(), project="shop", app="*")
    assert (placed.application, placed.namespace, placed.folder) == ("shop-*-dev", "shop-dev", "dev/shop/*")
