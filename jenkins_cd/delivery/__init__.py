"""The delivery models: one file a model, one Protocol, one dict."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jenkins_cd.config.types import Environment, PlatformFile, seconds
from jenkins_cd.free_text import FreeText
from jenkins_cd.model import Observation, Outcome, Plan, Progress, Release, Resource


@dataclass(frozen=True, kw_only=True)
class Target:
    """A place that one app is deployed to."""

    name: str
    environment: Environment
    platform: PlatformFile
    url: str  # the app's base URL there
    progress: Progress
    attempt: str = ""  # tells the deployment that goes there apart from others, over all of its steps

    @property
    def timeout(self) -> float:
        """Return how many seconds a version may take to come up, and each of its hooks to end."""
        return seconds(self.environment.timeout)

    @property
    def settle(self) -> float:
        """Return for how many seconds a version has to stay up."""
        return seconds(self.environment.settle)

    def tell(self, phase: str, text: str) -> None:
        """Tell whoever watches."""
        self.progress.note(f"{self.name} {phase}", text)


@dataclass(frozen=True, kw_only=True)
class Followed:
    """How a deployment went on after it was applied."""

    reached: bool
    superseded_by: str  # the version that another deployment declared meanwhile, or ""
    observation: Observation | None
    reason: FreeText  # one sentence
    outcome: Outcome = "failed"  # where it was not reached, and nobody else's wish came between
    resources: tuple[Resource, ...] = ()  # what is seen of them where it was not reached


class DeliveryModel(Protocol):
    """How a release reaches an environment. Modules satisfy it."""

    RESUMABLE: bool  # somebody else does the work: a run that was killed can take up the wait

    def plan(self, target: Target, release: Release, verified: str | None) -> Plan:
        """Return what would change; nothing is written. Raises ExternalFailure, BadInput where Helm cannot render."""

    def rehearse(self, target: Target, release: Release) -> None:
        """Ask whoever would apply it whether it would be taken. Nothing is written. Raises BadInput and Refused."""

    def apply(self, target: Target, release: Release, plan: Plan, message: str) -> str:
        """Make the environment want the release; returns the commit that says so, which may be there already.

        `message` is the commit's. Applying twice changes nothing.
        """

    def follow(self, target: Target, release: Release, commit: str) -> Followed:
        """Wait until the environment runs the release, stable for its settling time, or until the timeout."""

    def diagnose(self, target: Target, release: Release, followed: Followed) -> str:
        """Return evidence of what went wrong, for people: a few lines, without the reason that `follow` gave."""

    def withdraw(self, target: Target, release: Release) -> str:
        """Take away a first deployment that failed, where that is wanted; returns what was done, or ""."""


DELIVERY: Mapping[str, str] = {name: f"jenkins_cd.delivery.{name}" for name in ("argocd", "flux", "helm")}


def load(name: str) -> DeliveryModel:
    """Return the model of that name, and import nothing of the others."""
    model: DeliveryModel = importlib.import_module(DELIVERY[name])
    return model
