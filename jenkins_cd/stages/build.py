"""The stage `build`: the code compiles."""

from __future__ import annotations

from dataclasses import replace

from jenkins_cd.model import Purpose, StageResult
from jenkins_cd.stages import Build, commands
from jenkins_cd.toolchains import Step

NEEDS: tuple[str, ...] = ()
CREDENTIALS: tuple[Purpose, ...] = ()
STAGE = "build"


def skip_reason(build: Build) -> str:
    """Return why there is nothing to build, or an empty string."""
    return commands.skip_reason(build, STAGE, build.config.app.ci.build, build.toolchain.stages.build)


def run(build: Build) -> StageResult:
    """Run the commands one after another up to the first that fails. Raises MissingTool."""
    config = build.config.app.ci.build
    work = commands.begin(build, STAGE, config)
    own = [Step(run=commands.users_command(config.run), tool=STAGE)] if config.run else None
    for step in own or [commands.filled(work, step) for step in build.toolchain.stages.build]:
        done = commands.execute(work, step)
        if problem := commands.trouble(work, step, done):
            return replace(commands.finish(work, "failed", problem), evidence=commands.tail(done.output))
    return commands.finish(work, "passed", "built")
