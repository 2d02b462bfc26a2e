"""A release on its way to an environment: the plan, the phases, the verdict and what the ledger keeps of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from jenkins_cd.free_text import FreeText
from jenkins_cd.model.ci import Status, TestReport

Outcome = Literal["verified", "failed", "superseded", "blocked", "unknown"]


CHANGED_NOTHING: tuple[Outcome, ...] = ("superseded", "blocked")  # these say nothing of what runs


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
