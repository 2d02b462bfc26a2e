"""The demo's whole story on the lab: `make demo LAB=1`, or LAB=argocd. The storefront runs as pods."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import yaml

from jenkins_cd import common_chart
from jenkins_cd.demo import site
from jenkins_cd.demo.site import ENVIRONMENTS, Site
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools import process
from tests.lab import demo_argocd, demo_helm, lease, node_ports
from tests.lab.lab import Lab
from tests.lab.progress import say


class Room(Protocol):
    """What is told of one delivery model."""

    def platform(self, lab: Lab) -> str:
        """Return the platform file, for `site.lay_out`; RUN is still to be named."""

    def tell(self, lab: Lab, here: Site, run: str) -> Path:
        """Prepare what is missing, tell the story, and return its reports."""

    def clean(self, lab: Lab, run: str) -> None:
        """Take away what is in none of the namespaces."""


ROOMS: Mapping[str, Room] = {"helm": demo_helm, "argocd": demo_argocd}  # by delivery model
PROBES = {"startupProbe": {"periodSeconds": 1, "failureThreshold": 20}, "readinessProbe": {"periodSeconds": 1}}


def play(model: str) -> Path:
    """Start or join the lab, tell the story on it, and return its reports. `model` is one of ROOMS."""
    held = lease.join(say)
    run = f"d{secrets.token_hex(3)}"
    try:
        with tempfile.TemporaryDirectory(prefix="jenkins-cd-demo-") as folder:
            return _play(held.lab, model, run, Path(folder))
    finally:
        with process.interruptible():  # anew, as somebody may have ended the story
            ROOMS[model].clean(held.lab, run)
            namespaces = [f"namespace/shop-{run}-{environment}" for environment in ENVIRONMENTS]
            held.lab.kubectl("delete", *namespaces, "--wait=false", "--ignore-not-found", check=False)
        held.leave()


def _play(lab: Lab, model: str, run: str, folder: Path) -> Path:
    room = ROOMS[model]
    ports = dict(zip(ENVIRONMENTS, node_ports.claim(lab, len(ENVIRONMENTS)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    here = site.lay_out(folder, lab.registry, urls, room.platform(lab).replace("RUN", run))
    _declare(here, ports, f"oci://{lab.registry}/{run}/charts")
    return room.tell(lab, here, run)


def _declare(here: Site, ports: Mapping[str, int], charts: str) -> None:
    """Put each environment's own values into the deploy repository, as whoever runs it would."""
    name, version = common_chart.identity()
    dependency = {"name": name, "version": version, "repository": charts}
    chart = {"apiVersion": "v2", "name": "storefront", "version": "0.0.0", "dependencies": [dependency]}
    files = {}
    for environment, port in ports.items():
        image = {"repository": "none", "tag": "none", "digest": ""}
        values = {name: {"image": image, "service": {"type": "NodePort", "nodePort": port}, **PROBES}}
        for file, content in (("Chart.yaml", chart), ("values.yaml", values)):
            files[f"{environment}/shop/storefront/{file}"] = yaml.safe_dump(content, sort_keys=False).encode()
    Repository.open(str(here.deploy)).commit("main", "What each environment wants", lambda _view: files)
