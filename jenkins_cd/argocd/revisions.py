"""Whether a revision that Argo CD names is our commit, as good as it, older, or somebody else's newer wish."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from jenkins_cd.argocd import states
from jenkins_cd.argocd.states import Object
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.repository import Repository

Standing = Literal["same", "older", "newer"]
TIP = 10.0  # seconds that the repository is given to tell its newest commit
RUN = secrets.token_hex(4)  # tells apart the syncs that this process asks for from those of others


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Our commit in the deploy repository: `place` is the app's folder as we want it."""

    repository: Repository
    branch: str
    place: str
    commit: str
    run: str = RUN
    known: dict[str, Standing] = field(default_factory=dict, repr=False)

    @property
    def token(self) -> str:
        """Return what the syncs that we ask for are known by."""
        return f"{self.commit} {self.run}"

    def standing(self, revision: str) -> Standing:
        """Tell what a revision is to our commit.

        `same`: it is our commit, or comes after it and leaves the app's folder as we wrote it. `newer`: it comes after
        it and says something else of the app. `older`: all others, also what the repository does not have.
        """
        if revision not in self.known:
            self.known[revision] = self._standing(revision)
        return self.known[revision]

    def newer(self) -> str:
        """Return the newest commit where it says something else of the app than ours does, else "".

        Raises ExternalFailure where the repository does not answer.
        """
        tip = self.repository.tip(self.branch, timeout=TIP)
        return tip if tip and self.standing(tip) == "newer" else ""

    def version(self, revision: str) -> str:
        """Return what a revision declares of the app, for people."""
        version = layout.declared(self.repository.view(revision), self.place)
        return version or f"commit {revision[:12]}"

    def _standing(self, revision: str) -> Standing:
        if revision == self.commit:
            return "same"
        try:
            if not self.repository.descends(revision, self.commit):
                return "older"
            return "same" if self.repository.same(self.commit, revision, self.place) else "newer"
        except JenkinsCdError:
            self.repository.tip(self.branch)  # raises where the repository is away: then nothing is known
            return "older"

    def of(self, app: Object, revisions: tuple[str, ...]) -> Standing | None:
        """Tell what the revisions of an application's sources are to our commit; None where they are not known.

        Only the sources that are the deploy repository count, and of these the one that is furthest from ours.
        """
        ours = [revisions[index] for index in self.sources(app) if index < len(revisions)]
        found = {self.standing(one) for one in ours if one}
        return next((one for one in ("newer", "older", "same") if one in found), None)

    def sources(self, app: Object) -> list[int]:
        """Return the indexes of the sources that are the deploy repository, on the branch that we write to."""
        return [index for index, one in enumerate(states.sources(app)) if self.is_source(one)]

    def is_source(self, source: Object) -> bool:
        """Tell whether a source is the deploy repository, as the app's folder or as values for others."""
        if not same_repository(str(source.get("repoURL") or ""), self.repository.url):
            return False
        return bool(source.get("ref")) or str(source.get("path") or "").strip("/") == self.place


def same_repository(one: str, other: str) -> bool:
    """Tell whether two Git URLs name the same repository: user, scheme, port and `.git` do not matter."""
    return _plain(one) == _plain(other)


def _plain(url: str) -> tuple[str, str]:
    if "://" not in url and ":" in url:  # user@host:path
        host, _, path = url.rpartition("@")[2].partition(":")
    else:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    return host.lower(), path.strip("/").removesuffix(".git")
