from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.delivery import dangers, helm
from jenkins_cd.errors import Refused
from jenkins_cd.tools import helm_release
from tests.cluster.pushed import App
from tests.gitops.remotes import count

META = {"name": "x"}
BOX = {"name": "box", "image": "registry.local/box:1"}
PRIVILEGED = {**BOX, "securityContext": {"privileged": True}}
CAPABILITIES = ["SYS_ADMIN", "CAP_NET_ADMIN", "CHOWN"]
SYSCTL = {"name": "kernel.msgmax", "value": "1"}
ELSEWHERE = {**META, "namespace": "kube-system"}
UNCONFINED = {**META, "annotations": {"container.apparmor.security.beta.kubernetes.io/box": "unconfined"}}


def pod(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": META, "spec": {"containers": [BOX], **spec}}


def contained(**box: Any) -> dict[str, Any]:
    return pod(containers=[{**BOX, **box}])


def confined(**context: Any) -> dict[str, Any]:
    return contained(securityContext=context)


def deep(inner: dict[str, Any]) -> dict[str, Any]:
    """Return a CronJob of a pod."""
    job = {"spec": {"template": {"spec": inner["spec"]}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": META, "spec": {"jobTemplate": job}}


def found(*objects: dict[str, Any], allow: tuple[Any, ...] = (), account: str | None = "jenkins-cd") -> str:
    """Return what is refused of objects, or an empty text."""

    def namespaced(_version: str, kind: str) -> bool | None:
        return {"ClusterRole": False, "Namespace": False, "Unheard": None}.get(kind, True)

    try:
        dangers.check(
            objects, what="storefront 1.0.0", namespace="shop", account=account, allow=allow, namespaced=namespaced
        )
    except Refused as error:
        return f"{error.message}\n{error.hint}"
    return ""


@pytest.mark.parametrize(
    ("danger", "said", "item"),
    [
        ("cluster-scoped", "it belongs to the whole cluster", {"kind": "ClusterRole", "metadata": META}),
        ("cluster-scoped", "nobody knows whether a Unheard", {"kind": "Unheard", "metadata": META}),
        ("other-namespaces", "the namespace kube-system", {"kind": "Role", "metadata": ELSEWHERE}),
        ("host-path", "/etc of the node", pod(volumes=[{"name": "v", "hostPath": {"path": "/etc"}}])),
        ("host-path", "/etc of the node", deep(pod(volumes=[{"name": "v", "hostPath": {"path": "/etc"}}]))),
        ("host-network", "the node's network", pod(hostNetwork=True)),
        ("host-ports", "the port 80 of the node", contained(ports=[{"containerPort": 80, "hostPort": 80}])),
        ("privileged", "the container box is privileged", confined(privileged=True)),
        ("privileged", "the container box is privileged", deep(pod(initContainers=[PRIVILEGED]))),
        ("privileged", "hostPID", pod(hostPID=True)),
        ("privileged", "hostIPC", pod(hostIPC=True)),
        ("privileged", "the capabilities NET_ADMIN, SYS_ADMIN", confined(capabilities={"add": CAPABILITIES})),
        ("privileged", "an unmasked /proc", confined(procMount="Unmasked")),
        ("privileged", "switches off seccomp", confined(seccompProfile={"type": "Unconfined"})),
        ("privileged", "switches off AppArmor", {**pod(), "metadata": UNCONFINED}),
        ("privileged", "SELinux", confined(seLinuxOptions={"type": "spc_t"})),
        ("privileged", "the pod sets kernel.msgmax", pod(securityContext={"sysctls": [SYSCTL]})),
        ("privileged", "hostProcess", confined(windowsOptions={"hostProcess": True})),
        ("service-account-token", "a token that never expires", {"kind": "Secret", "type": dangers.TOKEN}),
        ("service-account-token", "it runs as jenkins-cd", pod(serviceAccountName="jenkins-cd")),
    ],
)
def test_a_danger_is_refused_unless_it_is_allowed(danger: Any, said: str, item: dict[str, Any]) -> None:
    item = {"apiVersion": "v1", **item}
    assert said in found(item)
    assert f"({danger})" in found(item)
    assert f"helm.allow: [{danger}]" in found(item)
    assert found(item, allow=(danger,)) == ""


@pytest.mark.parametrize(
    "item",
    [
        pod(serviceAccountName="storefront", hostNetwork=False, volumes=[{"name": "v", "emptyDir": {}}]),
        contained(ports=[{"containerPort": 80}, {"containerPort": 81, "hostPort": 0}]),
        confined(privileged=False, capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, procMount="Default"),
        confined(seccompProfile={"type": "RuntimeDefault"}, seLinuxOptions={"type": "container_t"}),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {**META, "namespace": "shop"},
            "data": {"containers": "[]"},
        },
        {"apiVersion": "v1", "kind": "Secret", "metadata": META, "type": "Opaque"},
    ],
)
def test_what_ordinary_apps_carry_is_no_danger(item: dict[str, Any]) -> None:
    assert found(item) == ""


def test_everything_that_is_refused_is_told_at_once() -> None:
    said = found(pod(hostNetwork=True), confined(privileged=True))
    assert said.count("Pod/x: ") == 2
    assert "helm.allow: [host-network, privileged]" in said


def test_a_release_with_a_danger_is_refused_before_anything_is_applied(pushed: App) -> None:
    extra = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": META, "rules": []},
    ]
    plan = pushed.plan("1.0.0")
    pushed.says(extra=extra)
    with pytest.raises(Refused) as caught:
        pushed.plan("1.0.0")
    assert "storefront 1.0.0 for dev carries what is not allowed there; nothing was applied" in caught.value.message
    assert "ConfigMap/x: it goes to the namespace default" in caught.value.message
    assert "ClusterRole/x: it belongs to the whole cluster" in caught.value.message
    with pytest.raises(Refused):
        helm.apply(pushed.target, pushed.release("1.0.0"), plan, "Deploy")
    assert helm_release.status(pushed.place) is None
    assert count(pushed.remote) == 2


def test_a_danger_in_a_hook_is_refused_too(pushed: App) -> None:
    hook = {**pod(hostPID=True), "metadata": {**META, "annotations": {"helm.sh/hook": "pre-install"}}}
    pushed.says(extra=[hook])
    with pytest.raises(Refused, match="Pod/x: hostPID"):
        pushed.plan("1.0.0")


def test_what_the_platform_file_allows_is_deployed(pushed: App) -> None:
    pushed.says(extra=[pod(hostNetwork=True, nodeName="nowhere")])
    with pytest.raises(Refused, match="host-network"):
        pushed.apply("1.0.0")
    pushed.rules(helm_allow=("host-network",))
    pushed.apply("1.0.0")
    assert pushed.live("pods", "x")["spec"]["hostNetwork"] is True


def test_a_kind_that_the_cluster_does_not_know_is_refused(pushed: App) -> None:
    pushed.says(extra=[{"apiVersion": "nobody.local/v1", "kind": "Unheard", "metadata": META}])
    with pytest.raises(Exception, match="Unheard"):
        pushed.plan("1.0.0")
