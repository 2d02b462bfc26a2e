"""An app that is delivered to the lab's cluster through its Argo CD: its platform, and what people do to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from jenkins_cd.argocd import site
from jenkins_cd.argocd.site import Site
from jenkins_cd.config.types import ArgoCd, ArgoCdTarget
from jenkins_cd.delivery import Followed, Target, argocd
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Chart, Image, Plan, Release
from jenkins_cd.tools import argocd_settings
from tests.argocd.scene import Scene
from tests.cluster import pushed
from tests.cluster.pushed import APP, MESSAGE, PLACE
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare
from tests.gitops.samples import platform, release
from tests.lab.lab import Lab

IN_CLUSTER = "https://kubernetes.default.svc"


@dataclass
class Delivered:
    """The app, its Application, and the platform that delivers it."""

    scene: Scene
    token: str  # of the role that delivers
    remote: Path
    target: Target
    charts: str
    notes: Notes = field(default_factory=Notes)

    @property
    def lab(self) -> Lab:
        """Return the lab."""
        return self.scene.lab

    @property
    def namespace(self) -> str:
        """Return where the app goes."""
        return self.scene.namespace

    @property
    def site(self) -> Site:
        """Return where it goes, as the pipeline sees it."""
        return site.opened(self.target, self.release("1.0.0"))

    @property
    def repository(self) -> Repository:
        """Return the deploy repository."""
        return Repository.open(str(self.remote))

    def release(self, version: str) -> Release:
        """Return the release of a version."""
        image = Image(repository=f"{self.lab.registry}/probe", digest=self.lab.digests[f"probe:{version}"])
        return release(version, project="shop", image=image, chart=Chart(name=APP, repository=self.charts))

    def rules(self, **more: Any) -> None:
        """Change what the platform file says of the environment, or of Argo CD in it (`argocd_…`)."""
        of_argocd = {name.removeprefix("argocd_"): value for name, value in more.items() if name.startswith("argocd_")}
        others = {name: value for name, value in more.items() if not name.startswith("argocd_")}
        environment = self.target.environment
        environment = replace(environment, argocd=replace(environment.argocd, **of_argocd), **others)
        self.target = replace(self.target, environment=environment)

    def says(self, place: str = PLACE, message: str = "By hand", **values: Any) -> str:
        """Change values in the deploy repository, as a person would; returns the commit."""

        def change(view: View) -> Mapping[str, bytes]:
            loaded = yaml.safe_load(view.read(f"{place}/values.yaml") or b"{}") or {}
            loaded.setdefault(APP, {}).update(values)
            return {f"{place}/values.yaml": yaml.safe_dump(loaded, sort_keys=False).encode()}

        return self.repository.commit("main", message, change)

    def plan(self, version: str, verified: str | None = None) -> Plan:
        return argocd.plan(self.target, self.release(version), verified)

    def apply(self, version: str, verified: str | None = None) -> str:
        """Plan and apply; returns the commit."""
        plan = self.plan(version, verified)
        return argocd.apply(self.target, self.release(version), plan, MESSAGE.format(f"{APP} {version}"))

    def follow(self, version: str, commit: str) -> Followed:
        return argocd.follow(self.target, self.release(version), commit)

    def deploy(self, version: str, verified: str | None = None) -> Followed:
        """Plan, apply and follow."""
        return self.follow(version, self.apply(version, verified))

    def live(self, kind: str, *names: str) -> Any:
        """Return an object of the cluster."""
        return json.loads(self.lab.kubectl("-n", self.namespace, "get", kind, *names, "-o", "json").stdout)

    @property
    def image(self) -> str:
        """Return the image that its Deployment names now."""
        return str(self.live("deployment", APP)["spec"]["template"]["spec"]["containers"][0]["image"])


def application(name: str, project: str, remote: Path, namespace: str, *, automated: bool = False) -> dict[str, Any]:
    """Return the app's Application."""
    policy: dict[str, Any] = {"automated": {"prune": True}} if automated else {}
    return {
        "metadata": {"name": name},
        "spec": {
            "project": project,
            "source": {
                "repoURL": f"file://{remote}",
                "path": PLACE,
                "targetRevision": "main",
                "helm": {"releaseName": APP},
            },
            "destination": {"server": IN_CLUSTER, "namespace": namespace},
            **({"syncPolicy": policy} if policy else {}),
        },
    }


def prepared(scene: Scene, folder: Path, charts: str, *, automated: bool = False, role: str = "deployer") -> Delivered:
    """Return an app with an Application of its own in a scene's project, delivered by whoever has a role there."""
    lab, name = scene.lab, f"{scene.project}-{APP}"
    port = pushed.free_port(lab, scene.namespace)
    remote = bare(folder / "deploy.git", pushed.declared(charts, port))
    settings = platform(
        f"file://{remote}",
        lab.loopback_registry,
        model="argocd",
        health_url=f"http://127.0.0.1:{port}",
        settle="1s",
        timeout="60s",
        argocd=ArgoCdTarget(application=name, project=scene.project, namespace=scene.namespace, automated=automated),
    )
    settings = replace(settings, argocd=ArgoCd(url=scene.argocd.url))
    made = application(name, scene.project, remote, scene.namespace, automated=automated)
    argocd_settings.put_application(scene.admin, made, validate=False)
    environment = settings.environments["dev"]
    notes = Notes()
    target = Target(name="dev", environment=environment, platform=settings, url=environment.health_url, progress=notes)
    return Delivered(scene, scene.token(role).text, remote, target, charts, notes)
