"""A small app in a Git repository, with a real registry and deploy repository to deliver it to."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd import ci, results
from jenkins_cd.config.load import load
from jenkins_cd.model import STAGES, StageResult
from jenkins_cd.stages import Build, package
from tests.stages.projects import Notes, write

CD = 'app: storefront\nproject: shop\ntoolchain: custom\nci: {build: {run: "true"}, unit-tests: {run: "true"}}\n'
FILES = {
    "cd.yaml": CD,
    "Dockerfile": "FROM scratch\nCOPY page.html /page.html\n",
    "page.html": "<h1>Shop</h1>\n",
    ".gitignore": ".jenkins-cd/\n",
}
OWN_CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: front\nversion: 0.1.0\n",
    "chart/values.yaml": "greeting: hello\n",
    "chart/templates/words.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {greeting: {{ .Values.greeting | upper }}}\n"
    ),
    "cd.yaml": f"{CD}package: {{image: {{enabled: false}}, chart: {{path: chart}}}}\n",
}


@dataclass(frozen=True)
class Shop:
    """The app's checkout, and what surrounds it."""

    checkout: Path
    deploy: Path  # the bare deploy repository
    charts: str  # oci://…
    images: str

    @classmethod
    def create(cls, folder: Path, host: str, files: Mapping[str, str] | None = None) -> Shop:
        """Write and commit everything; `host` is the registry's. The platform file stands beside the checkout."""
        name = f"shop-{uuid.uuid4().hex}"  # the registry is shared
        shop = cls(folder / "checkout", folder / "deploy.git", f"oci://{host}/{name}/charts", f"{host}/{name}/apps")
        git(folder, "init", "--quiet", "--bare", str(shop.deploy))
        platform = (
            f'registry: {{images: "{shop.images}", charts: "{shop.charts}", plain_http: true}}\n'
            f'deploy_repository: {{url: "{shop.deploy}"}}\n'
            "environments:\n"
            '  dev: {model: flux, after: ci, health_url: "http://127.0.0.1:1"}\n'
            '  test: {model: flux, after: dev, health_url: "http://127.0.0.1:1"}\n'
        )
        write(folder, {"platform.yaml": platform})
        write(shop.checkout, {**FILES, **(files or {})})
        git(shop.checkout, "init", "--quiet")
        shop.commit({})
        return shop

    @property
    def platform(self) -> str:
        """Return the path of the platform file."""
        return str(self.checkout.parent / "platform.yaml")

    def commit(self, files: Mapping[str, str]) -> None:
        """Change files of the app and commit them."""
        write(self.checkout, files)
        git(self.checkout, "add", "--all")
        git(self.checkout, "commit", "--quiet", "--allow-empty", "--message", "Change the shop")

    def declare(self, environment: str, files: Mapping[str, str]) -> None:
        """Commit what the deploy repository says of the app in one environment."""
        work = self.deploy.parent / f"declare-{environment}"
        git(self.deploy.parent, "clone", "--quiet", str(self.deploy), str(work))
        write(work / environment / "shop" / "storefront", files)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", f"Declare {environment}")
        git(work, "push", "--quiet", "origin", "HEAD:main")

    def build(self, version: str = "1.0.0", *, platform: bool = True) -> Build:
        """Return what a stage gets to know of the checkout as it is now."""
        config = load(self.checkout, self.platform if platform else None)
        build = ci.prepare(self.checkout, config, version, Notes())
        results.prepare(self.checkout)
        return build

    def package(self, version: str = "1.0.0") -> Build:
        """Run the stage `package`, and record that it and all others have passed."""
        build = self.build(version)
        made = package.run(build)
        for name in STAGES:
            results.save(build.out, name, made if name == "package" else passed(build, name))
        return build


def passed(build: Build, stage: str) -> StageResult:
    """Return the result of a stage that has passed for this commit and version."""
    started = build.committed
    return StageResult(
        stage=stage,
        status="passed",
        reason="",
        version=build.version,
        commit=build.commit,
        started=started,
        seconds=0.0,
    )


def git(folder: Path, *arguments: str) -> str:
    """Run Git in a folder and return what it says."""
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
