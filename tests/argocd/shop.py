"""A platform that delivers one app, web, to dev through the lab's Argo CD: nothing of it is set up there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd.argocd_setup import plan as plans
from jenkins_cd.argocd_setup import setup
from jenkins_cd.argocd_setup.plan import Plan, Work
from jenkins_cd.config.types import ArgoCd, ArgoCdTarget, PlatformFile
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.tools import argocd_settings
from jenkins_cd.tools.argocd import Ref
from tests.argocd.scene import CHART, TEMPLATE, VALUES, Scene
from tests.gitops import samples


@dataclass
class Shop:
    """What the platform file says, and what becomes of it."""

    scene: Scene
    platform: PlatformFile
    told: list[str] = field(default_factory=list)

    @property
    def project(self) -> str:
        """Return the project, which is the AppProject's name and the namespace of dev too."""
        return self.scene.project

    @property
    def ref(self) -> Ref:
        """Return the app's Application in dev."""
        home = self.platform.environments["dev"].argocd.application_namespace
        return Ref(name=f"{self.project}-web-dev", project=self.project, namespace=home or "")

    def says(self, target: Mapping[str, Any] | None = None, **server: Any) -> None:
        """Change what the platform file says of dev, or of the server."""
        dev = self.platform.environments["dev"]
        dev = replace(dev, argocd=replace(dev.argocd, **(target or {})))
        argocd = replace(self.platform.argocd, **server)
        self.platform = replace(self.platform, environments={"dev": dev}, argocd=argocd)

    def rules(self, **rules: Any) -> None:
        """Change the other rules of dev."""
        self.platform = replace(
            self.platform, environments={"dev": replace(self.platform.environments["dev"], **rules)}
        )

    def plan(self, *, adopt: bool = False) -> Work:
        found = setup.render(self.platform, self.project, None, datetime.now(timezone.utc))
        return plans.plan(self.scene.admin, self.platform, found, adopt=adopt)

    def apply(self) -> Plan:
        return plans.apply(self.plan(), self.told.append)

    def actions(self) -> dict[str, str]:
        """Return what would become of each object now."""
        return {f"{one.kind}/{one.name}": one.action for one in self.plan().plan.changes}

    def app(self, name: str, environment: str = "dev") -> str:
        """Declare an app in the deploy repository; returns the commit."""
        folder, values = f"{environment}/{self.project}/{name}", {**VALUES, "image": self.scene.lab.image()}
        return self.scene.commit(
            {
                f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {CHART}\nversion: 1.0.0\n",
                f"{folder}/templates/app.yaml": TEMPLATE,
                f"{folder}/values.yaml": json.dumps(values),
            }
        )

    def file(self, folder: Path) -> Path:
        """Write the platform file and return it, for commands."""
        place, dev = folder / "platform.yaml", self.platform.environments["dev"].argocd
        content = {
            "registry": {"images": "registry.local/apps", "charts": "oci://registry.local/charts"},
            "deploy_repository": {"url": self.platform.declared_in.url},
            "argocd": {"url": self.scene.argocd.url, "repository_url": self.scene.url},
            "environments": {
                "dev": {
                    "model": "argocd",
                    "after": "ci",
                    "health_url": "https://{app}.local",
                    "argocd": {"namespace": dev.namespace, "automated": dev.automated},
                }
            },
        }
        place.write_text(yaml.safe_dump(content), encoding="utf-8")
        return place


@pytest.fixture
def shop(argo: Scene) -> Iterator[Shop]:
    """The shop: web is released, and declared for dev. The scene's own AppProject is gone."""
    argocd_settings.delete_project(argo.admin, argo.project)
    bare = argo.git("remote", "get-url", "origin").stdout.strip()
    made = samples.platform(bare, model="argocd", argocd=ArgoCdTarget(namespace="{project}"))
    made = replace(made, argocd=ArgoCd(url=argo.argocd.url, repository_url=argo.url))
    Ledger.open(made).publish(samples.release(app="web", project=argo.project))
    running = Shop(argo, made)
    running.app("web")
    yield running
    for kind in ("applicationset", "application"):
        argo.lab.kubectl("--namespace", argo.argocd.namespace, "delete", kind, "--wait=false",
                         "--selector", f"app.kubernetes.io/part-of={argo.project}", check=False)  # fmt: skip


@pytest.fixture
def given(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """What a command of Argo CD's administrator is given about the shop: its platform file, and the project."""
    monkeypatch.setenv("JENKINS_CD_ARGOCD_USERNAME", "admin")
    monkeypatch.setenv("JENKINS_CD_ARGOCD_PASSWORD", shop.scene.argocd.password)
    return "--platform", str(shop.file(tmp_path)), "--project", shop.project
