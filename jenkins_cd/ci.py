"""Which stages run, in which order and which at once; collects their results."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from jenkins_cd import branches, checkout_locks, last_version, masking, results, unexpected, versions
from jenkins_cd.config import Config
from jenkins_cd.config.types import GIT_URL, Releases
from jenkins_cd.errors import BadInput, ExternalFailure, GateFailed, Interrupted, JenkinsCdError
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.lines import split_lines
from jenkins_cd.model import CiResult, GitState, Progress, StageResult, Status
from jenkins_cd.stages import Build, Stage, upload
from jenkins_cd.stages import load as load_stages
from jenkins_cd.suggest import nearest
from jenkins_cd.toolchains import detect
from jenkins_cd.toolchains import load as load_toolchain
from jenkins_cd.tools import git, interrupts, process

JUST_BEFORE = 10.0  # seconds within which whoever stops a run has ended all its programs, us last


def prepare(workspace: Path, config: Config, version: str | None, progress: Progress) -> Build:
    """Return what every stage needs to know of this checkout. Raises BadInput where its state cannot be known."""
    state = git.state(workspace)
    if version is None:
        version = versions.from_tag(os.environ.get("TAG_NAME", ""))
    return Build(
        workspace=workspace,
        config=config,
        toolchain=load_toolchain(config.app.toolchain or detect(workspace)),
        version=versions.derive(state, version),
        commit=state.commit,
        committed=state.committed,
        dirty=state.dirty,
        source=state.source,
        authors=state.authors,
        unreleased=_unreleased(workspace, config, state, version),
        progress=progress,
    )


def _unreleased(workspace: Path, config: Config, state: GitState, version: str | None) -> str:
    """Return why the commit becomes no release, or an empty string where it may. `version` is the one that is given."""
    platform = config.platform
    reason = branches.unreleased(platform.releases if platform else Releases(), state, os.environ)
    if reason or platform is None:
        return reason
    if not git.is_url(state.source):
        return f"a deployment could not fetch the commit from {state.source}: expected {GIT_URL.expected}"
    return "" if version is not None else last_version.seen_to_lack(workspace, state, platform)


def check_source(build: Build, stages: Iterable[str]) -> None:
    """Raise Refused, before any work, where these stages would publish a release that its app may not have from here.

    Where the ledger cannot be read now, the stage `upload` tells, before it pushes anything.
    """
    platform = build.config.platform
    if platform is None or build.unreleased or upload.STAGE not in stages:
        return
    with contextlib.suppress(BadInput, ExternalFailure, GateFailed):
        Ledger.open(platform).check_source(upload.release_of(build))


def select(names: Sequence[str]) -> Mapping[str, Stage]:
    """Return the stages that were asked for, or all. Raises BadInput that lists every unknown name."""
    stages = load_stages()
    problems = [f"{name}: no such stage{nearest(name, stages)}" for name in names if name not in stages]
    if problems:
        raise BadInput("unknown stage", f"the stages are {', '.join(stages)}", problems)
    return {name: stage for name, stage in stages.items() if not names or name in names}


def run(build: Build, stages: Mapping[str, Stage], *, fail_fast: bool = False) -> CiResult:
    """Run the stages, those at the same time that do not wait for one another, and save each one's result.

    A failed stage stops those that need it and lets the rest finish; `fail_fast` ends the rest at once. Raises
    Interrupted, with the stages that were unfinished, when the run is stopped from outside. Another run in this
    checkout that would be in its way is waited for.
    """
    results.prepare(build.workspace)
    with checkout_locks.of_stages(build, stages):
        return _run(build, stages, fail_fast)


def _run(build: Build, stages: Mapping[str, Stage], fail_fast: bool) -> CiResult:
    started, clock = datetime.now(timezone.utc), time.monotonic()
    done: dict[str, StageResult] = {}
    running: dict[Future[StageResult], str] = {}
    with ThreadPoolExecutor(max_workers=len(stages), thread_name_prefix="stage") as pool:
        try:
            while len(done) < len(stages):
                for name in _ready(stages, done, running.values()):
                    if blocker := _blocker(stages[name], stages, done):
                        done[name] = _stopped(build, name, f"not run: {blocker} did not pass")
                    else:
                        running[pool.submit(_run_stage, build, name, stages[name])] = name
                for future in _ended(running):
                    result = done[running.pop(future)] = future.result()
                    if fail_fast and result.status == "failed":
                        process.stop_all()
        except Interrupted as stop:
            _abandon(build, stages, done, running, stop)
    return _collect(build, {name: done[name] for name in stages}, started, time.monotonic() - clock)


def recorded(build: Build, run: CiResult) -> CiResult:
    """Return what is known of this very commit and version: this run's stages, and those that others have recorded."""
    here = {result.stage: result for result in run.stages}
    known = {name: here.get(name) or results.load(build.out, name, StageResult) for name in load_stages()}
    own = {
        name: result
        for name, result in known.items()
        if result and (result.commit, result.version) == (build.commit, build.version)
    }
    started = min((result.started for result in own.values()), default=datetime.now(timezone.utc))
    ended = max((result.started.timestamp() + result.seconds for result in own.values()), default=0.0)
    return _collect(build, own, started, max(ended - started.timestamp(), 0.0))


def exit_code(result: CiResult) -> int:
    """Return the exit code of a run: that of its failed stages, a failed gate before anything else."""
    return min((stage.exit_code for stage in result.stages if stage.status == "failed"), default=0)


def _ended(running: Iterable[Future[StageResult]]) -> Iterable[Future[StageResult]]:
    """Wait for one of them to end, or for a moment; an interrupt comes after it, not while their locks are taken."""
    with interrupts.undisturbed():
        return wait(running, timeout=process.LOOK, return_when=FIRST_COMPLETED).done


def _ready(stages: Mapping[str, Stage], done: Mapping[str, StageResult], running: Iterable[str]) -> list[str]:
    busy = set(running)
    return [
        name
        for name, stage in stages.items()
        if name not in done and name not in busy and all(need in done for need in _before(stage, stages))
    ]


def _before(stage: Stage, stages: Mapping[str, Stage]) -> list[str]:
    """Return the stages that must have ended first. Where we have secrets, one that uses some runs beside none that
    runs the app's own code: its programs, as Git, are given them, and that code could look at those."""
    alone = stage.CREDENTIALS and masking.secrets_given()
    return [name for name, other in stages.items() if name in stage.NEEDS or (alone and not other.CREDENTIALS)]


def _blocker(stage: Stage, stages: Mapping[str, Stage], done: Mapping[str, StageResult]) -> str:
    return next((need for need in stage.NEEDS if need in stages and done[need].status in ("failed", "stopped")), "")


def _run_stage(build: Build, name: str, stage: Stage) -> StageResult:
    """Run one stage to a result, whatever happens in it; an error of ours becomes a failed result."""
    started, clock = datetime.now(timezone.utc), time.monotonic()
    try:
        reason = stage.skip_reason(build)
        if reason:
            result = _empty(build, name, "skipped", reason)
            build.progress.started(name)
        else:
            build.progress.started(name)
            result = stage.run(build)
    except Interrupted:
        result = _empty(build, name, "stopped", "stopped before it was finished")
    except Exception as error:
        result = _failure(build, name, unexpected.as_error(error, ("ci", name)))
    result = replace(result, started=started, seconds=time.monotonic() - clock, dirty=build.dirty)
    results.save(build.out, name, result)
    build.progress.finished(name, result.status, result.reason, result.seconds)
    return result


def _empty(build: Build, name: str, status: Status, reason: str) -> StageResult:
    now = datetime.now(timezone.utc)
    return StageResult(
        stage=name,
        status=status,
        reason=reason,
        version=build.version,
        commit=build.commit,
        started=now,
        seconds=0.0,
    )


def _failure(build: Build, name: str, error: JenkinsCdError) -> StageResult:
    problems = getattr(error, "problems", ())
    evidence = "\n".join([error.message, *problems, *([error.hint] if error.hint else [])])
    reason = split_lines(error.message)[0]
    return replace(_empty(build, name, "failed", reason), evidence=evidence, exit_code=error.exit_code)


def _stopped(build: Build, name: str, reason: str) -> StageResult:
    result = _empty(build, name, "stopped", reason)
    results.save(build.out, name, result)
    build.progress.finished(name, "stopped", reason, 0.0)
    return result


def _doubtful(result: StageResult) -> bool:
    """Tell whether a stage has ended so shortly before the run was stopped that its programs may have been stopped.

    What was published was published.
    """
    if interrupts.run.number == signal.SIGINT:  # Ctrl-C comes to us alone, and we have told the programs
        return False
    if time.time() - (result.started.timestamp() + result.seconds) > JUST_BEFORE or not result.commands:
        return False
    if result.status == "failed":
        return process.ended_by_signal(result.commands[-1].exit_code)
    return result.status == "passed" and result.release is None


def _abandon(
    build: Build,
    stages: Mapping[str, Stage],
    done: Mapping[str, StageResult],
    running: Mapping[Future[StageResult], str],
    stop: Interrupted,
) -> None:
    """Wait for the stages whose programs were just told to end, then say what was unfinished."""
    wait(running)
    doubtful = [name for name, result in done.items() if _doubtful(result)]
    for name in doubtful:
        _stopped(build, name, "stopped, or about to be: how it ended says nothing")
    finished = {name for future, name in running.items() if future.result().status in ("passed", "failed", "skipped")}
    unfinished = [name for name in stages if name in doubtful or (name not in done and name not in finished)]
    raise Interrupted(
        f"{stop.message}; unfinished: {', '.join(unfinished) or 'nothing'}",
        f"run it again: jenkins-cd ci {' '.join(unfinished)}".rstrip(),
    ) from stop


def _collect(build: Build, done: Mapping[str, StageResult], started: datetime, seconds: float) -> CiResult:
    app = build.config.app
    failed = any(result.status in ("failed", "stopped") for result in done.values())
    return CiResult(
        app=app.app,
        project=app.project,
        version=build.version,
        commit=build.commit,
        status="failed" if failed else "passed",
        started=started,
        seconds=seconds,
        stages=tuple(done.values()),
    )
