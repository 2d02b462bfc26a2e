"""The stage `code-standard`: format and lint."""

from __future__ import annotations

from jenkins_cd.model import Purpose, StageResult
from jenkins_cd.stages import Build, checks, commands

NEEDS: tuple[str, ...] = ()
CREDENTIALS: tuple[Purpose, ...] = ()
STAGE = "code-standard"


def skip_reason(build: Build) -> str:
    """Return why there is nothing to check, or an empty string."""
    return commands.skip_reason(build, STAGE, build.config.app.ci.code_standard, build.toolchain.stages.code_standard)


def run(build: Build) -> StageResult:
    """Run the checkers and judge their findings. Raises MissingTool."""
    return checks.run(build, STAGE, build.config.app.ci.code_standard, build.toolchain.stages.code_standard)
