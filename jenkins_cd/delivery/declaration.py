"""What the deploy repository declares for an app, and how a deployment changes it: the same for every model.

Where there is none, the release's own chart says it all: see `own_values`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jenkins_cd.delivery import Target, changes, charts, own_values
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
    note: str = ""  # where the values are from, for people

    @property
    def changes(self) -> bool:
        """Tell whether there is anything to commit."""
        return self.before != self.after


def read(target: Target, release: Release) -> Declaration:
    """Return what is declared, and what would be for `release`. Nothing is written.

    Raises BadInput where a file lacks what must be set, ExternalFailure where the repository or the registry is away.
    """
    if own_values.hold(target):
        after, found = own_values.files(target, release)
        return Declaration(before={}, after=after, version=None, base="", note=own_values.said(target, found))
    repository = repository_of(target)
    view = repository.view(repository.tip(branch_of(target)))
    place = place_of(target, release)
    before = view.read_all(view.list(place))
    with charts.package(target, release) as package:
        changed = layout.files(view, place, release, package)
    after = changes.overlay(before, changed)
    return Declaration(before=before, after=after, version=layout.declared(view, place), base=view.commit or "")


def against(target: Target, release: Release, wanted: Declaration, version: str | None) -> Declaration:
    """Return a declaration next to the version that the cluster has, where nothing else tells what was wanted there."""
    if not own_values.hold(target):
        return wanted
    same = version == release.version
    return replace(
        wanted, version=version, before=wanted.after if same else own_values.before(target, release, version)
    )


def files(target: Target, release: Release, commit: str) -> dict[str, bytes]:
    """Return the app's files as a commit has them."""
    if own_values.hold(target):
        return own_values.files(target, release)[0]
    view = repository_of(target).view(commit)
    return view.read_all(view.list(place_of(target, release)))


def commit(
    target: Target, release: Release, plan: Plan, message: str, check: Callable[[Mapping[str, bytes]], object]
) -> str:
    """Make the deploy repository declare the release and return the commit that does, which may be there already.

    Where the app's files have changed since the plan, `check` is given those that would be pushed, and may raise.
    Without a deploy repository the release's own commit declares it: nothing is written.
    """
    if own_values.hold(target):
        return release.commit
    repository, place = repository_of(target), place_of(target, release)

    def change(view: View) -> Mapping[str, bytes | None]:
        changed = layout.files(view, place, release, package)
        if changed and not _as_planned(repository, plan, view, place):
            target.tell("apply", "the app's files have changed since the plan: rendering again")
            check(changes.overlay(view.read_all(view.list(place)), changed))
        return changed

    with charts.package(target, release) as package:
        return repository.commit(branch_of(target), message, change)


def other_wish(target: Target, release: Release, commit: str) -> str:
    """Return the other version that is declared by now, or "": also where the repository does not answer just now."""
    if own_values.hold(target):
        return own_values.other_wish(target, release)
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


def superseded(target: Target, other: str) -> str:
    """Return in one sentence that another version is wanted by now."""
    if own_values.hold(target):
        return f"superseded: {other} was deployed meanwhile"
    return f"superseded: the deploy repository declares {other} by now"


def named(target: Target) -> str:
    """Return what the app's files are part of, for people."""
    return "the app's chart" if own_values.hold(target) else "the deploy repository"


def repository_of(target: Target) -> Repository:
    """Return the deploy repository. Raises BadInput where there is none."""
    return Repository.open(target.platform.declared_in.url)


def branch_of(target: Target) -> str:
    """Return the branch that the environments follow."""
    return target.platform.declared_in.branch


def place_of(target: Target, release: Release) -> str:
    """Return the app's folder in the deploy repository."""
    return layout.folder(target.name, release.project, release.app)


def _as_planned(repository: Repository, plan: Plan, view: View, place: str) -> bool:
    """Tell whether the app's files are those that the plan was made on."""
    if not plan.base or not view.commit:
        return plan.base == (view.commit or "")
    return repository.same(plan.base, view.commit, place)
