"""Whether what lives in a cluster is still what was deployed there, and who changed it.

For the model `helm` it is the release's manifest, as Helm keeps it in the cluster, against the live objects; for
`argocd` what Argo CD wants against what it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jenkins_cd.free_text import FreeText
from jenkins_cd.model import Deployment

Kind = Literal["changed", "removed", "added", "missing", "extra"]
State = Literal["same", "drifted", "unknown", "absent"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that is not as the release says."""

    object: str  # Kind/name
    kind: Kind
    field: str = ""  # empty: the whole object
    wanted: FreeText = ""
    live: FreeText = ""
    by: str = ""  # the manager that set it; empty: nobody knows
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the ledger knows of an app in an environment."""

    app: str
    project: str
    last: Deployment | None  # None: none was recorded
    verified: Deployment | None  # the last one that was

    @property
    def names(self) -> dict[str, str]:
        """Return what is filled into patterns of the platform file, but for the environment."""
        return {"app": self.app.rpartition("/")[2], "project": self.project}


@dataclass(frozen=True, kw_only=True)
class AppDrift:
    """One app in an environment: whether what lives there is what was deployed."""

    app: str
    project: str
    state: State
    reason: FreeText  # one sentence
    namespace: str
    release: str  # Helm's, or the name of the Application
    model: Literal["helm", "argocd"] = "helm"
    revision: int | None = None  # Helm's, or the number in the Application's history
    chart: str = ""  # its name and version; for Argo CD the commit
    version: str | None = None  # that the ledger says
    deployed: datetime | None = None
    objects: int = 0  # that the release has
    changes: tuple[Change, ...] = ()
    unseen: tuple[str, ...] = ()  # kinds that could not be looked through for objects of no manifest


@dataclass(frozen=True, kw_only=True)
class Drift:
    """Every app of an environment that was looked at."""

    environment: str
    at: datetime
    apps: tuple[AppDrift, ...]
    schema: Literal["jenkins_cd/drift/v1"] = "jenkins_cd/drift/v1"

    def of(self, state: State) -> tuple[AppDrift, ...]:
        """Return the apps in a state."""
        return tuple(one for one in self.apps if one.state == state)

    @property
    def exit_code(self) -> int:
        """Return 1 where something drifted, else 3 where it cannot be known of some app, else 0."""
        return 1 if self.of("drifted") else 3 if self.of("unknown") else 0
