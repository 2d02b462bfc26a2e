"""Argo CD: its servers as processes of the machine, which take the lab's cluster for the one that they run in.

How it is set up: https://argo-cd.readthedocs.io/en/release-3.2/operator-manual/.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import process
from tests.lab import argocd_module, cluster, places
from tests.lab.argocd_server import APPLICATIONS, NAMESPACE, PASSWORD
from tests.lab.component import POLL, Component, accepts, answers
from tests.lab.site import Site

ASK_PASS = places.STATE / "argocd-ask-pass.sock"  # short, as the path of a Unix socket must be
_RESOURCES = "/apis/argoproj.io/v1alpha1"
_NAMES = ("applications", "applicationsets", "appprojects")
_PATIENCE = 20.0  # seconds


def components(site: Site) -> list[Component]:
    """Return its servers, and the Redis that they share."""
    return [_redis(site), _repo_server(site), _controller(site), _application_sets(site), _server(site)]


def _folder(site: Site) -> Path:
    return site.folder / "argocd"


def _redis(site: Site) -> Component:
    port = site.ports["argocd-redis"]
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return Component(name="argocd-redis", argv=argv, ready=accepts(("127.0.0.1", port)))


def _repo_server(site: Site) -> Component:
    argv = [
        "argocd-repo-server",
        "--address=127.0.0.1",
        f"--port={site.ports['argocd-repo']}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={site.ports['argocd-repo-metrics']}",
        f"--redis={site.local('argocd-redis')}",
    ]
    ready = answers(f"http://{site.local('argocd-repo-metrics')}/healthz")
    return _of(site, argv, ready, lambda: _lay_out(site), "argocd-redis")


def _controller(site: Site) -> Component:
    argv = [
        "argocd-application-controller",
        *_shared(site),
        f"--redis={site.local('argocd-redis')}",
        f"--application-namespaces={APPLICATIONS}",
        f"--metrics-port={site.ports['argocd-controller-metrics']}",  # on all addresses: it knows no other way
        "--app-resync=180",  # seconds: what a test sees is not by chance
        "--self-heal-backoff-timeout-seconds=0",
        "--self-heal-timeout-seconds=1",
    ]
    ready = answers(f"http://{site.local('argocd-controller-metrics')}/healthz")
    return _of(site, argv, ready, lambda: install(site), "kube-apiserver", "argocd-repo-server")


def _application_sets(site: Site) -> Component:
    metrics = site.local("argocd-sets-metrics")
    argv = [
        "argocd-applicationset-controller",
        f"--namespace={NAMESPACE}",
        f"--applicationset-namespaces={APPLICATIONS}",
        "--enable-scm-providers=false",  # in other namespaces than its own they would have to be listed
        f"--argocd-repo-server={site.local('argocd-repo')}",
        f"--metrics-addr={metrics}",
        f"--webhook-addr={site.local('argocd-sets-webhook')}",
        "--probe-addr=0",  # off: it has no checks
    ]
    ready = answers(f"http://{metrics}/metrics")
    return _of(site, argv, ready, lambda: install(site), "kube-apiserver", "argocd-repo-server")


def _server(site: Site) -> Component:
    url = f"http://{site.local('argocd-server')}"
    argv = [
        "argocd-server",
        *_shared(site),
        f"--redis={site.local('argocd-redis')}",
        f"--application-namespaces={APPLICATIONS}",
        "--address=127.0.0.1",
        f"--port={site.ports['argocd-server']}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={site.ports['argocd-server-metrics']}",
        "--insecure",  # plain HTTP
        "--dex-server=http://127.0.0.1:1",  # there is none
    ]
    return _of(site, argv, answers(f"{url}/healthz"), lambda: install(site), "kube-apiserver", "argocd-repo-server")


def _shared(site: Site) -> list[str]:
    return [f"--namespace={NAMESPACE}", f"--repo-server={site.local('argocd-repo')}"]


def _of(site: Site, argv: list[str], ready: Callable[[], bool], prepare: Callable[[], None], *after: str) -> Component:
    return Component(name=argv[0], argv=argv, ready=ready, after=after, prepare=prepare, env=_environment(site))


def _environment(site: Site) -> dict[str, str]:
    folder = _folder(site)
    return {
        "ARGOCD_FAKE_IN_CLUSTER": "true",  # https://kubernetes.default.svc is the cluster of KUBECONFIG
        "KUBECONFIG": str(site.keys.admin),
        "PATH": f"{folder / 'bin'}:{places.path()}",
        "TMPDIR": str(folder / "tmp"),
        "ARGOCD_ASK_PASS_SOCK": str(ASK_PASS),
        "ARGOCD_GNUPGHOME": str(folder / "gpg"),
        "ARGOCD_GPG_DATA_PATH": str(folder / "gpg"),
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
    }


def _lay_out(site: Site) -> None:
    """Make its folders, with Helm 3 as the `helm` that Argo CD 3.2 wants, and the lab's Git server as a known host."""
    folder = _folder(site)
    for name in ("bin", "gpg", "plugins", "ssh", "tls", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    helm = folder / "bin" / "helm"
    helm.unlink(missing_ok=True)
    helm.symlink_to(places.BIN / "helm3")
    known_hosts = (site.folder / "git" / "known_hosts").read_text(encoding="ascii")
    (folder / "ssh" / "ssh_known_hosts").write_text(known_hosts, encoding="ascii")
    ASK_PASS.unlink(missing_ok=True)


def install(site: Site) -> None:
    """Put its namespace, resources and settings into the cluster, once; admin's password goes into the folder."""
    if cluster.get(site, f"/api/v1/namespaces/{NAMESPACE}/secrets/argocd-secret"):
        return
    password = secrets.token_urlsafe(12)
    file = site.folder / PASSWORD
    file.touch(0o600)
    file.write_text(password, encoding="ascii")
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    _create(site, json.dumps(namespace), argocd_module.CRDS, argocd_module.CONFIG)
    _await_resources(site)
    _create(site, _secret(password))


def _create(site: Site, text: str, *folders: str) -> None:
    """Create objects: those of a text, then those of folders that came with the program.

    A server-side apply would take seconds for definitions of this size.
    """
    shipped = (places.BIN / "argocd").resolve().parent
    files = [f"--filename={name}" for name in ("-", *(shipped / one for one in folders))]
    options = [f"--namespace={NAMESPACE}", "--validate=false", *files]
    argv = ["kubectl", f"--kubeconfig={site.keys.admin}", "create", *options]
    process.run(argv, stdin=text.encode()).require("set up Argo CD")


def _await_resources(site: Site) -> None:
    """Wait until the API server tells of Argo CD's resources: who asks earlier may ask again only after 10 s."""
    deadline = time.monotonic() + _PATIENCE
    while not all(f'"{name}"' in (cluster.get(site, _RESOURCES) or "") for name in _NAMES):
        if time.monotonic() > deadline:
            raise ExternalFailure("the API server does not know Argo CD's resources", "the machine may be too busy")
        process.pause(POLL)


def _secret(password: str) -> str:
    hashed = process.run(["argocd", "account", "bcrypt", "--password", password]).require("hash a password").stdout
    values = {
        "admin.password": hashed.strip(),
        "admin.passwordMtime": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "server.secretkey": secrets.token_urlsafe(32),
    }
    metadata = {"name": "argocd-secret", "labels": {"app.kubernetes.io/part-of": "argocd"}}
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})
