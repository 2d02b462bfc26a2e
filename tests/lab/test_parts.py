"""What the lab is made of and needs no lab to be seen."""

from __future__ import annotations

import ipaddress
from itertools import islice

import pytest

from jenkins_cd.errors import ExternalFailure
from tests.lab import argocd_module, iptables, kubernetes_module, network
from tests.lab.component import Component, Running, bring_up

UPSTREAM = """\
module k8s.io/kubernetes

go 1.24.0

godebug default=go1.24

require (
	github.com/blang/semver/v4 v4.0.0
	// a remark
	k8s.io/api v0.0.0
	k8s.io/klog/v2 v2.130.1
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
)
"""

ARGOCD = """\
module github.com/argoproj/argo-cd/v3

go 1.25.0

require (
	github.com/redis/go-redis/v9 v9.8.0
	k8s.io/api v0.34.0
)

require (
	golang.org/x/tools v0.35.0 // indirect
)

replace (
	golang.org/x/tools => golang.org/x/tools v0.35.0

	// a remark
	k8s.io/api => k8s.io/api v0.34.0
	k8s.io/legacy-cloud-providers => k8s.io/legacy-cloud-providers v0.34.0
)
"""

SAVED = """\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SERVICES - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -j DOCKER
-A KUBE-SERVICES -j KUBE-MARK-MASQ
COMMIT
*filter
:INPUT ACCEPT [0:0]
-A INPUT -j ACCEPT
COMMIT
"""

REMOVAL = """\
*nat
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-F KUBE-MARK-MASQ
-F KUBE-SERVICES
-X KUBE-MARK-MASQ
-X KUBE-SERVICES
COMMIT
"""


def test_only_the_chains_of_kubernetes_are_removed() -> None:
    assert iptables._removal(SAVED.splitlines()) == REMOVAL
    assert iptables._removal([line for line in SAVED.splitlines() if "KUBE" not in line]) == ""


def test_staging_modules_get_the_version_that_is_published_with_kubernetes() -> None:
    made = kubernetes_module.go_mod(UPSTREAM, "1.33.13")
    assert "\tk8s.io/kubernetes v1.33.13\n" in made
    assert "\tk8s.io/api v0.33.13\n" in made
    assert "\tk8s.io/api => k8s.io/api v0.33.13\n" in made
    assert "\tk8s.io/klog/v2 v2.130.1\n" in made
    assert "godebug default=go1.24\n" in made
    assert "remark" not in made


def test_argo_cd_keeps_its_replacements_and_gets_one_version_of_the_libraries_of_kubernetes() -> None:
    made = argocd_module.go_mod(ARGOCD, "3.2.1", "0.34.4").splitlines()
    required, replaced = made.index("require ("), made.index("replace (")
    assert made[required + 1 : made.index(")")] == [
        "github.com/argoproj/argo-cd/v3 v3.2.1",
        "github.com/redis/go-redis/v9 v9.8.0",
        "k8s.io/api v0.34.0",
        "golang.org/x/tools v0.35.0 // indirect",
    ]
    kept = "golang.org/x/tools => golang.org/x/tools v0.35.0"
    assert made[replaced + 1 :] == [kept, "k8s.io/api => k8s.io/api v0.34.4", ")"]
    assert "go 1.25.0" in made


def test_the_subnets_overlap_with_no_route_of_this_machine() -> None:
    chosen = network.choose()
    ours = ipaddress.ip_network(chosen.pods)
    assert not any(ours.overlaps(one) for one in network._routes())
    assert ipaddress.ip_address(chosen.gateway) in ours
    assert ipaddress.ip_address(chosen.api) in ipaddress.ip_network(chosen.services)


def test_ports_are_given_out_once_and_below_those_of_the_kernel() -> None:
    ports = list(islice(network.free_ports("127.0.0.1"), 100))
    assert len(set(ports)) == 100
    assert all(port in network.PORTS for port in ports)


def test_components_start_when_those_that_they_need_are_ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("logs")
    made = folder / "made"
    told: list[str] = []
    first = Component(name="first", argv=["sh", "-c", f"touch {made}; exec sleep 60"], ready=made.exists)
    second = Component(name="second", argv=["sh", "-c", f"test -e {made} && exec sleep 60"], ready=lambda: True)
    needs = Component(name="second", argv=second.argv, ready=second.ready, after=["first"])
    running: dict[str, Running] = {}
    try:
        bring_up([needs, first], folder, tell=told.append, known=running)
        assert told == ["first", "second"]
    finally:
        for one in running.values():
            one.stop()


def test_a_component_that_ends_is_told_with_its_last_words(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("logs")
    one = Component(name="one", argv=["sh", "-c", "echo the port is taken; exit 4"], ready=lambda: False)
    with pytest.raises(ExternalFailure, match="exit code 4: the port is taken"):
        bring_up([one], folder, tell=print, known={})
