"""What the lab is made of, with the versions that are known to work together."""

from __future__ import annotations

from dataclasses import dataclass

KUBERNETES = "1.33.13"
ARGOCD = "3.2.1"
ARGOCD_KUBERNETES = "0.34.4"  # the libraries that it is built with


@dataclass(frozen=True, kw_only=True)
class GoTool:
    """A program that `go install` builds from one module. `variable` is where the linker puts the version."""

    name: str
    version: str
    package: str
    variable: str = ""
    link: str = ""  # what the lab calls it, where that is not its name


@dataclass(frozen=True, kw_only=True)
class DebianTool:
    """A Debian package that is unpacked, not installed: its service never starts. `programs` are paths in it."""

    name: str
    version: str  # upstream's, which the package's begins with
    programs: tuple[str, ...]


GO_TOOLS = (
    GoTool(name="coredns", version="1.12.4", package="github.com/coredns/coredns"),
    GoTool(
        name="helm",
        version="3.22.0",
        package="helm.sh/helm/v3/cmd/helm",
        variable="helm.sh/helm/v3/internal/version.version",
        link="helm3",
    ),
    GoTool(
        name="helm",
        version="4.3.1",
        package="helm.sh/helm/v4/cmd/helm",
        variable="helm.sh/helm/v4/internal/version.version",
        link="helm4",
    ),
)

DEBIAN_TOOLS = (
    DebianTool(name="etcd-server", version="3.4.23", programs=("usr/bin/etcd",)),
    DebianTool(
        name="containerd",
        version="1.6.20",
        programs=("usr/bin/containerd", "usr/bin/containerd-shim-runc-v2", "usr/bin/ctr"),
    ),
    DebianTool(name="runc", version="1.1.5", programs=("usr/sbin/runc",)),
    DebianTool(
        name="containernetworking-plugins",
        version="1.1.1",
        programs=("usr/lib/cni/bridge", "usr/lib/cni/host-local", "usr/lib/cni/loopback"),
    ),
    DebianTool(name="openssh-server", version="9.2p1", programs=("usr/sbin/sshd",)),
)

# program: the Debian package that has it. These belong to any machine that develops; the lab does not bring them.
MACHINE = {
    "docker-registry": "docker-registry",
    "git": "git",
    "ip": "iproute2",
    "iptables-save": "iptables",
    "openssl": "openssl",
    "redis-check-rdb": "redis-tools",  # the same program as redis-server, without its service
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
