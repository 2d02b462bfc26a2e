"""A user at a keyboard: runs the real command line, as programs, in a place that the demo has set up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jenkins_cd.demo.site import Site

_CHECKS = ("unit-tests", "compiler-warnings", "dead-code", "code-standard")
# Leaves out what takes time and is not what a test looks at.
FAST = tuple(word for check in _CHECKS for word in ("--set", f"ci.{check}.enabled=false"))


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def all(self) -> str:
        return self.stdout + self.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class User:
    """Somebody who works in a checkout of the app."""

    site: Site

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start jenkins-cd and leave it running, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "jenkins_cd", *arguments],
            cwd=self.site.app,
            env={**os.environ, **self.site.env, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def cd(self, *arguments: str, env: Mapping[str, str] | None = None) -> Said:
        """Run jenkins-cd to its end."""
        process = self.start(*arguments, env=env)
        stdout, stderr = process.communicate(timeout=300)
        return Said(process.returncode, stdout, stderr)

    def must(self, *arguments: str) -> Said:
        """Run jenkins-cd, which has to succeed."""
        said = self.cd(*arguments)
        assert said.code == 0, f"jenkins-cd {' '.join(arguments)}: {said.code}\n{said.all}"
        return said

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """Run git in the checkout, or in another folder."""
        env = {**os.environ, **self.site.env}
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=folder or self.site.app, env=env, check=True, capture_output=True, text=True
        ).stdout.strip()

    def release(self, version: str) -> None:
        """Commit what has changed (if anything) as a version, push it, and let CI publish it without its checks."""
        self.git("commit", "--quiet", "--all", "--allow-empty", "--message", f"Version {version}")
        self.git("tag", f"v{version}")
        self.git("push", "--quiet", "origin", "main", f"v{version}")
        self.must("ci", *FAST)

    def versions(self) -> dict[str, str]:
        """Return the version that each environment's endpoint tells, empty where nothing answers."""
        return {environment: self._version(url) for environment, url in self.site.urls.items()}

    def _version(self, url: str) -> str:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
                return str(json.load(response)["version"])
        except urllib.error.HTTPError as error:
            return f"{json.load(error)['version']} (HTTP {error.code})"
        except urllib.error.URLError:
            return ""

    def history(self) -> list[tuple[str, str, str, str]]:
        """Return environment, version, kind and outcome of each deployment, the oldest first."""
        deployments = self.must("history", "--app", "storefront", "--json").json["deployments"]
        return [(one["environment"], one["version"], one["kind"], one["outcome"]) for one in reversed(deployments)]

    def releases(self) -> list[str]:
        """Return the versions in the ledger, as Git has them."""
        deploy = self.site.folder / "repositories" / "deploy.git"
        paths = self.git("ls-tree", "-r", "--name-only", "ledger", folder=deploy).splitlines()
        return [path.split("/")[-1].removesuffix(".json") for path in paths if path.startswith("releases/")]

    def commits(self) -> list[str]:
        """Return the subjects of the deploy repository's commits, the oldest first."""
        deploy = self.site.folder / "repositories" / "deploy.git"
        return self.git("log", "--reverse", "--format=%s", "main", folder=deploy).splitlines()

    def processes(self) -> list[int]:
        """Return the processes that work in the checkout."""
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            try:
                if link.resolve().is_relative_to(self.site.app):
                    found.append(int(link.parent.name))
            except OSError:
                continue
        return found


def eventually(fact: Callable[[], object], seconds: float = 30) -> None:
    """Wait until `fact` is true."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
