"""What the accounts of `render rbac` can do on a real API server, and what they cannot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jenkins_cd import common_chart
from jenkins_cd.cli.render import text
from jenkins_cd.cluster import rbac, rights
from jenkins_cd.cluster.rbac import Wanted
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster.accounts import ACCOUNT, granted, helm, refused, values
from tests.deployments import Shop
from tests.lab.lab import Lab

RBAC = "/apis/rbac.authorization.k8s.io/v1"
CHART = str(common_chart.FOLDER)
EVERYTHING = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]
ADMIN = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}


@pytest.fixture(params=["helm3", "helm4"])
def program(request: pytest.FixtureRequest, lab: Lab) -> Path:
    found: Path = getattr(lab, request.param)
    return found


def test_helm_installs_upgrades_rolls_back_and_uninstalls_all_kinds_of_the_common_chart(
    prepared: Path, lab: Lab, namespace: str, program: Path
) -> None:
    waiting, without = ("--wait", "--timeout=90s"), {"ingress.enabled": "false"}
    with granted(prepared, namespace) as given:
        for arguments in (
            ("upgrade", "--install", *waiting, "web", CHART, *values(lab)),
            ("upgrade", "--install", "--dry-run=server", "web", CHART, *values(lab, replicaCount="2")),
            (
                "upgrade",
                "--install",
                *waiting,
                "--labels=a=b",
                "web",
                CHART,
                *values(lab, **without),
            ),
            ("history", "web"),
            ("get", "all", "web"),
            ("rollback", "web", "1"),
            ("uninstall", "web"),
        ):
            ended = helm(program, given, *arguments)
            assert (ended.exit_code, ended.output if ended.exit_code else "") == (0, ""), ended.line


def test_helm_4_takes_over_what_helm_3_has_installed(prepared: Path, lab: Lab, namespace: str) -> None:
    with granted(prepared, namespace) as given:
        for program, colour in ((lab.helm3, "blue"), (lab.helm4, "red")):
            wanted = values(lab, **{"config.COLOUR": colour})
            helm(program, given, "upgrade", "--install", "web", CHART, *wanted).require("deploy")


def test_helm_cannot_deploy_to_another_namespace(prepared: Path, lab: Lab, namespace: str, program: Path) -> None:
    with lab.namespace("other") as other, granted(prepared, namespace) as given:
        ended = helm(program, given, "upgrade", "--install", "web", CHART, "--namespace", other, *values(lab))
        assert ended.exit_code != 0
        assert f'cannot list resource "secrets" in API group "" in the namespace "{other}"' in ended.stderr


Work = Callable[[Cluster, str, str], object]  # as whom, in the namespace of its own, and with another one
FORBIDDEN: dict[str, Work] = {
    "read another namespace's secrets": lambda us, _, other: kubernetes.list_(
        us, f"/api/v1/namespaces/{other}/secrets"
    ),
    "read all secrets": lambda us, *_: kubernetes.list_(us, "/api/v1/secrets"),
    "look at another project": lambda us, _, other: kubernetes.list_(
        us, f"/apis/apps/v1/namespaces/{other}/deployments"
    ),
    "change another project": lambda us, _, other: kubernetes.post(
        us, f"/api/v1/namespaces/{other}/configmaps", {"metadata": {"name": "x"}}
    ),
    "create a ClusterRole": lambda us, *_: kubernetes.post(
        us, f"{RBAC}/clusterroles", {"metadata": {"name": "x"}, "rules": EVERYTHING}
    ),
    "become cluster-admin": lambda us, *_: kubernetes.post(
        us, f"{RBAC}/clusterrolebindings", {"metadata": {"name": "x"}, "roleRef": ADMIN}
    ),
    "become admin of its own namespace": lambda us, own, _: kubernetes.post(
        us, f"{RBAC}/namespaces/{own}/rolebindings", {"metadata": {"name": "x"}, "roleRef": ADMIN}
    ),
    "give itself more": lambda us, own, _: kubernetes.post(
        us, f"{RBAC}/namespaces/{own}/roles", {"metadata": {"name": "x"}, "rules": EVERYTHING}
    ),
    "ask for another token": lambda us, own, _: kubernetes.post(
        us, f"/api/v1/namespaces/{own}/serviceaccounts/{ACCOUNT}/token", {"spec": {}}
    ),
    "run a pod outside of a workload": lambda us, own, _: kubernetes.post(
        us, f"/api/v1/namespaces/{own}/pods", {"metadata": {"name": "x"}}
    ),
    "enter a pod": lambda us, own, _: kubernetes.post(us, f"/api/v1/namespaces/{own}/pods/x/exec", {}),
    "make a namespace": lambda us, *_: kubernetes.post(us, "/api/v1/namespaces", {"metadata": {"name": "x"}}),
    "delete its namespace": lambda us, own, _: kubernetes.delete(us, f"/api/v1/namespaces/{own}"),
    "look at nodes": lambda us, *_: kubernetes.list_(us, "/api/v1/nodes"),
}


def test_the_deploying_account_cannot_leave_its_namespace_nor_get_more_rights(
    prepared: Path, lab: Lab, namespace: str
) -> None:
    with lab.namespace("other") as other, granted(prepared, namespace) as given:
        done = {
            what: refused(lambda work=work: work(given.cluster, namespace, other)) for what, work in FORBIDDEN.items()
        }
    assert [what for what, why in done.items() if "may not" not in why] == []


def test_the_reading_account_reads_pods_and_logs_and_neither_secrets_nor_changes_anything(
    prepared: Path, lab: Lab, namespace: str
) -> None:
    with granted(prepared, namespace) as deployer:
        command = ("upgrade", "--install", "--wait", "web", CHART, *values(lab, **{"env[0].name": "PROBE_PRINT"}))
        helm(lab.helm4, deployer, *command, "--set=env[0].value=good morning").require("deploy")
    place = f"/api/v1/namespaces/{namespace}"
    with granted(prepared, namespace, rights.reader(ACCOUNT)) as given:
        (pod,) = kubernetes.list_(given.cluster, f"{place}/pods").items
        assert "good morning" in (kubernetes.logs(given.cluster, namespace, pod["metadata"]["name"]) or "")
        assert kubernetes.list_(given.cluster, f"{place}/events").items
        deployment = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
        for why in (
            refused(kubernetes.list_, given.cluster, f"{place}/secrets"),
            refused(kubernetes.delete, given.cluster, f"{place}/pods/{pod['metadata']['name']}"),
            refused(kubernetes.post, given.cluster, f"{place}/configmaps", {"metadata": {"name": "x"}}),
            refused(kubernetes.delete, given.cluster, deployment),
        ):
            assert "may not" in why


def test_what_jenkins_holds_may_ask_for_two_tokens_and_nothing_else(prepared: Path, namespace: str) -> None:
    with granted(prepared, namespace):
        us, place = Cluster.of(prepared), f"/api/v1/namespaces/{namespace}"
        for account in (ACCOUNT, rights.reader(ACCOUNT)):
            assert kubernetes.post(us, f"{place}/serviceaccounts/{account}/token", {"spec": {}})["status"]["token"]
        for path in ("secrets", "pods", "configmaps"):
            assert "may not list" in refused(kubernetes.list_, us, f"{place}/{path}")
        for account in ("default", "agent"):
            asked = f"{place}/serviceaccounts/{account}/token"
            assert "may not create" in refused(kubernetes.post, us, asked, {"spec": {}})


def test_kubectl_applies_what_is_printed_and_again_without_a_change(shop: Shop, lab: Lab, namespace: str) -> None:
    shop.change("dev", model="helm", helm=HelmTarget(namespace=namespace))
    wanted = Wanted(environment="dev", project="payments", bootstrap="jenkins/agent")
    (grant,) = rbac.render(shop.platform, wanted, lambda _line: None).grants
    applied = [lab.kubectl("apply", "-f", "-", stdin=text(grant)).stdout.splitlines() for _ in range(2)]
    assert [len(applied[0]), {line.rpartition(" ")[2] for line in applied[1]}] == [8, {"unchanged"}]
    account = f"--as=system:serviceaccount:{namespace}:{ACCOUNT}"
    may = {
        what: lab.kubectl("auth", "can-i", *what.split(), "-n", namespace, account, check=False).stdout.strip()
        for what in ("patch deployments.apps", "create secrets", "create rolebindings", "get nodes")
    }
    assert list(may.values()) == ["yes", "yes", "no", "no"]
