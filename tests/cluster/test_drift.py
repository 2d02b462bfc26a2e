"""Drift on a real cluster: what Helm deployed, what people and controllers did to it since, what is told of it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import cli
from jenkins_cd.cluster import chart_kinds, rights
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.drift import AppDrift, Change
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.report.drift import next_step
from tests.cluster import drift_chart as chart
from tests.cluster.drift_chart import Deployed
from tests.gitops.samples import deployment
from tests.lab.lab import Lab


@pytest.fixture(params=["helm3", "helm4"])
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, lab: Lab, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> Deployed:
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
    return chart.deployed(tmp_path, lab, namespace, getattr(lab, request.param))


def by_place(told: AppDrift) -> dict[tuple[str, str], Change]:
    return {(one.object.partition("/")[0], one.field): one for one in told.changes}


def test_a_release_that_nobody_touched_is_the_same(shop: Deployed) -> None:
    shop.upgrade()
    told = shop.app()
    assert told.changes == ()
    assert (told.state, told.revision, told.chart, told.unseen) == ("same", 1, "storefront 1.4.0", ())
    assert told.objects == 6
    shop.upgrade(image=shop.lab.image("1.0.1"))
    assert (shop.app().changes, shop.app().revision) == ((), 2)


def test_what_people_did_is_told_with_their_tool_and_the_time(shop: Deployed) -> None:
    shop.upgrade()
    wanted, other = shop.lab.image(), shop.lab.image("2.0.0")
    shop.kubectl("set", "image", "deployment/storefront", f"probe={other}")
    shop.kubectl("set", "env", "deployment/storefront", "DEBUG=1", "GREETING-", "API_TOKEN=another-t0ken")
    shop.kubectl("scale", "deployment/storefront", "--replicas=2")
    shop.kubectl(
        "patch", "configmap/storefront", "--patch", '{"data": {"greeting": "bye", "limits": null, "new": "x"}}'
    )
    shop.kubectl("patch", "secret/storefront", "--patch", '{"stringData": {"password": "another horse"}}')
    shop.kubectl("delete", "poddisruptionbudget/storefront")
    told = shop.app()
    assert told.state == "drifted"
    container = "spec.template.spec.containers[probe]"
    seen = {place: (one.kind, one.wanted, one.live, one.by) for place, one in by_place(told).items()}
    assert seen == {
        ("Deployment", f"{container}.image"): ("changed", wanted, other, "kubectl-set"),
        ("Deployment", f"{container}.env[DEBUG]"): ("added", "", '{"name":"DEBUG","value":"1"}', "kubectl-set"),
        ("Deployment", f"{container}.env[GREETING]"): ("removed", '{"name":"GREETING","value":"hello"}', "", ""),
        ("Deployment", f"{container}.env[API_TOKEN].value"): ("changed", "(hidden)", "(hidden)", "kubectl-set"),
        ("Deployment", "spec.replicas"): ("changed", "1", "2", "kubectl"),
        ("ConfigMap", "data.greeting"): ("changed", "hello", "bye", "kubectl-patch"),
        ("ConfigMap", "data.limits"): ("removed", "1000m", "", ""),
        ("ConfigMap", "data.new"): ("added", "", "x", "kubectl-patch"),
        ("Secret", "data.password"): ("changed", "(hidden)", "(hidden)", "kubectl-patch"),
        ("PodDisruptionBudget", ""): ("missing", "", "", ""),
    }
    assert {one.field for one in told.changes if one.by and not one.at} == {"spec.replicas"}  # scaling leaves no time
    command = next_step("dev", told).split(" puts it back but for what was added")[0].split()
    assert command[:2] == ["helm", "--namespace"]
    shop.run_helm(*command[3:], *(["--force-conflicts"] if shop.helm == shop.lab.helm4 else []))
    assert {one.kind for one in shop.app().changes} == {"added"}


def test_what_controllers_do_is_no_drift(shop: Deployed) -> None:
    shop.upgrade(autoscaled=True)
    shop.kubectl("scale", "deployment/storefront", "--replicas=3")
    shop.kubectl("rollout", "restart", "deployment/storefront")
    shop.kubectl("label", "service/storefront", "seen=yes")
    shop.kubectl("wait", "deployment/storefront", "--for=jsonpath={.status.observedGeneration}=3")
    assert shop.app().changes == ()


def test_an_object_that_says_it_is_the_releases_is_extra(shop: Deployed) -> None:
    shop.upgrade()
    copy = json.loads(shop.kubectl("get", "service/storefront", "--output=json"))
    copy["metadata"] = {
        "name": "copy",
        **{name: copy["metadata"][name] for name in ("labels", "annotations")},
    }
    del copy["spec"]["clusterIP"], copy["spec"]["clusterIPs"]
    shop.kubectl("create", "--filename=-", stdin=json.dumps(copy))
    [change] = shop.app().changes
    assert (change.object, change.kind, change.by) == ("Service/copy", "extra", "kubectl-create")
    assert change.at is not None


def test_what_is_made_anew_by_hand_is_compared_by_the_manifest_alone(shop: Deployed) -> None:
    shop.upgrade()
    manifest = shop.run_helm("get", "manifest", chart.APP)
    shop.kubectl("delete", "deployment/storefront", "service/storefront")
    assert {one.kind for one in shop.app().changes} == {"missing"}
    shop.kubectl("apply", "--filename=-", stdin=manifest)
    assert shop.app().changes == ()


def test_helm_by_hand_is_told(shop: Deployed) -> None:
    shop.upgrade()
    (shop.chart / "Chart.yaml").write_text(chart.CHART.replace("1.4.0", "1.5.0"), encoding="utf-8")
    shop.upgrade()
    told = shop.app()
    [change] = told.changes
    assert next_step("dev", told).startswith("jenkins-cd deploy --app storefront --version 1.4.0 --environment dev")
    assert (change.object, change.field, change.wanted, change.live) == (
        "Release/storefront",
        "version",
        "1.4.0",
        "1.5.0",
    )
    again = ("upgrade", chart.APP, str(shop.chart), "--reuse-values")
    shop.run_helm(*again, "--description=Deploy 1.5.0 for jane")
    assert shop.app().state == "same"
    shop.run_helm(*again)
    assert shop.app().state == "drifted"
    Ledger.open(shop.platform).record(deployment(2, model="helm", version="1.5.0", outcome="failed"))
    assert shop.app().state == "same"
    shop.run_helm("uninstall", chart.APP)
    told = shop.app()
    assert [(one.object, one.kind) for one in told.changes] == [("Release/storefront", "missing")]
    assert (told.state, shop.drift().exit_code) == ("drifted", 1)


def test_an_upgrade_that_failed_is_said_and_the_deployed_revision_counts(shop: Deployed) -> None:
    shop.upgrade()
    scaler = shop.chart / "templates" / "scaler.yaml"
    scaler.write_text("apiVersion: v1\nkind: Service\nmetadata: {name: bad}\nspec: {ports: []}\n", encoding="utf-8")
    with pytest.raises(ExternalFailure):
        shop.upgrade()
    told = shop.app()
    assert (told.state, told.revision) == ("same", 1)
    assert "revision 2 is failed" in told.reason


def test_a_release_that_somebody_works_on_cannot_be_known(shop: Deployed) -> None:
    shop.upgrade()
    newest = "secret/sh.helm.release.v1.storefront.v1"
    shop.kubectl("label", "--overwrite", newest, "status=pending-upgrade")
    found = shop.drift()
    assert found.exit_code == 3
    assert "revision 1 is pending-upgrade" in found.apps[0].reason
    shop.kubectl("label", "--overwrite", newest, "status=deployed")
    shop.kubectl("patch", newest, "--patch", '{"data": {"release": "bm90aGluZw=="}}')
    found = shop.drift()
    assert (found.exit_code, found.apps[0].state) == (3, "unknown")
    assert "v1.storefront.v1 holds no release" in found.apps[0].reason


def test_the_account_that_deploys_is_enough_and_the_one_that_reads_is_not(
    tmp_path: Path, lab: Lab, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
    shop = chart.deployed(tmp_path, lab, namespace, lab.helm4, service_account="jenkins-cd")
    shop.upgrade()
    kinds = chart_kinds.of_chart(shop.chart)
    account = rights.objects(namespace, "jenkins-cd", rights.deploying(kinds))
    account += rights.objects(namespace, "jenkins-cd-reader", rights.reading(kinds))
    shop.kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": account}))
    shop.kubectl("set", "image", "deployment/storefront", f"probe={lab.image('1.0.1')}")
    told = shop.app()
    assert told.state == "drifted", told.reason
    assert [one.field for one in told.changes] == ["spec.template.spec.containers[probe].image"]
    assert "StatefulSet" in told.unseen
    assert "Deployment" not in told.unseen
    reading = HelmTarget(namespace=namespace, service_account="jenkins-cd-reader")
    environments = {"dev": replace(shop.platform.environments["dev"], helm=reading)}
    found = replace(shop, platform=replace(shop.platform, environments=environments)).drift()
    assert found.exit_code == 3
    assert "may not list secrets" in found.apps[0].reason


def test_the_command_tells_it_on_the_terminal_as_json_and_as_a_page(
    tmp_path: Path, lab: Lab, namespace: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
    monkeypatch.setenv("JENKINS_CD_RESULT", str(tmp_path / "result.json"))
    monkeypatch.setenv("COLUMNS", "200")
    shop = chart.deployed(tmp_path, lab, namespace, lab.helm4)
    shop.upgrade()
    asked = ["drift", "--environment=dev", "-C", str(shop.checkout())]
    assert cli.run(asked) == 0
    assert "all 6 objects are as deployed" in capsys.readouterr().out
    shop.kubectl("patch", "configmap/storefront", "--patch", '{"data": {"greeting": "bye"}}')
    shop.kubectl("patch", "secret/storefront", "--patch", '{"stringData": {"password": "another horse"}}')
    assert cli.run([*asked, "--app=storefront"]) == 1
    said = capsys.readouterr().out
    [line] = [line.split() for line in said.splitlines() if "data.greeting" in line]
    assert line[:6] == ["ConfigMap/storefront", "data.greeting", "changed", "hello", "bye", "kubectl-patch"]
    assert f"next: helm --namespace {namespace} rollback storefront 1 puts it back" in said
    assert "data.greeting changed by kubectl-patch" in json.loads((tmp_path / "result.json").read_text())["evidence"]
    assert cli.run([*asked, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], len(found["apps"][0]["changes"])) == ("jenkins_cd/drift/v1", 2)
    everything = "".join(file.read_text() for file in (shop.checkout() / ".jenkins-cd").rglob("*.*") if file.is_file())
    assert "kubectl-patch" in everything
    for value in (chart.PASSWORD, "another horse"):
        assert value not in everything
        assert base64.b64encode(value.encode()).decode() not in everything
