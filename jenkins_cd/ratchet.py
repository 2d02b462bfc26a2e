"""The baseline follows what CI found: it shrinks by itself and grows only where somebody says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd import files, results
from jenkins_cd.config import Config
from jenkins_cd.errors import BadInput, GateFailed, UnreadableReport
from jenkins_cd.findings import baseline
from jenkins_cd.findings.baseline import Baseline, Change
from jenkins_cd.model import StageResult
from jenkins_cd.suggest import nearest
from jenkins_cd.tools import git

STAGES = ("compiler-warnings", "dead-code", "code-standard")


@dataclass(frozen=True, kw_only=True)
class StageChange:
    """How many findings of a stage the baseline knows now, and how that came about."""

    stage: str
    known: int
    removed: int  # no longer found
    added: int
    new: int  # found, but not accepted


@dataclass(frozen=True, kw_only=True)
class Update:
    """What was made of the baseline."""

    file: str  # relative to the checkout
    written: bool
    stages: tuple[StageChange, ...]
    schema: str = "jenkins_cd/baseline/v1"


def update(workspace: Path, config: Config, stages: Sequence[str], *, accept: bool) -> Update:
    """Bring the baseline in line with the recorded results of the named stages, or of all that were recorded.

    The file is written only where it changes. Raises BadInput where a stage is unknown, where it has no result, and
    where the result is of another state of the checkout or incomplete; nothing is written then.
    """
    file = workspace / config.app.ci.baseline
    try:
        old = baseline.read(file)
    except UnreadableReport as error:
        raise BadInput(error.message, error.hint) from error
    changes = {
        name: baseline.compare(old.get(name, ()), result.findings, accept=accept)
        for name, result in _results(workspace, stages, old).items()
    }
    new = {**old, **{name: change.entries for name, change in changes.items()}}
    content = baseline.to_json(new)
    written = content != (files.read_if_there(file) or baseline.to_json({}))
    if written:
        results.write(file, content)
    return Update(
        file=config.app.ci.baseline,
        written=written,
        stages=tuple(_summary(name, change) for name, change in changes.items()),
    )


def _summary(stage: str, change: Change) -> StageChange:
    return StageChange(
        stage=stage,
        known=len(change.entries),
        removed=len(change.removed),
        added=len(change.added),
        new=len(change.new),
    )


def _results(workspace: Path, stages: Sequence[str], old: Baseline) -> Mapping[str, StageResult]:
    """Return the results that may be used. Raises BadInput with the reason why one may not, for each."""
    unknown = [f"{name}: no stage with findings{nearest(name, STAGES)}" for name in stages if name not in STAGES]
    if unknown:
        raise BadInput("unknown stage", f"the stages with findings are {', '.join(STAGES)}", unknown)
    commit = git.state(workspace).commit
    folder = results.prepare(workspace)
    try:
        found = {name: results.load(folder, name, StageResult) for name in STAGES}
    except GateFailed as error:
        raise BadInput(error.message, error.hint) from error
    wanted = {name: result for name, result in found.items() if name in stages or (not stages and _ran(result))}
    problems = {
        name: problem for name, result in wanted.items() if (problem := _problem(workspace, commit, result, old))
    }
    if problems or not wanted:
        raise BadInput(
            "the baseline was not changed: the results are not of the present state of this checkout",
            f"run: jenkins-cd ci {' '.join(problems or STAGES)}",
            [f"{name}: {problem}" for name, problem in problems.items()] or ["there are none"],
        )
    return {name: result for name, result in wanted.items() if result}


def _ran(result: StageResult | None) -> bool:
    return result is not None and result.status != "skipped"


def _problem(workspace: Path, commit: str, result: StageResult | None, old: Baseline) -> str:
    """Return why a result says nothing of the checkout as it is now, or an empty string."""
    if result is None:
        return "it was not run"
    if result.status in ("skipped", "stopped"):
        return f"it was {result.status}: {result.reason}"
    if result.commit != commit:
        return f"it was run on {result.commit[:12]}, the checkout is at {commit[:12]}"
    if any(gate.name == "report" and not gate.passed for gate in result.gates) or not result.log:
        return f"it did not find out everything: {result.reason}"
    files = {finding.file for finding in result.findings} | {entry["file"] for entry in old.get(result.stage, ())}
    changed = [file for file in sorted(files) if _changed_since(workspace / file, result.started.timestamp())]
    return f"{changed[0]} was changed since" if changed else ""


def _changed_since(file: Path, time: float) -> bool:
    return file.is_file() and file.stat().st_mtime > time
