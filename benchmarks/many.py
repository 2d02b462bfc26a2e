"""Fifty Applications synced at once by fifty processes: ours, and those of Argo CD's own command line.

Each Application is a ConfigMap with a version; a stub answers as the app, with what stands in the cluster.
Needs the lab.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import server
from benchmarks.argocd import CLI, CLIENT, PLATFORM, SETTLE
from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round
from benchmarks.server import Ended
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.results import to_json
from jenkins_cd.tools import argocd_settings, kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests.argocd import scene
from tests.argocd.scene import Scene
from tests.gitops.remotes import bare
from tests.gitops.samples import release
from tests.lab import lease

APPS = 50
TITLE = f"{APPS} Applications synced at once by {APPS} processes"
NOTE = "`right`: ended with the right verdict; the server processor time is that of all of Argo CD's processes together"
AGAINST: tuple[str, ...] = (
    CLI,
    *(f"argocd: {what}" for what in ("right", "server calls", "server processor", "processor")),
)
AIMS: Mapping[str, Aim] = {"jenkins-cd": Aim(limit=1.0, against=CLI)}
UNITS: Mapping[str, str] = {
    f"{who}: {what}": unit
    for who in ("argocd", "jenkins-cd")
    for what, unit in (("server calls", "calls"), ("right", f"of {APPS}"))
}
SERVERS = ("argocd-server", "argocd-application-controller", "argocd-repo-server")
PATIENCE = 120  # seconds that the command line waits; ours, too
CHART = "apiVersion: v2\nname: {app}\nversion: {version}\n"
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {version: {{ .Chart.Version | quote }}}
"""


@dataclass
class Bench:
    """The Applications, and what either needs."""

    where: Scene
    folder: Path
    python: Path
    repository: Repository
    url: str  # of the stub
    versions: count[int] = field(default_factory=lambda: count(1))

    def commit(self) -> tuple[str, str]:
        """Give all apps the next version; returns it, and the commit."""
        version = f"1.0.{next(self.versions)}"
        files = {f"dev/shop/{app}/Chart.yaml": CHART.format(app=app, version=version).encode() for app in _apps()}
        return version, self.repository.commit("main", f"Everything {version}", lambda _view: files)

    def cli(self) -> Round:
        """Sync and wait, each with the command line."""
        _version, commit = self.commit()
        token, ends = self.where.token("deployer").text, self.where.argocd.url.removeprefix("http://")
        env = {
            **os.environ,
            "ARGOCD_AUTH_TOKEN": token,
            "ARGOCD_SERVER": ends,
            "ARGOCD_OPTS": f"--plaintext --config {self.folder / 'argocd.config'}",
            "PATH": f"{Path(self.where.argocd.program).parent}{os.pathsep}{os.environ['PATH']}",
        }

        def argv(app: str) -> list[str]:
            name = f"{self.where.project}-{app}"
            steps = (f"get {name} --refresh", f"sync {name} --revision {commit} --timeout {PATIENCE}")
            wait = f"wait {name} --sync --health --operation --timeout {PATIENCE}"
            return ["sh", "-ec", "; ".join(f"argocd app {one} >/dev/null" for one in (*steps, wait))]

        return self._measured("argocd", CLI, argv, env, lambda ended: ended.exit_code == 0, 0.0)

    def ours(self) -> Round:
        """Sync and follow, each with ours."""
        version, commit = self.commit()
        env = {**os.environ, "JENKINS_CD_ARGOCD_TOKEN": self.where.token("deployer").text}
        for app in _apps():
            one = release(version, app=app, image=None)
            (self.folder / f"{app}.json").write_text(to_json(one), encoding="utf-8")

        def argv(app: str) -> list[str]:
            files = self.folder / "platform.yaml", self.folder / f"{app}.json"
            return [str(one) for one in (self.python, CLIENT, *files, commit)]

        return self._measured("jenkins-cd", "jenkins-cd", argv, env, _reached, SETTLE)

    def _measured(
        self,
        who: str,
        name: str,
        argv: Callable[[str], Sequence[str]],
        env: dict[str, str],
        right: Callable[[Ended], bool],
        settle: float,
    ) -> Round:
        metrics = self.where.argocd.metrics
        calls, busy, begun = server.calls(metrics), server.processor(SERVERS), time.monotonic()
        with ThreadPoolExecutor(APPS) as pool:
            ended = list(pool.map(lambda app: server.run(argv(app), self.folder, env), _apps()))
        seconds = time.monotonic() - begun - settle
        return {
            name: seconds,
            f"{who}: right": sum(right(one) for one in ended),
            f"{who}: server calls": server.calls(metrics) - calls,
            f"{who}: server processor": server.processor(SERVERS) - busy,
            f"{who}: processor": sum(one.processor for one in ended),
        }


def prepare(folder: Path, installed: Installed) -> partial[Round]:
    """Return a round. The lab is left when the program ends."""
    held = lease.join(lambda text: print(f"lab: {text}", flush=True))
    atexit.register(held.leave)
    if held.lab.argocd is None:
        raise SystemExit("benchmarks: the lab has no Argo CD")
    name = f"bench-{secrets.token_hex(3)}"
    held.lab.kubectl("create", "namespace", name)
    atexit.register(held.lab.kubectl, "delete", "namespace", name, "--wait=false")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    where = stack.enter_context(scene.opened(held.lab, name, folder / "scene"))
    return partial(_once, _bench(where, folder, installed.python))


def _bench(where: Scene, folder: Path, python: Path) -> Bench:
    files = {f"dev/shop/{app}/templates/version.yaml": TEMPLATE.encode() for app in _apps()}
    remote = bare(folder / "deploy.git", {**files, "README.md": b"What runs where.\n"})
    url = _stub(Cluster.of(Path(where.lab.kubeconfig)), where.namespace)
    (folder / "platform.yaml").write_text(
        PLATFORM.format(
            host="127.0.0.1:1",  # nothing is fetched from a registry
            deploy=remote,
            argocd=where.argocd.url,
            url=f"{url}/{{app}}",
            application=f"{where.project}-{{app}}",
            project=where.project,
            namespace=where.project,
        ),
        encoding="utf-8",
    )
    one = Bench(where, folder, python, Repository.open(f"file://{remote}"), url)
    one.commit()
    for app in _apps():
        argocd_settings.put_application(where.admin, _application(where, app, remote), validate=False)
    return one


def _application(where: Scene, app: str, remote: Path) -> dict[str, Any]:
    source = {"repoURL": f"file://{remote}", "path": f"dev/shop/{app}", "targetRevision": "main"}
    destination = {"server": "https://kubernetes.default.svc", "namespace": where.namespace}
    annotations = {"argocd.argoproj.io/manifest-generate-paths": "."}
    return {
        "metadata": {"name": f"{where.project}-{app}", "annotations": annotations},
        "spec": {"project": where.project, "source": source, "destination": destination},
    }


def _stub(cluster: Cluster, namespace: str) -> str:
    """Answer as every app, with the version that its ConfigMap has in the cluster; returns the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = f"/api/v1/namespaces/{namespace}/configmaps/{self.path.split('/')[1]}"
            found = kubernetes.get(cluster, path) or {}
            body = json.dumps({"version": (found.get("data") or {}).get("version", "none")}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    stub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.daemon_threads = True
    threading.Thread(target=stub.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{stub.server_port}"


def _apps() -> list[str]:
    return [f"app-{number:02}" for number in range(APPS)]


def _reached(ended: Ended) -> bool:
    lines = ended.output.splitlines()
    return ended.exit_code == 0 and bool(lines) and bool(json.loads(lines[-1])["reached"])


def _once(one: Bench) -> Round:
    return {**one.cli(), **one.ours()}
