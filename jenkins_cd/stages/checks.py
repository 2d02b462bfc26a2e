"""What compiler-warnings, dead-code and code-standard share: run the checkers, read what they found, judge it."""

from __future__ import annotations

import glob
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jenkins_cd.config.types import CheckConfig
from jenkins_cd.errors import BadInput, UnreadableReport
from jenkins_cd.findings import PARSERS, baseline, gate, reports, sarif_file
from jenkins_cd.findings.place import place
from jenkins_cd.model import Finding, GateResult, StageResult
from jenkins_cd.stages import Build, commands
from jenkins_cd.stages.commands import Work
from jenkins_cd.toolchains import CheckStep
from jenkins_cd.tools.process import Completed

STAGES = ("compiler-warnings", "dead-code", "code-standard")
STREAMS = ("stdout", "stderr", "either")
SHOWN = 5  # findings that are shown as evidence
_reading = threading.Lock()  # of reports: they are read by Python alone, so two at once take only more memory


@dataclass(kw_only=True)
class Seen:
    """What the checkers of a stage found, and what they could not tell."""

    findings: list[Finding] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)  # those that did their work
    problems: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # what failed tools said


def run(build: Build, stage: str, config: CheckConfig, steps: Sequence[CheckStep]) -> StageResult:
    """Run a stage of checks: its own command of cd.yaml, or those of the toolchain. Also writes `<stage>.sarif`.

    Where a checker did not do its work, or its report cannot be read, the gate `report` fails. Raises MissingTool.
    """
    work = commands.begin(build, stage, config)
    seen = Seen()
    for step in [_own_step(stage, config)] if config.run else [commands.filled(work, step) for step in steps]:
        _check(work, step, seen)
    seen.findings.sort(key=lambda finding: (finding.file, finding.line, finding.column or 0))
    sarif_file.write(build.out / f"{stage}.sarif", seen.findings, seen.tools, seen.problems)
    return _verdict(work, config, seen)


def _own_step(stage: str, config: CheckConfig) -> CheckStep:
    if config.format is None:
        raise BadInput(
            f"ci.{stage}.format is missing: the report of ci.{stage}.run cannot be read without it",
            f"set it to one of {', '.join(PARSERS)}",
        )
    return CheckStep(
        run=commands.users_command(config.run or ""),
        tool=stage,
        exit_codes=config.exit_codes,
        report=config.report or "stdout",
        format=config.format,
    )


def _check(work: Work, step: CheckStep, seen: Seen) -> None:
    """Run one checker and add what it found, or what is unknown because of it."""
    root, pattern = _report_file(work, step)
    before = reports.seen(root, pattern)
    done = commands.execute(work, step)
    with _reading:
        _read(work, step, done, lambda: reports.written(root, pattern, before)[0], seen)


def _read(work: Work, step: CheckStep, done: Completed, file: Callable[[], Path], seen: Seen) -> None:
    """Add what a checker's report says; `file` finds the one that it wrote, or raises UnreadableReport."""
    try:
        if problem := commands.trouble(work, step, done):
            raise UnreadableReport(problem)
        name = f"the output of {done.line}"
        if step.report in STREAMS:
            streams = {
                "stdout": done.raw_stdout,
                "stderr": done.raw_stderr,
                "either": done.raw_stdout.strip() or done.raw_stderr,
            }
            text = streams[step.report]
        else:
            name, text = str(file()), reports.text(file())
        found = _parse(step, name, text)
        if done.exit_code != 0 and not found:
            raise UnreadableReport(f"{done.line} ended with exit code {done.exit_code}, but {name} holds no finding")
    except UnreadableReport as error:
        seen.problems.append(error.message)
        seen.words.append(commands.tail(done.output))
        return
    placed = place(found, work.build.workspace, step.name, work.build.toolchain.ignore)
    seen.findings += placed
    seen.tools += [] if placed or step.name in seen.tools else [step.name]


def _report_file(work: Work, step: CheckStep) -> tuple[Path, str]:
    """Return where the report file is: a folder and a glob in it. A toolchain writes to `{out}`, a user anywhere."""
    own = step.report.removeprefix("{out}/")
    return (work.out if own != step.report else work.build.workspace), glob.escape(own)


def _parse(step: CheckStep, name: str, text: str) -> list[Finding]:
    try:
        return PARSERS[step.format](text)
    except UnreadableReport as error:
        raise UnreadableReport(f"{name} is {error.message}") from error


def _verdict(work: Work, config: CheckConfig, seen: Seen) -> StageResult:
    known: frozenset[str] = frozenset()
    if config.gate.new is not None:
        file = work.build.workspace / work.build.config.app.ci.baseline
        try:
            known = baseline.known(baseline.read(file), work.stage)
        except UnreadableReport as error:
            seen.problems.append(error.message)
    gates = tuple(gate.unknown(problem) for problem in seen.problems) or gate.judge(seen.findings, config.gate, known)
    failed = [verdict for verdict in gates if not verdict.passed]
    reason = failed[0].message if failed else _count(seen.findings)
    result = commands.finish(work, "failed" if failed else "passed", reason)
    evidence = _evidence(seen, failed, known) if failed else ""
    return replace(result, findings=tuple(seen.findings), gates=gates, evidence=evidence)


def _count(findings: Sequence[Finding]) -> str:
    parts = [
        f"{number} {level}{'' if number == 1 else 's'}"
        for level in ("error", "warning", "note")
        if (number := sum(finding.level == level for finding in findings))
    ]
    return ", ".join(parts) or "nothing found"


def _evidence(seen: Seen, failed: Sequence[GateResult], known: frozenset[str]) -> str:
    """Return the first thing to look at: what a failed tool said, else the first findings that were too many."""
    if seen.problems:
        return "\n".join([*seen.problems, *filter(None, seen.words)])
    shown = gate.counted(failed[0].name, seen.findings, known)
    lines = [f"{_place(item)}: {item.level}: {item.message} [{item.rule}]" for item in shown[:SHOWN]]
    more = len(shown) - SHOWN
    return "\n".join([lines[0], *_source(shown[0]), *lines[1:], *([f"… and {more} more"] if more > 0 else [])])


def _place(finding: Finding) -> str:
    return f"{finding.file}:{finding.line}" + (f":{finding.column}" if finding.column else "")


def _source(finding: Finding) -> list[str]:
    numbered = enumerate(finding.source, finding.source_start)
    return [f"{'>' if number == finding.line else ' '} {number:4} | {line}".rstrip() for number, line in numbered]
