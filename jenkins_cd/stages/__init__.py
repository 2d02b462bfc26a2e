"""The stages of CI: one file a stage, one Protocol, one dict.

A stage is a plain module with NEEDS, CREDENTIALS, `skip_reason` and `run`. To add one: write the module, list it here,
name it in `config/types.py` and in the toolchains that have a command for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from jenkins_cd.config import Config
from jenkins_cd.model import Progress, Purpose, StageResult

if TYPE_CHECKING:
    from jenkins_cd.toolchains import Toolchain


@dataclass(frozen=True, kw_only=True)
class Build:
    """What every stage of one run of CI knows."""

    workspace: Path  # the app's checkout
    config: Config
    toolchain: Toolchain
    version: str
    commit: str
    committed: datetime  # UTC
    dirty: bool  # tracked files differ from the commit
    source: str  # the Git URL that has the commit
    authors: tuple[str, ...] = ()  # who wrote and who committed it, each as `name <e-mail>`
    unreleased: str = ""  # why this commit becomes no release, empty where it may
    progress: Progress

    @property
    def out(self) -> Path:
        """Return the folder of results: `.jenkins-cd` in the checkout."""
        return self.workspace / ".jenkins-cd"


class Stage(Protocol):
    """A stage of CI. Modules satisfy it."""

    NEEDS: tuple[str, ...]  # the stages that must have ended before, if they run at all
    CREDENTIALS: tuple[Purpose, ...]  # what Jenkins gives it credentials for; checks of the app's own code get none

    def skip_reason(self, build: Build) -> str:
        """Return why the stage does not apply to this app, or an empty string."""

    def run(self, build: Build) -> StageResult:
        """Do the work. A failed check is a result; raises JenkinsCdError where the work could not be done."""


def load() -> Mapping[str, Stage]:
    """Return every stage by name, in the order in which they are shown."""
    from jenkins_cd.stages import (
        build,
        code_standard,
        compiler_warnings,
        dead_code,
        package,
        sonar_scan,
        unit_tests,
        upload,
    )

    return {
        "build": build,
        "unit-tests": unit_tests,
        "sonar-scan": sonar_scan,
        "compiler-warnings": compiler_warnings,
        "dead-code": dead_code,
        "code-standard": code_standard,
        "package": package,
        "upload": upload,
    }
