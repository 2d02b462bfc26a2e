"""Accounts on a real cluster, and Helm as one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jenkins_cd import common_chart
from jenkins_cd.cluster import access, chart_kinds, rights
from jenkins_cd.cluster.access import Access
from jenkins_cd.cluster.chart_kinds import Kind
from jenkins_cd.errors import Refused
from jenkins_cd.tools import kubeconfig, kubernetes, kubernetes_kinds, process
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.process import Completed
from tests.lab.lab import Lab

ACCOUNT = "jenkins-cd"
MINUTES = 15 * 60.0


def apply(administrator: Cluster, objects: Iterable[Mapping[str, Any]]) -> None:
    """Create objects as the administrator."""
    for one in objects:
        path = kubernetes_kinds.path(administrator, one).rpartition("/")[0]
        kubernetes.post(administrator, path, one)


def common_kinds() -> set[Kind]:
    """Return the kinds of the common chart."""
    return chart_kinds.named(common_chart.FOLDER)


def prepare(administrator: Cluster, namespace: str, bootstrap: str = "") -> None:
    """Make the accounts that `render rbac` prints for the common chart."""
    rules = {
        ACCOUNT: rights.deploying(common_kinds()),
        rights.reader(ACCOUNT): rights.reading(common_kinds()),
    }
    for account, allowed in rules.items():
        apply(administrator, rights.objects(namespace, account, allowed))
    if bootstrap:
        apply(administrator, rights.tokens(namespace, rules, bootstrap))


@contextlib.contextmanager
def bootstrap(administrator: Cluster, folder: Path, namespace: str, name: str = "agent") -> Iterator[Path]:
    """Yield the kubeconfig of an account that may do nothing yet, as Jenkins would hold it."""
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}
    apply(administrator, [made])
    file = folder / "bootstrap"
    with access.granted(_file(administrator, folder), None, namespace, name, MINUTES) as account:
        file.write_bytes(account.kubeconfig.read_bytes())
        yield file


def _file(cluster: Cluster, folder: Path) -> Path:
    file = folder / "administrator"
    file.write_bytes(kubeconfig.dump(cluster))
    return file


@contextlib.contextmanager
def granted(
    kubeconfig: Path, namespace: str, account: str | None = ACCOUNT, seconds: float = MINUTES
) -> Iterator[Access]:
    """Yield the access of an account that was made just now: rights take effect a moment after they are made."""
    for _ in range(200):
        with contextlib.suppress(Refused), access.granted(kubeconfig, None, namespace, account, seconds) as probe:
            kubernetes.list_(probe.cluster, f"/apis/apps/v1/namespaces/{namespace}/deployments")
            break
        process.pause(0.05)
    with access.granted(kubeconfig, None, namespace, account, seconds) as given:
        yield given


def refused(work: Callable[..., object], *arguments: object) -> str:
    """Return why the API server refuses it, or an empty text where it does not."""
    try:
        work(*arguments)
    except Refused as error:
        return error.message
    return ""


def helm(program: Path, given: Access, *arguments: str) -> Completed:
    """Run Helm with nothing but the kubeconfig of a step."""
    return process.run([str(program), *arguments, f"--kubeconfig={given.kubeconfig}"], timeout=120)


def values(lab: Lab, **more: str) -> list[str]:
    """Return the values that make the common chart deploy the lab's app with all the kinds it has."""
    repository, _, digest = lab.image().partition("@")
    wanted = {
        "image.repository": repository,
        "image.digest": digest,
        "health.enabled": "true",
        "serviceAccount.create": "true",
        "ingress.enabled": "true",
        "autoscaling.enabled": "true",
        "config.COLOUR": "blue",
        **more,
    }
    return [f"--set={key}={value}" for key, value in wanted.items()]
