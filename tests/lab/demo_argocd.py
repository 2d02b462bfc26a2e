"""The demo's story with releases that go through Argo CD, set up as docs/argocd.md says: the model `argocd`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from jenkins_cd.demo import story
from jenkins_cd.demo.site import ENVIRONMENTS, Site
from jenkins_cd.demo.story import Additions, Step
from jenkins_cd.errors import BadInput
from tests.lab import demo_helm
from tests.lab.argocd_server import ArgoCd
from tests.lab.lab import Lab

SERVER = """\
# What the platform team says for all apps. Releases go through Argo CD.
argocd:
  url: {url}
"""
NAMES = """\
    argocd:  # Names of this demo alone: others may run on the lab.
      project: "{{project}}-RUN"
      application: "{{project}}-RUN-{{app}}-{{environment}}"
      namespace: "{{project}}-RUN-{{environment}}"
      create_namespace: true
"""
BUILD = "jenkins-shop-1"
WITH_HELM = "platform-with-helm.yaml"


def platform(lab: Lab) -> str:
    """Return the platform file, for `site.lay_out`: Helm's with another model. RUN is still to be named.

    Raises BadInput where the lab has no Argo CD.
    """
    text = re.sub(r"    helm: .*\n", NAMES, demo_helm.PLATFORM).replace("model: helm", "model: argocd")
    return SERVER.format(url=_server(lab).url) + text.partition("\n")[2]


def tell(lab: Lab, here: Site, run: str) -> Path:
    """Tell the story, the set-up of Argo CD included, and return its reports."""
    server = _server(lab)
    _register(lab, here, run)
    written = (here.folder / "platform.yaml").read_text(encoding="utf-8")
    (here.folder / WITH_HELM).write_text(written.replace("model: argocd", "model: helm"), encoding="utf-8")
    here.env["JENKINS_CD_ARGOCD_TOKEN_FILE"] = str(here.folder / "token")  # type: ignore[index]
    introduction = (
        f"A demo of jenkins-cd through Argo CD at {server.url}, with a registry at {lab.registry}:",
        "  each environment is a namespace of a real Kubernetes. Argo CD knows the deploy",
        "  repository, and nobody else needs an account in the cluster.",
    )
    return story.tell(here, introduction, _additions(server, f"shop-{run}"))


def clean(lab: Lab, run: str) -> None:
    """Delete what the story has made in Argo CD; what runs is gone with its namespaces."""
    home = _server(lab).namespace
    applications = [f"application.argoproj.io/shop-{run}-storefront-{one}" for one in ENVIRONMENTS]
    found = (*applications, f"appproject.argoproj.io/shop-{run}", f"secret/shop-{run}-deploy")
    lab.kubectl("--namespace", home, "delete", *found, "--wait=false", "--ignore-not-found", check=False)


def _server(lab: Lab) -> ArgoCd:
    if lab.argocd is None:
        raise BadInput("there is no Argo CD on the cluster that the lab is attached to", "use the lab's own cluster")
    return lab.argocd


def _register(lab: Lab, here: Site, run: str) -> None:
    """Let Argo CD know the deploy repository, as the platform team's secret manager does where it has a password.

    https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories
    """
    name = f"shop-{run}"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"{name}-deploy", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"type": "git", "url": here.deploy.as_uri(), "project": name},
    }
    lab.kubectl("--namespace", _server(lab).namespace, "apply", "-f", "-", stdin=json.dumps(secret))


def _additions(server: ArgoCd, project: str) -> Additions:
    admin = {
        "JENKINS_CD_ARGOCD_USERNAME": "admin",
        "JENKINS_CD_ARGOCD_PASSWORD": server.password,
        "JENKINS_CD_ARGOCD_TOKEN_FILE": "",
    }
    set_up = "jenkins-cd render argocd --project shop --apply"
    token = f"jenkins-cd argocd token --project {project} --id {BUILD} --output ../token"
    return Additions(
        validated=(
            Step(
                f"diff ../{WITH_HELM} ../platform.yaml",
                "The same platform, where releases are pushed with Helm",
                expected=1,
                why="one line of each environment says another model",
            ),
            Step(set_up, "Once for all apps, by an administrator of Argo CD: their project, with its roles", env=admin),
            Step(token, "For one build: all that Jenkins has is this token, of one project", env=admin),
        ),
        released=(Step(set_up, "Once for an app that has its first release: its Applications", env=admin),),
        told=_questions(project, admin),
    )


def _questions(project: str, admin: dict[str, str]) -> Sequence[Step]:
    storefront = "--app storefront --environment"
    return (
        Step(
            "git --git-dir ../repositories/deploy.git log --format=%s main",
            "The deploy repository has it all: what was put back is a commit too",
            env={"GIT_PAGER": "cat"},
        ),
        Step("jenkins-cd status --live", "What runs, asked of Argo CD"),
        Step(
            f"jenkins-cd diff {storefront} staging --version 1.1.0",
            "What 1.1.0 would change on staging",
            expected=1,
            why="something would change",
        ),
        Step("jenkins-cd drift --environment staging", "What runs in the cluster is what was released"),
        Step(f"jenkins-cd argocd revoke --project {project} --id {BUILD}", "The build has ended", env=admin),
    )
