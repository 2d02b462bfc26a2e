"""What travels through the house: frozen, typed, serialisable. Every JSON shape that we print or store is one of these.

Times are UTC; durations are seconds. `schema` names the shape and its version: a field may be added within a version,
never removed or given another meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from jenkins_cd.free_text import FreeText

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
Outcome = Literal["verified", "failed", "superseded", "blocked", "unknown"]
CHANGED_NOTHING: tuple[Outcome, ...] = ("superseded", "blocked")  # these say nothing of what runs
# What a credential is for. The ledger is always in Git; the deploy repository may be missing.
Purpose = Literal["registry", "git", "deploy-repository", "cluster"]


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
class Image:
    """A container image: `digest` is the manifest's in the registry, `content` the image ID (digest of its config)."""

    repository: str
    digest: str = ""
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A Helm chart: `digest` is the OCI manifest's, `content` the SHA-256 of the packaged file."""

    name: str
    repository: str  # oci://host/path, without the name
    digest: str = ""
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Health:
    """Where an app says how it is, and which version it is: a path, and where in the JSON answer the version stands."""

    path: str = "/health"
    version: str = "$.version"


@dataclass(frozen=True, kw_only=True)
class Release:
    """What CI publishes once and every environment deploys unchanged."""

    app: str
    project: str
    version: str
    commit: str
    source: str  # the Git URL that has the commit
    chart: Chart
    image: Image | None = None
    health: Health = field(default_factory=Health)
    authors: tuple[str, ...] = ()  # who wrote and who committed the commit, each as `name <e-mail>`
    published: datetime | None = None
    published_by: str = ""
    build_url: str = ""
    schema: Literal["jenkins_cd/release/v1"] = "jenkins_cd/release/v1"


@dataclass(frozen=True, kw_only=True)
class PackageResult:
    """What the package stage made: not published yet, hence no digests of a registry."""

    builder: str  # docker, podman, buildah, or "" without an image
    image: Image | None
    image_tag: str  # the local name, repository:version
    chart: Chart
    chart_file: str  # relative to the checkout


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


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What a health endpoint answered, last. `status` None: it did not answer, and `error` says why."""

    url: FreeText
    at: datetime
    status: int | None = None
    version: str | None = None
    body: FreeText = ""
    error: FreeText = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a deployment would change: versions, and the difference as unified diffs."""

    environment: str
    declared: str | None  # the version that the deploy repository declares now; without one, that the cluster has
    running: str | None  # the version that the health endpoint reports now
    verified: str | None  # the last version that was verified there
    wanted: str
    files: FreeText = ""  # diff of the files that declare it
    files_of: str = "the deploy repository"  # what these are part of, for people
    manifests: FreeText = ""  # diff of what Helm renders
    base: str = ""  # the commit of the deploy repository that this was computed on

    @property
    def changes(self) -> bool:
        """Tell whether anything would be written."""
        return bool(self.files or self.manifests)


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One step of a deployment."""

    name: str
    status: Status
    seconds: float
    started: datetime
    detail: FreeText = ""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """An object that belongs to an app, as Argo CD tells of it: the terms are its own."""

    uid: str  # one that is not there has one too, of this tree alone
    kind: str
    name: str
    namespace: str = ""
    group: str = ""
    parent: str = ""  # the uid of what owns it
    health: str = ""  # Healthy, Progressing, Degraded, Suspended, Missing, Unknown; "" where Argo CD does not assess it
    sync: str = ""  # Synced, OutOfSync, or "" where it is not known
    message: FreeText = ""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One attempt to bring a release to an environment, and how it ended."""

    id: str  # sorts after those that the ledger had when it was begun, or gitops.order.NEXT
    app: str
    project: str
    version: str
    environment: str
    model: str
    kind: Literal["deployment", "rollback"]
    outcome: Outcome
    reason: FreeText
    started: datetime
    seconds: float
    requested_by: str
    phases: tuple[Phase, ...] = ()
    previous: str | None = None  # the version that was verified there before
    commit: str = ""  # of the deploy repository; without one, the release's
    diff: FreeText = ""
    observation: Observation | None = None
    tests: TestReport | None = None
    approver: str = ""
    approval_reason: FreeText = ""
    approval: str = ""  # the ID of the approval in the ledger that it used
    build_url: str = ""
    evidence: FreeText = ""
    resources: tuple[Resource, ...] = ()  # what there was to see of them when it failed
    schema: Literal["jenkins_cd/deployment/v1"] = "jenkins_cd/deployment/v1"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A deployment that policy has allowed and that is about to be applied: what a later run needs to take it up."""

    id: str  # of the deployment that it becomes, or gitops.order.NEXT
    app: str
    project: str
    version: str
    environment: str
    started: datetime
    requested_by: str
    plan: Plan
    build_url: str = ""
    approver: str = ""
    approval_reason: FreeText = ""
    approval: str = ""
    schema: Literal["jenkins_cd/begun/v1"] = "jenkins_cd/begun/v1"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Somebody's word that a version may go to an environment. A deployment that starts after it uses it up."""

    id: str  # sorts after what the ledger had of the app, or gitops.order.NEXT
    app: str
    project: str
    version: str
    environment: str
    approver: str
    reason: FreeText
    at: datetime
    requested_by: str = ""  # who asked for it; empty: nobody knows
    build_url: str = ""
    schema: Literal["jenkins_cd/approval/v1"] = "jenkins_cd/approval/v1"


class Progress(Protocol):
    """Who wants to know how the work goes on: a terminal, a Jenkins log, nobody."""

    def started(self, name: str, detail: str = "") -> None:
        """A stage or phase begins."""

    def note(self, name: str, text: str) -> None:
        """Something worth a line happened in it."""

    def finished(self, name: str, status: Status, detail: str, seconds: float) -> None:
        """It ended."""
