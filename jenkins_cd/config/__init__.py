"""The configuration: cd.yaml and platform.yaml, typed, in layers, every value with its origin."""

from __future__ import annotations

from collections.abc import Mapping

from jenkins_cd.config.record import record
from jenkins_cd.config.types import AppFile, PlatformFile

APP_FILE = "cd.yaml"
PLATFORM_FILE = "platform.yaml"


@record(frozen=True)
class Origin:
    """Where a value came from."""

    layer: str  # built-in, platform, app, command line
    file: str = ""
    line: int = 0  # 1-based; 0: not from a file

    def __str__(self) -> str:
        """Return it as messages show it: `cd.yaml:7 (app)`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} ({self.layer})" if place else self.layer


@record(frozen=True)
class Config:
    """Everything that a run is told by its files and its command line."""

    app: AppFile
    platform: PlatformFile | None
    origins: Mapping[str, Origin]  # by dotted key: `app`, `ci.unit-tests.coverage.minimum`, `environments.dev.model`
