"""Pushing to a real Kubernetes: jenkins-cd deploy next to Helm alone, and how soon each says that it will not come up.

Needs the lab (docs/lab.md), which it starts or joins.
"""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml

from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round
from jenkins_cd import common_chart
from jenkins_cd.gitops.ledger import Ledger
from tests.cluster import pushed
from tests.lab import lease
from tests.lab.lab import Lab

TITLE = "a push to a cluster"
NOTE = "the same chart and image on the lab; settle 100 ms, no tests; Helm's verdicts are its --timeout, 30 s here"
ALONE = "helm upgrade --install --wait"
AGAINST: tuple[str, ...] = (ALONE, "helm, crash loop", "helm, missing image")
AIMS: Mapping[str, Aim] = {"added by jenkins-cd deploy": Aim(limit=0.5)}
TIMEOUT = "30s"
CRASHES = [{"name": "PROBE_EXIT_CODE", "value": "1"}]
NOWHERE = f"sha256:{'0' * 64}"
MISSING = "2.0.0"  # its image is in no registry
PLATFORM = """\
registry: {{images: "{host}/apps", charts: "oci://{host}/charts", plain_http: true}}
deploy_repository: {{url: "{deploy}"}}
environments:
  dev:
    {{model: helm, after: ci, health_url: "{url}", timeout: 30s, settle: 100ms, helm: {{namespace: "{namespace}"}}}}
"""


@dataclass
class Bench:
    """One app in two namespaces: one is Helm's alone, one is ours."""

    app: pushed.App  # ours
    alone: str  # Helm's namespace
    folder: Path
    program: Path
    versions: Iterator[str]

    def helm(self, version: str, fails: bool = False, **values: Any) -> float:
        """Push a version with Helm alone; returns the seconds until it said how that went."""
        image = self.app.release(version).image
        assert image  # noqa: S101 - every one of these has an image
        digest = NOWHERE if version == MISSING else image.digest
        file = self.folder / "values.yaml"
        file.write_text(
            yaml.safe_dump({"image": {"repository": image.repository, "digest": digest}, **values}), encoding="utf-8"
        )
        command = ["helm", "upgrade", "--install", "alone", str(self.folder / "charts" / pushed.APP)]
        command += ["--namespace", self.alone, "--kubeconfig", self.app.lab.kubeconfig]
        return _seconds([*command, "--values", str(file), "--wait", "--timeout", TIMEOUT], self.folder, fails)

    def ours(self, version: str, fails: bool = False, **values: Any) -> float:
        """Deploy a version with jenkins-cd; returns the seconds until it said how that went."""
        self.app.says(**{"env": [], **values})
        command = [str(self.program), "deploy", "--app", pushed.APP, "--version", version, "--environment", "dev"]
        return _seconds([*command, "--platform", str(self.folder / "platform.yaml")], self.folder, fails)


def prepare(folder: Path, installed: Installed) -> functools.partial[Round]:
    """Return a round. The lab is left when the program ends."""
    held = lease.join(lambda text: print(f"lab: {text}", flush=True))
    atexit.register(held.leave)
    os.environ["JENKINS_CD_KUBECONFIG"] = held.lab.kubeconfig
    program = Path(installed.program)
    return functools.partial(_once, *(_bench(held.lab, folder / name, program) for name in ("good", "bad")))


def _bench(lab: Lab, folder: Path, program: Path) -> Bench:
    folder.mkdir()
    names = [f"bench-{secrets.token_hex(3)}-{who}" for who in ("alone", "ours")]
    for name in names:
        lab.kubectl("create", "namespace", name)
        atexit.register(lab.kubectl, "delete", "namespace", name, "--wait=false")
    app = pushed.prepared(lab, names[1], folder, pushed.publish(lab, folder / "charts"))
    _publish(app, folder)
    return Bench(app, names[0], folder, program, cycle(("1.0.0", "1.0.1")))


def _publish(app: pushed.App, folder: Path) -> None:
    """Write the platform file, and put the releases into the ledger."""
    (folder / "platform.yaml").write_text(
        PLATFORM.format(host=app.lab.loopback_registry, deploy=app.remote, url=app.target.url, namespace=app.namespace),
        encoding="utf-8",
    )
    ledger = Ledger.open(app.target.platform)
    for version in pushed.VERSIONS:
        one = app.release(version)
        package = folder / "charts" / "packages" / f"{pushed.APP}-{version}.tgz"
        one = replace(one, chart=replace(one.chart, content=common_chart.sha256(package)))  # as CI publishes it
        if version == MISSING and one.image:
            one = replace(one, image=replace(one.image, digest=NOWHERE))
        ledger.publish(one)


def _once(good: Bench, bad: Bench) -> Round:
    version = next(good.versions)
    alone, ours = good.helm(version), good.ours(version)
    figures = {ALONE: alone, "jenkins-cd deploy": ours, "added by jenkins-cd deploy": ours - alone}
    for what, values in (("crash loop", {"env": CRASHES}), ("missing image", {})):
        well = next(bad.versions)
        bad.helm(well)
        bad.ours(well)
        ill = MISSING if what == "missing image" else next(bad.versions)
        figures[f"helm, {what}"] = bad.helm(ill, fails=True, **values)
        figures[f"jenkins-cd, {what}"] = bad.ours(ill, fails=True, **values)
    return figures


def _seconds(command: list[str], folder: Path, fails: bool) -> float:
    """Return how long a command took until it said what came of it, which has to be as expected."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if bool(done.returncode) != fails:
        raise SystemExit(f"benchmarks: {' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds
