"""What a command says in the end, on a terminal or in a log: results to standard output, errors to standard error."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.model import CiResult, Deployment, Phase, Plan, Progress, StageResult
from jenkins_cd.report.progress import Lines, Screen, colours, emit, lively
from jenkins_cd.report.text import cells, clean, cleaned, duration, fit, one_line, pad, wrapped
from jenkins_cd.report.verdict import detail, first_failure, next_step, observed, took

REPORT = Path(".jenkins-cd/report/index.html")
EVIDENCE = 20  # lines of it that are shown; the report has all
COLOURS: Mapping[str, str] = {
    "passed": "32", "verified": "32", "failed": "31", "unknown": "31", "stopped": "33", "superseded": "33",
    "blocked": "33", "skipped": "90",
}  # fmt: skip


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Give whoever works somebody to tell how it goes on: live on a terminal, lines with their time otherwise."""
    if lively(sys.stderr):
        with Screen(sys.stderr) as screen:
            yield screen
    else:
        yield Lines(sys.stderr)


def ci_summary(result: CiResult, report: Path | None = REPORT) -> None:
    """Print how a run of CI ended: one table, and after a failure the first thing to look at. `report`: the page."""
    result = cleaned(replace(result, stages=tuple(replace(stage, findings=(), tests=None) for stage in result.stages)))
    what = f"{result.app} {result.version} ({result.commit[:12]})"
    _say(f"\n{what}: {_painted(result.status)} in {duration(result.seconds)}\n")
    rows = [(one.stage, one.status, one_line(one.reason), took(one)) for one in result.stages]
    table(("stage", "status", "what", "time"), rows)
    first = first_failure(result)
    if first:
        _first_thing(first)
    _report(report)


def deployment_summary(deployment: Deployment, report: Path | None = REPORT, *, why: bool = True) -> None:
    """Print how a deployment ended: its phases, what was seen last, evidence and what to do next.

    `why`: say also why it was not verified; false where whoever has started us says that at the end of all.
    """
    deployment = cleaned(deployment)
    why = why or deployment.outcome == "verified"
    what = f"{deployment.kind} of {deployment.app} {deployment.version} to {deployment.environment}"
    _say(f"\n{what}: {_painted(deployment.outcome)} in {duration(deployment.seconds)}")
    _say(f"{deployment.reason}\n" if why and deployment.reason else "")
    if deployment.phases:
        table(("phase", "status", "what", "time"), [_phase(one, deployment.reason) for one in deployment.phases])
    if deployment.observation:
        _say(f"\nseen last: {observed(deployment.observation)}")
        _evidence(deployment.observation.body)
    if why and deployment.outcome != "verified":
        _say("\nevidence:" if deployment.evidence.strip() else "")
        _evidence(deployment.evidence)
        _say(f"\nnext: {next_step(deployment)}")
    _report(report)


def plan(plan: Plan) -> None:
    """Print what a deployment would change: the versions, then the differences."""
    plan = cleaned(plan)
    _say(f"{plan.environment}: {plan.declared or 'nothing'} → {plan.wanted}")
    _say(f"  declared {plan.declared or 'nothing'}")
    _say(f"  running  {plan.running or 'unknown'}")
    _say(f"  verified {plan.verified or 'nothing'}")
    if not plan.files:
        _say(f"  nothing to change in {plan.files_of}")
    for title, diff in ((plan.files_of, plan.files), ("what Helm renders", plan.manifests)):
        if diff:
            _say(f"\nchanges in {title}:\n" + "\n".join(_diff_line(line) for line in split_lines(diff)))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table as wide as the terminal at most: the widest column is wrapped. A status is coloured."""
    headers, *content = [[clean(cell) for cell in row] for row in (headers, *rows)]
    widths = _widths(headers, content, shutil.get_terminal_size().columns)
    right = [header in ("time", "duration") for header in headers]
    _say(_row(headers, widths, right, "1"))
    for row in content:
        parts = [wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for index in range(max(len(part) for part in parts)):
            _say(_row([part[index] if index < len(part) else "" for part in parts], widths, right))


def error(failure: JenkinsCdError) -> None:
    """Print a failure to standard error: what happened, each problem, what to do next."""
    painted = _paint("jenkins-cd:", "31", sys.stderr)
    _say(f"{painted} {clean(failure.message)}", sys.stderr)
    for problem in failure.problems if isinstance(failure, BadInput) else ():
        _say(f"  {clean(problem)}", sys.stderr)
    if failure.hint:
        _say(f"  next: {clean(failure.hint)}", sys.stderr)


def _phase(one: Phase, reason: str) -> tuple[str, ...]:
    return one.name, one.status, one_line(detail(one, reason)), took(one)


def _report(page: Path | None) -> None:
    if page:
        here = Path.cwd()
        _say(f"\nreport: {page.relative_to(here) if page.is_relative_to(here) else page}")


def _first_thing(stage: StageResult) -> None:
    _say(f"\nfirst thing to look at: {stage.stage}: {stage.reason}")
    _evidence(stage.evidence)
    if stage.log:
        _say(f"  log: {stage.log}")


def _evidence(text: str) -> None:
    lines = split_lines(text.strip("\n"))
    for line in lines[:EVIDENCE]:
        _say(fit(f"  │ {line}".rstrip(), 500))
    if len(lines) > EVIDENCE:
        _say(f"  │ … {len(lines) - EVIDENCE} more lines")


def _widths(headers: Sequence[str], rows: Sequence[Sequence[str]], columns: int) -> list[int]:
    """Return the width of each column: as its content, the widest ones shrunk until all fit."""
    lines = [[max((cells(line) for line in split_lines(cell)), default=0) for cell in row] for row in [headers, *rows]]
    widths = [max(column) for column in zip(*lines, strict=True)]
    excess = sum(widths) + 2 * (len(widths) - 1) - columns
    for _ in range(max(excess, 0)):
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] = max(widths[widest] - 1, 8)
    return widths


def _row(row: Sequence[str], widths: Sequence[int], right: Sequence[bool], style: str = "") -> str:
    padded = [pad(text, width, side) for text, width, side in zip(row, widths, right, strict=True)]
    words = [_paint(cell, style or COLOURS.get(text, "")) for cell, text in zip(padded, row, strict=True)]
    return "  ".join(words).rstrip()


def _diff_line(line: str) -> str:
    if line.startswith(("+++", "---")):
        return _paint(line, "1")
    return _paint(line, {"+": "32", "-": "31", "@": "36"}.get(line[:1], ""))


def _painted(status: str) -> str:
    return _paint(status, COLOURS.get(status, ""))


def _paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return `text` in a style of ECMA-48 (SGR), where the stream takes colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and colours(stream or sys.stdout) else text


def _say(text: str, stream: TextIO | None = None) -> None:
    emit(stream or sys.stdout, text + "\n")
