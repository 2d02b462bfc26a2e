"""A Jenkins agent that pushes to the lab's cluster: `jenkins-cd deploy` as a whole, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd.gitops.ledger import Ledger
from tests.cluster.pushed import APP, VERSIONS, App
from tests.gitops.remotes import bare, git
from tests.user import Said

HOOK = {"name": "migrate", "when": "pre-upgrade"}  # it serves until it is told to end well
BUILD = "https://jenkins.local/job/shop/7/"
CD = """\
app: storefront
project: shop
tests:
  smoke: {run: 'echo "$APP_URL $APP_VERSION"; test "$APP_VERSION" != 2.0.0'}
"""


@dataclass(frozen=True)
class Agent:
    """A machine on which jobs run `jenkins-cd deploy`, with the platform file in its folder."""

    app: App
    folder: Path
    runtime: Path  # where steps keep their credentials
    env: Mapping[str, str] = field(default_factory=dict)

    def start(self, version: str, *more: str) -> subprocess.Popen[str]:
        """Start a deployment to dev."""
        where = ["--app", APP, "--environment", "dev", "--version", version, *more]
        return subprocess.Popen(
            [sys.executable, "-m", "jenkins_cd", "deploy", *where, "--platform", str(self.folder / "platform.yaml")],
            cwd=self.folder,
            env={**os.environ, "BUILD_URL": BUILD, "TMPDIR": str(self.folder), **self.env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def end(self, running: subprocess.Popen[str]) -> Said:
        """Wait for the end of a deployment; hooks are told to end well meanwhile."""
        while running.poll() is None:
            self.end_hooks()
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.5)
        return Said(running.returncode, *running.communicate())

    def deploy(self, version: str) -> Said:
        """Deploy a version, which has to succeed."""
        said = self.end(self.start(version))
        assert said.code == 0, said.all
        return said

    @property
    def hooks(self) -> list[str]:
        """Return the pods of hooks that run now."""
        pods = self.app.lab.select(self.app.namespace, "pods", f"job-name={APP}-migrate")
        return [one["metadata"]["name"] for one in pods if one["status"].get("phase") == "Running"]

    def end_hooks(self) -> None:
        """Tell all hooks that run now to end well."""
        for pod in self.hooks:
            ended = ("/probe", "get", "http://127.0.0.1:8080/exit?code=0")
            self.app.lab.kubectl("-n", self.app.namespace, "exec", pod, "--", *ended, check=False)

    @property
    def kubeconfigs(self) -> list[Path]:
        """Return the credentials that steps have on this machine, or have left there."""
        return sorted(self.runtime.glob("*/kubeconfig"))

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Return version and outcome of what was recorded, the oldest first."""
        recorded = Ledger.open(self.app.target.platform).deployments(APP, "dev")
        return [(one.version, one.outcome) for one in reversed(recorded)]

    def platform(self, **rules: Any) -> None:
        """Write the platform file, with more rules for dev."""
        settings, environment = self.app.target.platform, self.app.target.environment
        names = ("model", "after", "health_url", "settle", "timeout")
        said = {name: getattr(environment, name) for name in names}
        content = {
            "registry": {"images": settings.registry.images, "charts": settings.registry.charts, "plain_http": True},
            **self._repositories(),
            "environments": {"dev": {**said, "helm": {"namespace": self.app.namespace}, **rules}},
        }
        (self.folder / "platform.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")

    def _repositories(self) -> dict[str, Any]:
        """Return where the platform file says that what runs where is declared, and recorded."""
        settings = self.app.target.platform
        if settings.deploy_repository:
            return {"deploy_repository": {"url": settings.deploy_repository.url}}
        return {"ledger": {"url": settings.ledger.url}}

    def run(self, command: str, *arguments: str) -> Said:
        """Run another command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "jenkins_cd", *command.split(), *arguments, "--platform", "platform.yaml"],
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.folder), **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def agent(pushed: App, runtime: Path, tmp_path: Path) -> Agent:
    """An agent, and an app whose versions are published. Its smoke test fails for 2.0.0, where it is asked for."""
    return prepared(pushed, runtime, tmp_path)


def prepared(app: App, runtime: Path, folder: Path) -> Agent:
    """Return an agent in a folder that has the platform file, for an app whose versions are published now."""
    source = bare(folder / "app.git", {"cd.yaml": CD.encode()})
    commit = git(source, "rev-parse", "main").strip()
    for version in VERSIONS:
        one = replace(app.release(version), source=str(source), commit=commit)
        Ledger.open(app.target.platform).publish(one)
    made = Agent(app, folder, runtime)
    made.platform()
    return made


def read_until(running: subprocess.Popen[str], words: str) -> str:
    """Read what a deployment says until it says certain words; returns all of it."""
    said = ""
    assert running.stderr
    for line in running.stderr:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it never said {words!r}: {said}")
