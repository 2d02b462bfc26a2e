"""What a release may not carry unless the platform file allows it: a way out of its pods, or out of its namespace.

What a pod may not do is the Baseline of https://kubernetes.io/docs/concepts/security/pod-security-standards/. It is
looked for in every object that holds a pod's specification, whatever its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jenkins_cd.config.helm import Danger
from jenkins_cd.delivery import manifests
from jenkins_cd.errors import Refused

Found = Iterator[tuple[Danger, str]]
_CAPABILITIES = """
    AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT
"""
_SYSCTLS = """
    kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports
    net.ipv4.ip_unprivileged_port_start net.ipv4.ping_group_range net.ipv4.tcp_fin_timeout
    net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_keepalive_time net.ipv4.tcp_rmem
    net.ipv4.tcp_syncookies net.ipv4.tcp_wmem
"""
CAPABILITIES = frozenset(_CAPABILITIES.split())  # that may be added
SYSCTLS = frozenset(_SYSCTLS.split())  # that may be set
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105, a type of Secret
_SELINUX = (None, "", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"


def check(
    objects: Iterable[Mapping[str, Any]],
    *,
    what: str,
    namespace: str,
    account: str | None,
    allow: Sequence[Danger],
    namespaced: Callable[[str, str], bool | None],
) -> None:
    """Raise Refused, with everything that was found, where the objects of `what` carry what is not in `allow`.

    `account` is the service account that deploys; `namespaced` tells of an apiVersion and a kind whether its objects
    live in a namespace, None where nobody knows: that counts as no.
    """
    found = [
        (danger, f"{manifests.name(one)}: {text}")
        for one in objects
        for danger, text in _dangers(one, namespace, account, namespaced)
        if danger not in allow
    ]
    if not found:
        return
    lines = "\n".join(f"  {text} ({danger})" for danger, text in dict.fromkeys(found))
    missing = ", ".join(sorted({danger for danger, _ in found}))
    raise Refused(
        f"{what} carries what is not allowed there; nothing was applied:\n{lines}",
        f"take it out of the chart or its values; the platform team can allow it with `helm.allow: [{missing}]`",
    )


def _dangers(
    item: Mapping[str, Any], namespace: str, account: str | None, namespaced: Callable[[str, str], bool | None]
) -> Found:
    kind = str(item.get("kind"))
    lives = namespaced(str(item.get("apiVersion")), kind)
    if not lives:
        unknown = f"nobody knows whether a {kind} of {item.get('apiVersion')} lives in a namespace"
        yield "cluster-scoped", "it belongs to the whole cluster" if lives is False else unknown
    metadata = _mapping(item.get("metadata"))
    if (other := metadata.get("namespace")) not in (None, "", namespace) and lives is not False:
        yield "other-namespaces", f"it goes to the namespace {other}, not to {namespace}"
    if kind == "Secret" and item.get("type") == TOKEN:
        yield "service-account-token", "it asks for a token that never expires"
    for part in _parts(item):
        yield from _part(part, account)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every mapping in an object, itself first."""
    if isinstance(value, Mapping):
        yield value
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _parts(inner)


def _part(part: Mapping[str, Any], account: str | None) -> Found:
    if isinstance(part.get("containers"), list):
        yield from _pod(part, account)
    for key, value in _mapping(part.get("annotations")).items():
        if str(key).startswith(_APPARMOR) and value == "unconfined":
            yield "privileged", f"{key} switches off AppArmor"


def _pod(pod: Mapping[str, Any], account: str | None) -> Found:
    if _set(pod.get("hostNetwork")):
        yield "host-network", "it uses the node's network"
    for key in ("hostPID", "hostIPC"):
        if _set(pod.get(key)):
            yield "privileged", f"{key}: it sees what runs on the node"
    for volume in _mappings(pod.get("volumes")):
        if "hostPath" in volume:
            path = _mapping(volume["hostPath"]).get("path", "?")
            yield "host-path", f"the volume {volume.get('name')} is {path} of the node"
    if account and account == (pod.get("serviceAccountName") or pod.get("serviceAccount") or "default"):
        yield "service-account-token", f"it runs as {account}, the account that deploys"
    yield from _context(_mapping(pod.get("securityContext")), "the pod")
    for key in CONTAINERS:
        for container in _mappings(pod.get(key)):
            yield from _container(container)


def _container(container: Mapping[str, Any]) -> Found:
    title = f"the container {container.get('name')}"
    for port in _mappings(container.get("ports")):
        if port.get("hostPort") not in (None, 0):
            yield "host-ports", f"{title} takes the port {port['hostPort']} of the node"
    yield from _context(_mapping(container.get("securityContext")), title)


def _context(context: Mapping[str, Any], title: str) -> Found:
    if _set(context.get("privileged")):
        yield "privileged", f"{title} is privileged"
    added = _mapping(context.get("capabilities")).get("add") or ()
    if more := sorted({str(one).upper().removeprefix("CAP_") for one in added} - CAPABILITIES):
        yield "privileged", f"{title} adds the capabilities {', '.join(more)}"
    if context.get("procMount") not in (None, "Default"):
        yield "privileged", f"{title} sees an unmasked /proc"
    for key in ("seccompProfile", "appArmorProfile"):
        if _mapping(context.get(key)).get("type") == "Unconfined":
            yield "privileged", f"{title} switches off {key.removesuffix('Profile')}"
    if _set(_mapping(context.get("windowsOptions")).get("hostProcess")):
        yield "privileged", f"{title} runs on the node itself (hostProcess)"
    selinux = _mapping(context.get("seLinuxOptions"))
    if selinux.get("user") or selinux.get("role") or selinux.get("type") not in _SELINUX:
        yield "privileged", f"{title} chooses its SELinux context"
    names = {str(one.get("name")) for one in _mappings(context.get("sysctls"))}
    if unsafe := sorted(names - SYSCTLS):
        yield "privileged", f"{title} sets {', '.join(unsafe)}"


def _set(value: Any) -> bool:
    """Tell whether something that is true or false is, or may be, true."""
    return value not in (None, False)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
