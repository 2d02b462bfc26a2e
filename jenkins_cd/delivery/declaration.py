"""What the deploy repository declares for an app, and how a deployment changes it: the same for every model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jenkins_cd.delivery import Target, changes, charts
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Plan, Release

LOOK = 4.0  # seconds between two looks into the deploy repository for a newer wish


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The app's files, before and after; `version` is the one that is declared before."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    version: str | None
    base: str  # the commit that this was read from, or ""

    @property
    def changes(self) -> bool:
        """Tell whether there is anything to commit."""
        return self.before != self.after


def read(target: Target, release: Release) -> Declaration:
    """Return what is declared, and what would be for `release`. Nothing is written.

    Raises BadInput where a file lacks what must be set, ExternalFailure where the repository or the registry is away.
    """
    repository = repository_of(target)
    view = repository.view(repository.tip(branch_of(target)))
    place = place_of(target, release)
    before = view.read_all(view.list(place))
    with charts.package(target, release) as package:
        changed = layout.files(view, place, release, package)
    after = changes.overlay(before, changed)
    return Declaration(before=before, after=after, version=layout.declared(view, place), base=view.commit or "")


def files(target: Target, release: Release, commit: str) -> dict[str, bytes]:
    """Return the app's files as a commit has them."""
    view = repository_of(target).view(commit)
    return view.read_all(view.list(place_of(target, release)))


def commit(
    target: Target, release: Release, plan: Plan, message: str, check: Callable[[Mapping[str, bytes]], object]
) -> str:
    """Make the deploy repository declare the release and return the commit that does, which may be there already.

    Where the app's files have changed since the plan, `check` is given those that would be pushed, and may raise.
    """
    repository, place = repository_of(target), place_of(target, release)

    def change(view: View) -> Mapping[str, bytes | None]:
        changed = layout.files(view, place, release, package)
        if changed and not _as_planned(repository, plan, view, place):
            target.progress.note(f"{target.name} apply", "the app's files have changed since the plan: rendering again")
            check(changes.overlay(view.read_all(view.list(place)), changed))
        return changed

    with charts.package(target, release) as package:
        return repository.commit(branch_of(target), message, change)


def other_wish(target: Target, release: Release, commit: str) -> str:
    """Return the other version that is declared by now, or "": also where the repository does not answer just now."""
    repository = repository_of(target)
    try:
        tip = repository.tip(branch_of(target), timeout=10.0)
        version = None if tip == commit else layout.declared(repository.view(tip), place_of(target, release))
    except JenkinsCdError:
        version = None  # the app's own answer counts; the next look may tell
    return version if version and version != release.version else ""


def other_wishes(target: Target, release: Release, commit: str) -> Callable[[], str]:
    """Return a function that tells what `other_wish` does; it looks at most every few seconds."""
    looked = time.monotonic()

    def other() -> str:
        nonlocal looked
        if time.monotonic() - looked < LOOK:
            return ""
        found = other_wish(target, release, commit)
        looked = time.monotonic()
        return found

    return other


def repository_of(target: Target) -> Repository:
    """Return the deploy repository."""
    return Repository.open(target.platform.deploy_repository.url)


def branch_of(target: Target) -> str:
    """Return the branch that the environments follow."""
    return target.platform.deploy_repository.branch


def place_of(target: Target, release: Release) -> str:
    """Return the app's folder in the deploy repository."""
    return layout.folder(target.name, release.project, release.app)


def _as_planned(repository: Repository, plan: Plan, view: View, place: str) -> bool:
    """Tell whether the app's files are those that the plan was made on."""
    if not plan.base or not view.commit:
        return plan.base == (view.commit or "")
    return repository.same(plan.base, view.commit, place)
