"""What the components of one lab share: its folder, its addresses and ports, its keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab import network, pki
from tests.lab.network import Network
from tests.lab.pki import Keys

PORTS = (
    "etcd",
    "etcd-peer",
    "api",
    "controller-manager",
    "scheduler",
    "kubelet",
    "kubelet-health",
    "proxy-health",
    "proxy-metrics",
    "dns-health",
    "dns-ready",
    "registry",
    "git-http",
    "git-ssh",
    "argocd-redis",
    "argocd-repo",
    "argocd-repo-metrics",
    "argocd-controller-metrics",
    "argocd-sets-metrics",
    "argocd-sets-webhook",
    "argocd-server",
    "argocd-server-metrics",
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """The place of one lab."""

    folder: Path
    network: Network
    ports: Mapping[str, int]
    keys: Keys

    @property
    def address(self) -> str:
        """Return the address that the machine and the pods reach alike."""
        return self.network.gateway

    @property
    def registry(self) -> str:
        """Return the registry's host, the same for the machine, containerd and the pods."""
        return self.host("registry")

    def host(self, name: str) -> str:
        """Return ADDRESS:PORT of a server that pods reach too."""
        return f"{self.address}:{self.ports[name]}"

    def local(self, name: str) -> str:
        """Return 127.0.0.1:PORT of a server that only the machine reaches."""
        return f"127.0.0.1:{self.ports[name]}"


def prepare(folder: Path, chosen: Network) -> Site:
    """Choose ports and make the keys."""
    ports = dict(zip(PORTS, network.free_ports(chosen.gateway), strict=False))
    keys = pki.make(folder / "keys", f"https://{chosen.gateway}:{ports['api']}", chosen.gateway, chosen.api)
    return Site(folder=folder, network=chosen, ports=ports, keys=keys)
