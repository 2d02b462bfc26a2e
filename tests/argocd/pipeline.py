"""A Jenkins agent that delivers through the lab's Argo CD: `jenkins-cd deploy` as a whole, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from jenkins_cd.gitops.ledger import Ledger
from tests.argocd.delivered import TOKEN, Delivered
from tests.cluster.pushed import APP, VERSIONS
from tests.user import Said


@dataclass(frozen=True)
class Pipeline:
    """A machine on which jobs run `jenkins-cd deploy`, with the platform file in its folder."""

    app: Delivered
    folder: Path

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Start a deployment to dev."""
        where = ["--app", APP, "--environment", "dev", "--platform", str(self.folder / "platform.yaml"), *more]
        return subprocess.Popen(
            [sys.executable, "-m", "jenkins_cd", "deploy", *where],
            cwd=self.folder,
            env={**os.environ, "BUILD_URL": "https://jenkins.local/job/shop/7/", TOKEN: self.app.token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def deploy(self, *more: str) -> Said:
        """Run a deployment to dev to its end."""
        started = self.start(*more)
        stdout, stderr = started.communicate(timeout=300)
        return Said(started.returncode, stdout, stderr)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Return version and outcome of what was recorded, the oldest first."""
        recorded = Ledger.open(self.app.target.platform).deployments(APP, "dev")
        return [(one.version, one.outcome) for one in reversed(recorded)]


def of(app: Delivered, folder: Path) -> Pipeline:
    """Return a pipeline whose platform file says of dev what the app's does; its versions are published."""
    settings, dev = app.target.platform, app.target.environment
    names = ("application", "project", "namespace", "automated")
    environment = {
        **{name: getattr(dev, name) for name in ("model", "after", "health_url", "settle", "timeout")},
        "argocd": {name: getattr(dev.argocd, name) for name in names},
    }
    content = {
        "registry": {"images": settings.registry.images, "charts": settings.registry.charts, "plain_http": True},
        "deploy_repository": {"url": settings.declared_in.url},
        "argocd": {"url": settings.argocd.url},
        "environments": {"dev": environment},
    }
    (folder / "platform.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    for version in VERSIONS:
        Ledger.open(settings).publish(app.release(version))
    return Pipeline(app, folder)
