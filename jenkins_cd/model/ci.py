"""What one run of CI finds out: findings, tests, gates, the result of each stage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jenkins_cd.free_text import FreeText
from jenkins_cd.model.release import PackageResult as PackageResult
from jenkins_cd.model.release import Release as Release

STAGES = (
    "build",
    "unit-tests",
    "sonar-scan",
    "compiler-warnings",
    "dead-code",
    "code-standard",
    "package",
    "upload",
)


Level = Literal["error", "warning", "note"]


Status = Literal["passed", "failed", "skipped", "stopped"]


@dataclass(frozen=True, kw_only=True)
class GitState:
    """What a checkout is at."""

    commit: str
    committed: datetime  # UTC
    dirty: bool  # tracked files differ from the commit
    branch: str | None  # None: HEAD is detached
    tags: tuple[str, ...]  # on HEAD
    last_tag: str | None  # the nearest reachable SemVer tag
    distance: int  # commits since it, or since the root
    shallow: bool
    source: str  # origin's URL without a password, else the file:// URL of the checkout
    remotes: tuple[str, ...] = ("origin",)  # their names
    authors: tuple[str, ...] = ()  # who wrote and who committed the commit, each as `name <e-mail>`


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that a check reports. `fingerprint` stays the same when lines above the place move."""

    tool: str
    rule: str
    message: FreeText
    level: Level
    file: str  # relative to the checkout, with forward slashes
    line: int = 1  # 1-based
    column: int | None = None  # 1-based
    fingerprint: str = ""
    source: tuple[str, ...] = ()  # the source lines around the place
    source_start: int = 1  # the number of the first of them


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """A rule over findings or measures, what was allowed and what was found. `actual` None: it could not be known."""

    name: str  # errors, warnings, total, new, tests, coverage, report
    limit: float
    actual: float | None
    passed: bool
    message: FreeText = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TestCase:
    """One test of a JUnit file."""

    __test__ = False  # not one of pytest's, whatever its name

    suite: FreeText
    name: FreeText
    seconds: float
    outcome: Literal["passed", "failed", "error", "skipped"]
    message: FreeText = ""


@dataclass(frozen=True, kw_only=True)
class TestReport:
    """The tests that JUnit files tell of."""

    __test__ = False

    cases: tuple[TestCase, ...] = ()

    @property
    def failed(self) -> tuple[TestCase, ...]:
        """Return the cases that failed or broke."""
        return tuple(case for case in self.cases if case.outcome in ("failed", "error"))

    @property
    def summary(self) -> str:
        """Return the counts in one phrase, as `41 tests, 1 failed, 2 skipped`."""
        skipped = sum(case.outcome == "skipped" for case in self.cases)
        parts = [f"{len(self.cases)} test{'' if len(self.cases) == 1 else 's'}"]
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        parts += [f"{skipped} skipped"] if skipped else []
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One program that a stage ran."""

    line: FreeText  # as a person would type it
    exit_code: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """What one stage of CI did and found."""

    stage: str
    status: Status
    reason: FreeText  # one sentence
    version: str
    commit: str
    started: datetime
    seconds: float
    commands: tuple[Command, ...] = ()
    findings: tuple[Finding, ...] = ()
    gates: tuple[GateResult, ...] = ()
    tests: TestReport | None = None
    coverage: float | None = None  # percent of lines or statements
    package: PackageResult | None = None
    release: Release | None = None
    log: str = ""  # relative to the checkout
    evidence: FreeText = ""  # the first thing to look at when it failed
    exit_code: int = 1  # what a failed one makes of the command's exit code
    dirty: bool = False  # tracked files differed from the commit
    schema: Literal["jenkins_cd/stage/v1"] = "jenkins_cd/stage/v1"


@dataclass(frozen=True, kw_only=True)
class CiResult:
    """A whole run of CI."""

    app: str
    project: str
    version: str
    commit: str
    status: Status
    started: datetime
    seconds: float
    stages: tuple[StageResult, ...]
    schema: Literal["jenkins_cd/ci/v1"] = "jenkins_cd/ci/v1"
