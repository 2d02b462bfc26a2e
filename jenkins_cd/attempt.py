"""One attempt to bring a release to an environment: who asks for what, what it works on, and how it went."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from jenkins_cd.delivery import DeliveryModel, Followed, Target
from jenkins_cd.environment_tests import TestOutcome
from jenkins_cd.free_text import FreeText
from jenkins_cd.gitops import order
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Phase, Plan, Release


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks for."""

    app: str
    version: str
    environment: str
    requested_by: str
    build_url: str = ""
    approver: str | None = None  # None: nobody promotes it
    approval_reason: FreeText = ""
    approval: str = ""  # its ID in the ledger
    asked_for: str = ""  # who asked for the approval


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A deployment under way: what it works on, and the phases that it has behind it."""

    request: Request
    release: Release
    target: Target
    model: DeliveryModel
    ledger: Ledger
    folder: Path  # for checkouts of tests
    kind: Literal["deployment", "rollback"] = "deployment"
    id: str = order.NEXT  # of the record that it becomes: the ledger gives it one when it begins
    started: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    token: str = field(default_factory=lambda: secrets.token_hex(4))  # tells apart what starts at once
    clock: float = field(default_factory=time.monotonic)
    phases: list[Phase] = field(default_factory=list)

    @property
    def place(self) -> Target:
        """Return where it goes, for a model that has to know its own work again."""
        return replace(self.target, attempt=self.token)


@dataclass(frozen=True, kw_only=True)
class Course:
    """How an attempt went: what `conclude` makes a verdict of."""

    plan: Plan
    verified: Deployment | None  # what was verified there before
    commit: str
    followed: Followed
    tested: TestOutcome | None  # None: it never came to tests, or there are none

    @property
    def failure(self) -> str:
        """Return in one sentence why it is not good, or an empty string."""
        if not self.followed.reached:
            return self.followed.reason
        return self.tested.failure if self.tested else ""
