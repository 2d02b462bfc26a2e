"""The control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

Flags: https://kubernetes.io/docs/reference/command-line-tools-reference/.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.lab import network
from tests.lab.component import Component, answers, ask
from tests.lab.site import Site

ISSUER = "https://kubernetes.default.svc"


def components(site: Site) -> list[Component]:
    """Return the control plane's servers."""
    return [_etcd(site), _api(site), _controller_manager(site), _scheduler(site)]


def asks(site: Site, path: str) -> Callable[[], bool]:
    """Return a function that tells whether the API server answers its administrator there."""
    return lambda: get(site, path) is not None


def get(site: Site, path: str) -> str | None:
    """Return what the API server answers its administrator, None where it does not."""
    token = (site.keys.folder / "tokens.csv").read_text(encoding="utf-8").partition(",")[0]
    return ask(f"{site.keys.server}{path}", authority=site.keys.authority, token=token)


def _etcd(site: Site) -> Component:
    clients, peers = f"http://{site.local('etcd')}", f"http://{site.local('etcd-peer')}"
    argv = [
        "etcd",
        f"--data-dir={site.folder / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=default={peers}",
        "--unsafe-no-fsync",  # its data is thrown away
    ]
    return Component(name="etcd", argv=argv, ready=answers(f"{clients}/health"))


def _api(site: Site) -> Component:
    argv = [
        "kube-apiserver",
        f"--etcd-servers=http://{site.local('etcd')}",
        *_api_addresses(site),
        *_api_identities(site),
        f"--service-cluster-ip-range={site.network.services}",
        f"--service-node-port-range={network.NODE_PORTS}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--enable-aggregator-routing=true",
        "--shutdown-delay-duration=0s",
    ]
    return Component(name="kube-apiserver", argv=argv, ready=asks(site, "/readyz"), after=["etcd"])


def _api_addresses(site: Site) -> list[str]:
    return [
        f"--bind-address={site.address}",
        f"--advertise-address={site.address}",
        f"--secure-port={site.ports['api']}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _api_identities(site: Site) -> list[str]:
    file = site.keys.file
    return [
        f"--client-ca-file={site.keys.authority}",
        f"--tls-cert-file={file('api.crt')}",
        f"--tls-private-key-file={file('api.key')}",
        f"--token-auth-file={file('tokens.csv')}",
        f"--service-account-issuer={ISSUER}",
        f"--service-account-key-file={file('tokens.pub')}",
        f"--service-account-signing-key-file={file('tokens.key')}",
        f"--kubelet-certificate-authority={site.keys.authority}",
        f"--kubelet-client-certificate={file('api-client.crt')}",
        f"--kubelet-client-key={file('api-client.key')}",
        f"--proxy-client-cert-file={file('front-proxy.crt')}",
        f"--proxy-client-key-file={file('front-proxy.key')}",
        f"--requestheader-client-ca-file={site.keys.authority}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
    ]


def _controller_manager(site: Site) -> Component:
    argv = [
        "kube-controller-manager",
        f"--kubeconfig={site.keys.admin}",
        "--bind-address=127.0.0.1",
        f"--secure-port={site.ports['controller-manager']}",
        f"--root-ca-file={site.keys.authority}",
        f"--service-account-private-key-file={site.keys.file('tokens.key')}",
        "--use-service-account-credentials=false",
        "--leader-elect=false",
    ]
    # It is of use once it gives each namespace what a pod needs.
    paths = ("serviceaccounts/default", "configmaps/kube-root-ca.crt")
    checks = [asks(site, f"/api/v1/namespaces/default/{path}") for path in paths]
    ready = answers(f"https://{site.local('controller-manager')}/healthz")
    return Component(
        name="kube-controller-manager",
        argv=argv,
        ready=lambda: ready() and all(check() for check in checks),
        after=["kube-apiserver"],
    )


def _scheduler(site: Site) -> Component:
    argv = [
        "kube-scheduler",
        f"--kubeconfig={site.keys.admin}",
        "--bind-address=127.0.0.1",
        f"--secure-port={site.ports['scheduler']}",
        "--leader-elect=false",
    ]
    ready = answers(f"https://{site.local('scheduler')}/healthz")
    return Component(name="kube-scheduler", argv=argv, ready=ready, after=["kube-apiserver"])
