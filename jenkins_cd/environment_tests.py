"""The tests that an environment asks for, run against the deployed app from the commit that it was built of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.config import APP_FILE, check
from jenkins_cd.config.types import AppFile, AppTest, seconds
from jenkins_cd.delivery import Target
from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.findings import junit, reports
from jenkins_cd.masking import excerpt, last_lines
from jenkins_cd.model import Release, TestCase, TestReport
from jenkins_cd.tools import git, process


@dataclass(frozen=True)
class TestOutcome:
    """What the tests found; `failure` is one sentence, or empty where all passed."""

    tests: TestReport
    failure: str = ""


def fetch(release: Release, target: Target, folder: Path) -> None:
    """Check out the release's commit below `folder`, for `run`. Raises ExternalFailure where it cannot be had."""
    source = _source(target, folder)
    files.remove(source)
    git.checkout(release.source, release.commit, source)


def run(release: Release, target: Target, folder: Path) -> TestOutcome:
    """Run each test of the environment in what `fetch` has checked out; all run, whatever fails. Nothing is fetched.

    A test passes when its command exits with 0 and no case of the JUnit files that it wrote failed; files that it did
    not write fail it. Raises BadInput where the commit has no cd.yaml that is fit to be read.
    """
    source = _source(target, folder)
    known = _tests(source)
    cases: list[TestCase] = []
    failures: list[str] = []
    for name in target.environment.tests:
        target.tell("test", name)
        test = known.get(name)
        outcome = _run_one(name, test, release, target, source) if test else _missing(name, release)
        cases += outcome.tests.cases
        failures += [outcome.failure] if outcome.failure else []
    return TestOutcome(TestReport(cases=tuple(cases)), "; ".join(failures))


def _source(target: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return files.own_folder(folder, "tests", target.name) / "source"


def _tests(source: Path) -> Mapping[str, AppTest]:
    file = source / APP_FILE
    if why := reports.unfit(file, source):
        raise BadInput(f"{file} {why}", "the release's commit must have one")
    return check.parse(file.read_text(encoding="utf-8"), AppFile, APP_FILE, "app")[0].tests


def _run_one(name: str, test: AppTest, release: Release, target: Target, source: Path) -> TestOutcome:
    environment = {"APP_URL": target.url, "APP_VERSION": release.version, "ENVIRONMENT": target.name}
    log = source.parent / f"{name}.log"
    log.unlink(missing_ok=True)
    before = reports.seen(source, test.junit or "")
    done = process.shell(test.run, cwd=source, env=environment, timeout=seconds(test.timeout), log=log)
    report, unreadable = _report(test, source, before)
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
        return f"{report.summary}; first: {first.name}: {excerpt(first.message.strip(), 200)}".rstrip(": ")
    if done.exit_code != 0:
        return f"exit code {done.exit_code}: {_tail(done)}".rstrip(": ")
    return unreadable


def _report(test: AppTest, source: Path, before: reports.Seen) -> tuple[TestReport, str]:
    """Return what the JUnit files of a test say, as far as it wrote them, and why they cannot be read."""
    if not test.junit:
        return TestReport(), ""
    try:
        report = junit.read(reports.written(source, test.junit, before))
    except JenkinsCdError as error:
        return TestReport(), error.message
    return report, "" if report.cases else f"the JUnit files {test.junit} hold no test"


def _missing(name: str, release: Release) -> TestOutcome:
    return TestOutcome(TestReport(), f"{APP_FILE} of {release.app} {release.version} has no test {name!r}")


def _tail(done: process.Completed) -> str:
    return "" if done.exit_code == 0 else "\n".join(last_lines(done.output, 5))
