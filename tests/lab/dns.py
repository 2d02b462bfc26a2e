"""Cluster DNS: CoreDNS as a process of the machine, on the bridge's address, where each pod's resolv.conf sends it."""

from __future__ import annotations

from tests.lab.component import Component, answers
from tests.lab.site import Site


def components(site: Site) -> list[Component]:
    """Return the DNS server."""
    config = site.folder / "Corefile"
    argv = ["coredns", "-conf", str(config)]
    return [
        Component(
            name="coredns",
            argv=argv,
            ready=answers(f"http://{site.local('dns-ready')}/ready"),
            after=["kube-apiserver"],
            prepare=lambda: _write(site),
        )
    ]


def _write(site: Site) -> None:
    """Write its configuration: https://coredns.io/plugins/kubernetes/. It answers for the cluster and nothing else."""
    config = f"""\
.:53 {{
  bind {site.address}
  errors
  health {site.local("dns-health")}
  ready {site.local("dns-ready")}
  kubernetes cluster.local in-addr.arpa {{
    kubeconfig {site.keys.admin} lab
    pods insecure
  }}
  cache 1
}}
"""
    (site.folder / "Corefile").write_text(config, encoding="utf-8")
