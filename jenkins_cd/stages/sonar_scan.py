"""The stage `sonar-scan`. There is no SonarQube server that a platform file could name, so it does not apply."""

from __future__ import annotations

from jenkins_cd.errors import GateFailed
from jenkins_cd.model import Purpose, StageResult
from jenkins_cd.stages import Build

NEEDS: tuple[str, ...] = ("unit-tests",)
CREDENTIALS: tuple[Purpose, ...] = ()
STAGE = "sonar-scan"
NO_SERVER = "no SonarQube server in the platform file"


def skip_reason(build: Build) -> str:
    """Return why there is nothing to scan."""
    return NO_SERVER if build.config.app.ci.sonar_scan.enabled else f"switched off by ci.{STAGE}.enabled"


def run(build: Build) -> StageResult:
    """Never pass: raises GateFailed."""
    raise GateFailed(f"{STAGE} of {build.config.app.app} cannot run: {NO_SERVER}")
