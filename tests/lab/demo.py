"""The demo's whole story on the lab: `make demo LAB=1`. The storefront runs as pods, pushed with Helm."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

import yaml

from jenkins_cd import common_chart
from jenkins_cd.demo import site, story
from jenkins_cd.demo.site import ENVIRONMENTS, Site
from jenkins_cd.demo.story import Step
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools import process
from tests.lab import lease, places
from tests.lab.lab import Lab
from tests.lab.network import NODE_PORTS
from tests.lab.progress import say

PLATFORM = """\
# What the platform team says for all apps. Releases are pushed to a cluster with Helm.
registry:
  images: {registry}/RUN/apps
  charts: oci://{registry}/RUN/charts
  plain_http: true
deploy_repository:
  url: file://{deploy}
  branch: main

environments:
  dev:
    model: helm
    after: ci
    tests: [smoke]
    health_url: {dev}
    timeout: 40s
    settle: 1s
    on_failure: rollback
    helm: {{namespace: "{{project}}-RUN-dev"}}
  test:
    model: helm
    after: dev
    tests: [smoke]
    health_url: {test}
    timeout: 90s
    settle: 1s
    on_failure: rollback
    helm: {{namespace: "{{project}}-RUN-test"}}
  staging:
    model: helm
    after: test
    promotion: manual
    approvers: [qa]
    health_url: {staging}
    timeout: 90s
    settle: 1s
    on_failure: rollback
    helm: {{namespace: "{{project}}-RUN-staging"}}
"""
PROBES = {"startupProbe": {"periodSeconds": 1, "failureThreshold": 20}, "readinessProbe": {"periodSeconds": 1}}


def play() -> Path:
    """Start or join the lab, tell the story on it, and return its reports."""
    held = lease.join(say)
    run = f"d{secrets.token_hex(3)}"
    try:
        with tempfile.TemporaryDirectory(prefix="jenkins-cd-demo-") as folder:
            return _play(held.lab, run, Path(folder))
    finally:
        for environment in ENVIRONMENTS:
            held.lab.kubectl("delete", "namespace", f"shop-{run}-{environment}", "--wait=false", check=False)
        held.leave()


def _play(lab: Lab, run: str, folder: Path) -> Path:
    ports = dict(zip(ENVIRONMENTS, _free_ports(lab), strict=False))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    here = site.lay_out(folder, lab.registry, urls, PLATFORM.replace("RUN", run))
    here.env["JENKINS_CD_KUBECONFIG"] = lab.kubeconfig  # type: ignore[index]
    _declare(here, ports, f"oci://{lab.registry}/{run}/charts")
    _grant(lab, here, run)
    introduction = (
        f"A demo of jenkins-cd on a real Kubernetes at {lab.server}, with a registry at {lab.registry}:",
        "  each environment is a namespace; a step works there with a token of minutes of",
        "  an account that may do what Helm needs and nothing else. What it may do was made by",
        "    jenkins-cd render rbac --project shop | kubectl apply -f -",
    )
    epilogue = Step("jenkins-cd drift --environment staging", "What runs in the cluster is what was released")
    reports = story.tell(here, introduction)
    story.run(here, epilogue)
    return reports


def _free_ports(lab: Lab) -> list[int]:
    """Return node ports that no Service has."""
    services = json.loads(lab.kubectl("get", "services", "--all-namespaces", "-o", "json").stdout)["items"]
    taken = {port.get("nodePort") for service in services for port in service["spec"].get("ports", ())}
    first, last = (int(port) for port in NODE_PORTS.split("-"))
    return [port for port in range(last, first, -1) if port not in taken]


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


def _grant(lab: Lab, here: Site, run: str) -> None:
    """Make the namespaces and the accounts, as the platform team does once."""
    for environment in ENVIRONMENTS:
        lab.kubectl("create", "namespace", f"shop-{run}-{environment}")
    rendered = process.run(
        [str(places.BIN.parent.parent / "bin" / "jenkins-cd"), "render", "rbac", "--project", "shop"], env=here.env
    ).require("render the rights")
    lab.kubectl("apply", "-f", "-", stdin=rendered.stdout)
