"""A good cd.yaml and a good platform.yaml, and the command line that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from jenkins_cd.cli import run

APP = """\
app: storefront
project: shop
toolchain: go
ci:
  unit-tests:
    coverage: {minimum: 80}
tests:
  smoke: {run: ./smoke.sh}
"""
PLATFORM = """\
registry: {images: registry.local/apps, charts: oci://registry.local/charts}
deploy_repository: {url: https://git.local/deploy.git}
environments:
  dev:
    model: flux
    after: ci
    health_url: https://{app}.dev.local
    tests: [smoke]
  staging:
    model: flux
    after: dev
    health_url: https://{app}.staging.local
    promotion: manual
    approvers: [qa]
    freeze:
      - {from: 2026-12-20T00:00:00Z, to: 2027-01-02T00:00:00Z, why: the shops are full}
"""


@dataclass
class Checkout:
    """A folder with the two files, in which commands run."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def write(self, app: str | bytes | None = None, platform: str | bytes | None = None) -> Checkout:
        """Write the files that are given; what is not given is not there."""
        for name, text in (("cd.yaml", app), ("platform.yaml", platform)):
            if text is not None:
                (self.folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run jenkins-cd; returns exit code, standard output, standard error."""
        self.capture.readouterr()
        code = run(arguments)
        out, err = self.capture.readouterr()
        return code, out, err

    def state(self) -> dict[Path, tuple[int, int, int]]:
        """Return what would differ had anything been written."""
        files = ((file, file.stat()) for file in self.folder.rglob("*"))
        return {file: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for file, stat in files}

    def refused(self, *arguments: str) -> list[str]:
        """Run a command (`validate` by default) that must refuse its input without a trace; returns its problems."""
        before = self.state()
        code, out, err = self.run(*(arguments or ("validate",)))
        assert (code, out) == (2, "")
        assert "Traceback" not in err
        assert self.state() == before
        return [line.strip() for line in err.splitlines() if line.startswith("  ") and "next: " not in line]

    def problem(self, *arguments: str) -> str:
        """Return the one problem for which a command refuses its input."""
        (only,) = self.refused(*arguments)
        return only
