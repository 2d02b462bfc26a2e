"""A deployment through Argo CD, from its commit to the verdict: next to its own command line, `argocd`.

Needs the lab (docs/lab.md), which it starts or joins.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path

from benchmarks import server
from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round
from jenkins_cd.results import to_json
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests.argocd import delivered, scene
from tests.argocd.delivered import Delivered
from tests.cluster import pushed
from tests.lab import lease
from tests.lab.lab import Lab

TITLE = "a deployment through Argo CD, from its commit"
NOTE = (
    "`said after`: from a rollout complete in the cluster; ours runs already when it commits; settle 0.1 s is taken off"
)
CLI = "argocd app sync, wait"
AGAINST: tuple[str, ...] = (CLI, "argocd: calls", "argocd: processor", "argocd: memory")
AIMS: Mapping[str, Aim] = {
    "jenkins-cd": Aim(limit=1.0, against=CLI),
    "jenkins-cd: said after": Aim(limit=0.3),
}
UNITS: Mapping[str, str] = {
    f"{who}: {what}": unit for who in ("argocd", "jenkins-cd") for what, unit in (("calls", "calls"), ("memory", "MB"))
}
SETTLE = 0.1  # seconds
CLIENT = Path(__file__).with_name("argocd_client.py")
PLATFORM = """\
registry: {{images: "{host}/apps", charts: "oci://{host}/charts", plain_http: true}}
deploy_repository: {{url: "file://{deploy}"}}
argocd: {{url: "{argocd}"}}
environments:
  dev:
    model: argocd
    after: ci
    health_url: "{url}"
    timeout: 120s
    settle: 100ms
    argocd: {{application: "{application}", project: "{project}", namespace: "{namespace}"}}
"""


@dataclass
class Bench:
    """One app that is delivered in turn by either."""

    app: Delivered
    folder: Path
    python: Path
    metrics: str
    versions: Iterator[str]
    env: dict[str, str] = field(default_factory=dict)

    def declare(self, version: str) -> str:
        """Commit a version; returns the commit. Both begin from here."""
        return delivered.declare(self.app, version)

    def cli(self, version: str, commit: str) -> Round:
        """Sync and wait as a Jenkinsfile does with the command line."""
        ref = self.app.site.ref
        options = f"--app-namespace {ref.namespace}" if ref.namespace else ""
        sync = f"argocd app sync {ref.name} {options} --revision {commit} --prune --timeout 120"
        wait = f"argocd app wait {ref.name} {options} --sync --health --operation --timeout 120"
        refresh = f"argocd app get {ref.name} {options} --refresh"
        script = f"set -e; {refresh} >/dev/null; {sync} >/dev/null; {wait} >/dev/null"
        return self._measured("argocd", CLI, ["sh", "-c", script], version, 0.0)

    def ours(self, version: str, commit: str) -> Round:
        """Sync and follow to the verdict."""
        release = self.folder / "release.json"
        release.write_text(to_json(self.app.release(version)), encoding="utf-8")
        argv = [str(self.python), str(CLIENT), str(self.folder / "platform.yaml"), str(release)]
        return self._measured("jenkins-cd", "jenkins-cd", argv, version, SETTLE, commit)

    def _measured(self, who: str, name: str, argv: list[str], version: str, settle: float, commit: str = "") -> Round:
        """Measure a program from now on, or from when it is ready and told the commit."""
        begun = [time.monotonic()]

        def told() -> str:
            begun.append(time.monotonic())
            return commit

        before = server.calls(self.metrics)
        with rolled_out(self.app, version) as complete:
            ended = server.run(argv, self.folder, self.env, told if commit else None)
            seconds = time.monotonic() - begun[-1] - settle
        if ended.exit_code:
            raise SystemExit(f"benchmarks: {who} ended with {ended.exit_code}:\n{ended.output}")
        if who == "jenkins-cd" and not json.loads(ended.output.splitlines()[-1])["reached"]:
            raise SystemExit(f"benchmarks: {ended.output}")
        return {
            name: seconds,
            f"{who}: said after": max(begun[-1] + seconds - complete[0], 0.0),
            f"{who}: calls": server.calls(self.metrics) - before,
            f"{who}: processor": ended.processor,
            f"{who}: memory": ended.memory / 1e6,
        }


@contextlib.contextmanager
def rolled_out(app: Delivered, version: str) -> Iterator[list[float]]:
    """Look at the Deployment in the cluster during the block; then the list has when the version was complete."""
    cluster, image = Cluster.of(Path(app.lab.kubeconfig)), app.release(version).image
    path = f"/apis/apps/v1/namespaces/{app.namespace}/deployments/{pushed.APP}"
    found: list[float] = []
    ended = threading.Event()

    def look() -> None:
        while not found and not ended.wait(0.02):
            one = kubernetes.get(cluster, path)
            if one and image and _complete(one, image.digest):
                found.append(time.monotonic())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()
        found.append(time.monotonic())


def _complete(one: kubernetes.Object, digest: str) -> bool:
    status, wanted = one.get("status") or {}, one["spec"].get("replicas", 1)
    counts = {status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")}
    image = str(one["spec"]["template"]["spec"]["containers"][0]["image"])
    seen = status.get("observedGeneration") == one["metadata"]["generation"]
    return image.endswith(digest) and seen and counts == {wanted}


def prepare(folder: Path, installed: Installed) -> partial[Round]:
    """Return a round. The lab is left when the program ends."""
    held = lease.join(lambda text: print(f"lab: {text}", flush=True))
    atexit.register(held.leave)
    return partial(_once, bench(held.lab, folder, installed.python))


def bench(lab: Lab, folder: Path, python: Path) -> Bench:
    """Set the app up, with a token of its role for either."""
    if lab.argocd is None:
        raise SystemExit("benchmarks: the lab has no Argo CD")
    namespace = f"bench-{secrets.token_hex(3)}"
    lab.kubectl("create", "namespace", namespace)
    atexit.register(lab.kubectl, "delete", "namespace", namespace, "--wait=false")
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    where = stack.enter_context(scene.opened(lab, namespace, folder / "scene"))
    app = delivered.prepared(where, folder, pushed.publish(lab, folder / "charts"))
    os.environ["JENKINS_CD_ARGOCD_TOKEN"] = app.token
    names = {"application": app.site.ref.name, "project": where.project, "namespace": namespace}
    (folder / "platform.yaml").write_text(
        PLATFORM.format(
            host=lab.loopback_registry, deploy=app.remote, argocd=lab.argocd.url, url=app.target.url, **names
        ),
        encoding="utf-8",
    )
    env = {
        **os.environ,
        "PATH": f"{Path(lab.argocd.program).parent}{os.pathsep}{os.environ['PATH']}",
        "JENKINS_CD_ARGOCD_TOKEN": app.token,
        "ARGOCD_AUTH_TOKEN": app.token,
        "ARGOCD_SERVER": lab.argocd.url.removeprefix("http://"),
        "ARGOCD_OPTS": f"--plaintext --config {folder / 'argocd.config'}",
    }
    return Bench(app, folder, python, lab.argocd.metrics, cycle(("1.0.0", "1.0.1")), env)


def _once(one: Bench) -> Round:
    version = next(one.versions)
    theirs = one.cli(version, one.declare(version))
    version = next(one.versions)
    return {**theirs, **one.ours(version, one.declare(version))}
