"""The lab's share of the kernel: a bridge, ports, sysctls. What is changed is written down first, and undone."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import random
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import process

BRIDGE = "jcdlab0"
NODE_PORTS = "30000-30199"
PORTS = range(20000, 30000)  # below those that the kernel gives out by itself: nobody takes one by chance
# The kubelet, kube-proxy and the bridge plugin set these; where one does not exist, it is passed over.
SYSCTLS = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/default/forwarding",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/vs/conntrack",
    "net/bridge/bridge-nf-call-iptables",
    "net/bridge/bridge-nf-call-ip6tables",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_tcp_timeout_close_wait",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


@dataclass(frozen=True, kw_only=True)
class Network:
    """Addresses that nothing else on this machine uses."""

    pods: str  # 10.244.7.0/24; its first address is the bridge's: the node, the registry, the Git servers, DNS
    services: str

    @property
    def gateway(self) -> str:
        """Return the bridge's address, which the machine and the pods reach alike."""
        return str(ipaddress.ip_network(self.pods)[1])

    @property
    def first_pod(self) -> str:
        """Return the first address that a pod may get."""
        return str(ipaddress.ip_network(self.pods)[10])

    @property
    def api(self) -> str:
        """Return the address that the service `kubernetes` gets."""
        return str(ipaddress.ip_network(self.services)[1])


def choose() -> Network:
    """Return two subnets that overlap with no route of this machine. Raises ExternalFailure where none is left."""
    taken = _routes()
    for number in range(7, 256):
        network = Network(pods=f"10.244.{number}.0/24", services=f"10.97.{number}.0/24")
        ours = [ipaddress.ip_network(network.pods), ipaddress.ip_network(network.services)]
        if not any(one.overlaps(other) for one in ours for other in taken):
            return network
    raise ExternalFailure("no subnet is left for the lab: 10.244.7.0/24 to 10.244.255.0/24 are all in use", "ip route")


def _routes() -> list[ipaddress.IPv4Network]:
    text = process.run(["ip", "-4", "-o", "route", "show", "table", "all"]).require("read the routes").stdout
    found = (re.search(r"\b\d+(?:\.\d+){3}(?:/\d+)?\b", line.partition(" dev ")[0]) for line in text.splitlines())
    return [ipaddress.IPv4Network(match[0], strict=False) for match in found if match]


def add_bridge(network: Network) -> None:
    """Make the bridge. It keeps the lab's first veth from changing its hardware address."""
    gateway = f"{network.gateway}/24"
    for words in (
        ["link", "add", BRIDGE, "address", "0a:58:0a:f4:07:01", "type", "bridge"],
        ["addr", "add", gateway, "dev", BRIDGE],
        ["link", "set", BRIDGE, "up"],
    ):
        process.run(["ip", *words]).require("make the lab's bridge", "it needs root and CAP_NET_ADMIN")


def remove_bridge() -> None:
    """Remove the bridge with every interface that is attached to it; nothing happens where it is not there."""
    found = process.run(["ip", "-j", "link", "show", "master", BRIDGE])
    attached = json.loads(found.stdout or "[]") if found.exit_code == 0 else []
    for name in (*(interface["ifname"] for interface in attached), BRIDGE):
        process.run(["ip", "link", "del", name])


def has_bridge() -> bool:
    """Tell whether the bridge is there."""
    return Path("/sys/class/net", BRIDGE).exists()


def free_ports(address: str) -> Iterator[int]:
    """Yield ports, each once, that are free on `address` and on 127.0.0.1."""
    addresses = {address, "127.0.0.1"}
    return (port for port in random.sample(PORTS, len(PORTS)) if all(_is_free(one, port) for one in addresses))


def _is_free(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.socket() as listener:
        listener.bind((address, port))
        return True
    return False


def read_sysctls() -> dict[str, str]:
    """Return the values of those that the lab's programs change."""
    files = {name: Path("/proc/sys", name) for name in SYSCTLS}
    return {name: file.read_text(encoding="ascii").strip() for name, file in files.items() if file.exists()}


def restore_sysctls(before: dict[str, str]) -> None:
    """Write back what is no longer as it was."""
    now = read_sysctls()
    for name, value in before.items():
        if now.get(name) != value:
            with contextlib.suppress(OSError):
                Path("/proc/sys", name).write_text(value, encoding="ascii")
