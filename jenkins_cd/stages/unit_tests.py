"""The stage `unit-tests`: the tests pass, and reach enough of the code."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from jenkins_cd import results
from jenkins_cd.config.types import CoverageFormat, UnitTestsConfig
from jenkins_cd.errors import BadInput, UnreadableReport
from jenkins_cd.findings import coverage, gate, junit, reports
from jenkins_cd.model import GateResult, Purpose, StageResult, TestCase, TestReport
from jenkins_cd.report import junit as junit_xml
from jenkins_cd.stages import Build, commands
from jenkins_cd.stages.commands import Work
from jenkins_cd.toolchains import Step

NEEDS: tuple[str, ...] = ("build",)
CREDENTIALS: tuple[Purpose, ...] = ()
STAGE = "unit-tests"
JUNIT = "junit.xml"  # in the stage's folder
# A user's command may count its failed tests in its exit code; from 126 on the shell speaks (POSIX.1-2017, 2.8.2).
USERS_EXIT_CODES = tuple(range(126))


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A command that runs tests, and where it writes what."""

    step: Step
    root: Path
    junit: str  # a glob in root, or empty
    coverage: str  # a file in root, or empty
    format: CoverageFormat | None


@dataclass(kw_only=True)
class _Seen:
    cases: list[TestCase] = field(default_factory=list)
    percent: float | None = None
    why_unknown: str = "nothing measures it: set ci.unit-tests.coverage.report and .format"
    problems: list[str] = field(default_factory=list)
    words: str = ""


def skip_reason(build: Build) -> str:
    """Return why there is nothing to test, or an empty string."""
    return commands.skip_reason(build, STAGE, build.config.app.ci.unit_tests, build.toolchain.stages.unit_tests)


def run(build: Build) -> StageResult:
    """Run the tests and judge their reports. A report that is missing or unreadable fails. Raises MissingTool."""
    config = build.config.app.ci.unit_tests
    work = commands.begin(build, STAGE, config)
    seen = _Seen()
    for job in [_own_job(build, config)] if config.run else _jobs(work):
        _test(work, job, seen)
    _keep(work.out / JUNIT, seen)
    return _verdict(work, config, seen)


def junit_file(build: Build) -> str:
    """Return the file in the checkout that holds all tests as JUnit after a run, or "" where nothing tells of tests.

    It is written anew from what was read: whatever else lies in the app's own folders is of no run of ours.
    """
    config = build.config.app.ci.unit_tests
    tells = config.junit if config.run else any(step.junit for step in build.toolchain.stages.unit_tests)
    return f"{results.FOLDER}/{STAGE}/{JUNIT}" if tells else ""


def _jobs(work: Work) -> list[_Job]:
    return [
        _Job(
            step=commands.filled(work, step),
            root=work.out,
            junit=step.junit.removeprefix("{out}/"),
            coverage=step.coverage.report.removeprefix("{out}/") if step.coverage else "",
            format=step.coverage.format if step.coverage else None,
        )
        for step in work.build.toolchain.stages.unit_tests
    ]


def _own_job(build: Build, config: UnitTestsConfig) -> _Job:
    if config.coverage.report and not config.coverage.format:
        raise BadInput(f"ci.{STAGE}.coverage.format is missing: the report cannot be read without it")
    return _Job(
        step=Step(run=commands.users_command(config.run or ""), tool=STAGE, exit_codes=USERS_EXIT_CODES),
        root=build.workspace,
        junit=config.junit or "",
        coverage=config.coverage.report or "",
        format=config.coverage.format,
    )


def _test(work: Work, job: _Job, seen: _Seen) -> None:
    """Run one command and add what its reports say, or what is unknown because of it."""
    tests = reports.seen(job.root, job.junit)
    measured = reports.seen(job.root, glob.escape(job.coverage))
    done = commands.execute(work, job.step)
    if problem := commands.trouble(work, job.step, done):
        seen.problems.append(problem)
        seen.words = seen.words or commands.tail(done.output)
        return
    try:
        cases = junit.read(reports.written(job.root, job.junit, tests)).cases if job.junit else ()
        if job.junit and not cases:
            raise UnreadableReport(f"no test ran: {job.root / job.junit} names none")
        if done.exit_code != 0 and not TestReport(cases=cases).failed:
            raise UnreadableReport(
                f"{done.line} ended with exit code {done.exit_code}, but no report names a failed test"
            )
        seen.cases += cases
    except UnreadableReport as error:
        seen.problems.append(error.message)
        seen.words = seen.words or commands.tail(done.output)
    if job.coverage and job.format:
        _measure(job, measured, job.format, seen)


def _measure(job: _Job, before: reports.Seen, form: CoverageFormat, seen: _Seen) -> None:
    try:
        file = reports.written(job.root, glob.escape(job.coverage), before)[0]
        seen.percent = coverage.read(file, form)
    except UnreadableReport as error:
        seen.why_unknown = error.message


def _keep(file: Path, seen: _Seen) -> None:
    if seen.cases:
        results.write(file, junit_xml.xml(TestReport(cases=tuple(seen.cases))))
    else:
        file.unlink(missing_ok=True)  # what a tool has left there could not be read


def _verdict(work: Work, config: UnitTestsConfig, seen: _Seen) -> StageResult:
    report = TestReport(cases=tuple(seen.cases))
    gates = [gate.unknown(problem) for problem in seen.problems]
    gates += [gate.tests(report)] if seen.cases else []
    if config.coverage.minimum is not None:
        gates.append(gate.coverage(seen.percent, config.coverage.minimum, seen.why_unknown))
    failed = [verdict for verdict in gates if not verdict.passed]
    reason = failed[0].message if failed else _summary(report, seen.percent)
    return replace(
        commands.finish(work, "failed" if failed else "passed", reason),
        gates=tuple(gates),
        tests=report if seen.cases else None,
        coverage=seen.percent,
        evidence=_evidence(report, failed, seen.words) if failed else "",
    )


def _summary(report: TestReport, percent: float | None) -> str:
    tests = report.summary if report.cases else "the command passed; no report tells of its tests"
    return tests if percent is None else f"{tests}, {percent:.1f} % covered"


def _evidence(report: TestReport, failed: Sequence[GateResult], words: str) -> str:
    """Return the first thing to look at: the first failed test, else what the command said."""
    if report.failed:
        first = report.failed[0]
        return f"{first.suite}: {first.name}: {first.outcome}\n{commands.tail(first.message)}"
    return "\n".join([*(verdict.message for verdict in failed), *filter(None, [words])])
