"""The demo's story with releases that are pushed to the cluster: the model `helm`."""

from __future__ import annotations

from pathlib import Path

from jenkins_cd.demo import story
from jenkins_cd.demo.site import ENVIRONMENTS, Site
from jenkins_cd.demo.story import Step
from jenkins_cd.tools import process
from tests.lab import places
from tests.lab.lab import Lab

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


def platform(lab: Lab) -> str:
    """Return the platform file, for `site.lay_out`; RUN is still to be named."""
    return PLATFORM


def tell(lab: Lab, here: Site, run: str) -> Path:
    """Prepare the cluster, tell the story, and return its reports."""
    here.env["JENKINS_CD_KUBECONFIG"] = lab.kubeconfig  # type: ignore[index]
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


def clean(lab: Lab, run: str) -> None:
    """Do nothing: what there is is gone with its namespaces."""


def _grant(lab: Lab, here: Site, run: str) -> None:
    """Make the namespaces and the accounts, as the platform team does once."""
    for environment in ENVIRONMENTS:
        lab.kubectl("create", "namespace", f"shop-{run}-{environment}")
    rendered = process.run(
        [str(places.BIN.parent.parent / "bin" / "jenkins-cd"), "render", "rbac", "--project", "shop"], env=here.env
    ).require("render the rights")
    lab.kubectl("apply", "-f", "-", stdin=rendered.stdout)
