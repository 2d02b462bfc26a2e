"""What stages share: which commands a stage runs, how they are run and logged, and what they said at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from jenkins_cd import files, results
from jenkins_cd.config.types import StageConfig, seconds
from jenkins_cd.masking import excerpt, last_lines
from jenkins_cd.model import Command, StageResult, Status
from jenkins_cd.stages import Build
from jenkins_cd.toolchains import Step
from jenkins_cd.tools import process
from jenkins_cd.tools.process import Completed

AnyStep = TypeVar("AnyStep", bound=Step)
EVIDENCE = 20  # lines of a program's output that are shown when it failed
LONGEST = 500  # characters of such a line


@dataclass(frozen=True, kw_only=True)
class Work:
    """A stage at work."""

    build: Build
    stage: str
    config: StageConfig
    started: datetime
    deadline: float  # of time.monotonic
    ran: list[Command] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """Return the folder for the stage's reports, `.jenkins-cd/<stage>/`."""
        return self.build.out.resolve() / self.stage

    @property
    def log(self) -> Path:
        """Return the file that gets all output, `.jenkins-cd/logs/<stage>.log`."""
        return self.build.out / "logs" / f"{self.stage}.log"


def skip_reason(build: Build, stage: str, config: StageConfig, steps: Sequence[Step]) -> str:
    """Return why a stage does not apply: switched off, or nothing to run. Else an empty string."""
    if not config.enabled:
        return f"switched off by ci.{stage}.enabled"
    if not config.run and not steps:
        return f"the toolchain {build.toolchain.name} has no command for it: set ci.{stage}.run"
    return ""


def begin(build: Build, stage: str, config: StageConfig) -> Work:
    """Clear away the result, the reports and the log of an earlier run, and return the work to do.

    Raises Unfit where they are links, or no folders.
    """
    deadline = time.monotonic() + seconds(config.timeout)
    work = Work(build=build, stage=stage, config=config, started=datetime.now(timezone.utc), deadline=deadline)
    files.empty_folder(build.workspace.resolve(), results.FOLDER, stage)
    for written in (f"{stage}.json", f"{stage}.sarif"):
        (build.out / written).unlink(missing_ok=True)
    files.fresh(files.own_folder(build.workspace, results.FOLDER, results.LOGS) / work.log.name)
    return work


def filled(work: Work, step: AnyStep) -> AnyStep:
    """Return a step of a toolchain with the real folders in its arguments and variables."""
    env = {name: _fill(work, value) for name, value in step.env.items()}
    return replace(step, run=tuple(_fill(work, word) for word in step.run), env=env)


def users_command(script: str) -> tuple[str, ...]:
    """Return the program that runs a command of cd.yaml: a shell, to which nothing of ours is added."""
    return ("sh", "-c", script)


def execute(work: Work, step: Step) -> Completed:
    """Run one command in the checkout, within what is left of the stage's time; both streams go to the log too.

    It finds the release's version and commit in JENKINS_CD_VERSION and JENKINS_CD_COMMIT, and none of our secrets: it
    runs the app's own code.
    Raises MissingTool with the command that installs it, and Stopped.
    """
    line = process.display(step.run)
    work.build.progress.note(work.stage, line)
    with files.appending(work.log) as log:
        log.write(f"$ {line}\n".encode())
    tool = work.build.toolchain.tools.get(step.name)
    done = process.run(
        step.run,
        cwd=work.build.workspace,
        env={
            "JENKINS_CD_VERSION": work.build.version,
            "JENKINS_CD_COMMIT": work.build.commit,
            results.WITHIN: str(work.build.workspace),
            **step.env,
        },
        timeout=max(work.deadline - time.monotonic(), 0.0),
        log=work.log,
        install=tool.install if tool else "",
        trusted=False,
    )
    work.ran.append(Command(line=done.line, exit_code=done.exit_code, seconds=done.seconds))
    return done


def trouble(work: Work, step: Step, done: Completed) -> str:
    """Return in one line why a command did not do its work, or an empty string where its report can be trusted."""
    if done.timed_out:
        return f"{done.line} was ended: ci.{work.stage}.timeout is {work.config.timeout}"
    tool = work.build.toolchain.tools.get(step.name)
    if tool and _module_is_missing(done):
        return f"{done.line} cannot run: {step.name} is not installed; install it: {tool.install}"
    if done.exit_code in step.exit_codes:
        return ""
    how = f"exit code {done.exit_code}" if done.exit_code >= 0 else f"ended by signal {-done.exit_code}"
    return f"{done.line} failed ({how})"


def tail(text: str) -> str:
    """Return the last lines of an output, masked: where programs say what went wrong."""
    return "\n".join(excerpt(line, LONGEST) for line in last_lines(text, EVIDENCE))


def finish(work: Work, status: Status, reason: str) -> StageResult:
    """Return the result of the stage, to which findings, gates and tests can be added."""
    return StageResult(
        stage=work.stage,
        status=status,
        reason=reason,
        version=work.build.version,
        commit=work.build.commit,
        started=work.started,
        seconds=sum(command.seconds for command in work.ran),
        commands=tuple(work.ran),
        log=work.log.relative_to(work.build.workspace).as_posix(),
    )


def _fill(work: Work, text: str) -> str:
    return text.replace("{out}", str(work.out)).replace("{workspace}", str(work.build.workspace.resolve()))


def _module_is_missing(done: Completed) -> bool:
    """Tell whether `python3 -m` said that there is no such module."""
    return done.exit_code == 1 and "-m" in done.argv[1:-1] and ": No module named " in done.stderr[:1000]
