"""The tests that an environment asks for, run against the deployed app from the commit that it was built of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.config import APP_FILE, check
from jenkins_cd.config.types import AppFile, AppTest, seconds
from jenkins_cd.delivery import Target
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.findings import junit
from jenkins_cd.lines import split_lines
from jenkins_cd.model import Release, TestCase, TestReport
from jenkins_cd.tools import git, process


@dataclass(frozen=True)
class TestOutcome:
    """What the tests found; `failure` is one sentence, or empty where all passed."""

    tests: TestReport
    failure: str = ""


def run(release: Release, target: Target, folder: Path) -> TestOutcome:
    """Check out the release's commit below `folder` and run each test of the environment; all run, whatever fails.

    A test passes when its command exits with 0 and no case of its JUnit files failed; files that are missing fail it.
    Raises ExternalFailure where the commit cannot be had.
    """
    source = folder / "tests" / target.name / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.parent.mkdir(parents=True, exist_ok=True)
    git.checkout(release.source, release.commit, source)
    known = check.parse((source / APP_FILE).read_text(encoding="utf-8"), AppFile, APP_FILE, "app")[0].tests
    cases: list[TestCase] = []
    failures: list[str] = []
    for name in target.environment.tests:
        target.tell("test", name)
        test = known.get(name)
        outcome = _run_one(name, test, release, target, source) if test else _missing(name, release)
        cases += outcome.tests.cases
        failures += [outcome.failure] if outcome.failure else []
    return TestOutcome(TestReport(cases=tuple(cases)), "; ".join(failures))


def _run_one(name: str, test: AppTest, release: Release, target: Target, source: Path) -> TestOutcome:
    environment = {"APP_URL": target.url, "APP_VERSION": release.version, "ENVIRONMENT": target.name}
    log = source.parent / f"{name}.log"
    log.unlink(missing_ok=True)
    done = process.shell(test.run, cwd=source, env=environment, timeout=seconds(test.timeout), log=log)
    report, unreadable = _report(test, source)
    if not test.junit:
        case = TestCase(
            suite=target.name,
            name=name,
            seconds=done.seconds,
            outcome="passed" if done.exit_code == 0 else "failed",
            message=_tail(done),
        )
        report = TestReport(cases=(case,))
    failure = _failure(test, done, report, unreadable)
    return TestOutcome(report, f"{name}: {failure}" if failure else "")


def _failure(test: AppTest, done: process.Completed, report: TestReport, unreadable: str) -> str:
    if done.timed_out:
        return f"took longer than {test.timeout}"
    if test.junit and report.failed:
        first = report.failed[0]
        return f"{report.summary}; first: {first.name}: {first.message.strip()[:200]}".rstrip(": ")
    if done.exit_code != 0:
        return f"exit code {done.exit_code}: {_tail(done)}".rstrip(": ")
    return unreadable


def _report(test: AppTest, source: Path) -> tuple[TestReport, str]:
    if not test.junit:
        return TestReport(), ""
    files = sorted(source.glob(test.junit))
    if not files:
        return TestReport(), f"it wrote no JUnit file {test.junit}"
    try:
        report = junit.read(files)
    except JenkinsCdError as error:
        return TestReport(), error.message
    return report, "" if report.cases else f"the JUnit files {test.junit} hold no test"


def _missing(name: str, release: Release) -> TestOutcome:
    return TestOutcome(TestReport(), f"{APP_FILE} of {release.app} {release.version} has no test {name!r}")


def _tail(done: process.Completed) -> str:
    return "" if done.exit_code == 0 else "\n".join(split_lines(done.output)[-5:])
