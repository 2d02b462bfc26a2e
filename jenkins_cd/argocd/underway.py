"""One deployment that is followed: where it goes, what is wanted, what was seen and done of it so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from jenkins_cd.argocd.judge import Decision, Memory, Rules, judge
from jenkins_cd.argocd.looks import Looks, Refresh
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.argocd.site import Site
from jenkins_cd.argocd.states import Object
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.model import Observation
from jenkins_cd.tools.argocd_failures import Absent, Denied, Expired

PATIENCE = 8.0  # seconds that the controller is given to compare an application
FAULTS = (BadInput, ExternalFailure, Refused)  # what a look beside the way may fail with


@dataclass
class Underway:
    """What `course` works on. Times are of the monotonic clock."""

    site: Site
    wish: Wish
    looks: Looks
    begun: float = field(default_factory=time.monotonic)
    memory: Memory = field(default_factory=Memory)
    refreshed: float = 0.0  # when a refresh was asked for last
    compared: bool = False  # whether Argo CD has compared it then
    overlooked: bool = False  # it has not, and a normal refresh still stands in the Application
    pods: float = field(default_factory=time.monotonic)  # when the pods were looked at
    asked: float = 0.0  # when the app itself was asked
    good_since: float | None = None  # since when everything is as it should be
    told: str = ""
    observation: Observation | None = None

    @property
    def app(self) -> Object:
        """Return the newest look at the Application; empty where there was none."""
        return self.looks.app or {}

    @property
    def rules(self) -> Rules:
        """Return what is wanted of a sync."""
        return Rules(prune=self.site.rules.prune, resources=self.site.resources)

    @property
    def late(self) -> bool:
        """Tell whether the version should have come up by now."""
        return time.monotonic() - self.begun > self.site.target.timeout

    def tell(self, text: str) -> None:
        """Tell whoever watches, and nothing twice in a row."""
        if text != self.told:
            self.site.target.tell("verify", text)
            self.told = text

    def decision(self) -> Decision:
        """Decide on the newest look. Raises ExternalFailure where the deploy repository cannot be asked."""
        return judge(self.app, self.wish, self.rules, self.memory, time.monotonic())

    def refresh(self, how: Refresh = "normal") -> bool:
        """Let Argo CD compare it anew; returns whether it has done so in time.

        A refresh is an annotation, which the controller can overlook while it writes the Application's status: then it
        stays, and asking for the same again changes nothing that the controller would see. So the next is the other
        kind. Raises Absent, Denied and Expired.
        """
        how = "hard" if self.overlooked else how
        self.refreshed = time.monotonic()
        try:
            self.looks.read(how, PATIENCE, attempts=1)
        except (Absent, Denied, Expired):
            raise
        except ExternalFailure:
            self.compared = False
            self.overlooked = how == "normal" and time.monotonic() - self.refreshed >= PATIENCE
        else:
            self.compared, self.overlooked = True, False
        return self.compared
