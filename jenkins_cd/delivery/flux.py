"""The model `flux` in its plain form: commit what is wanted, and look at the app's health endpoint until it is so.

Somebody else (Flux, or whatever follows the deploy repository) does the work in between. Nothing here needs an account
in the cluster.
"""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jenkins_cd import common_chart
from jenkins_cd.config.types import seconds
from jenkins_cd.delivery import Followed, Target, changes, health
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Plan, Release
from jenkins_cd.tools import helm

LOOK = 4.0  # seconds between two looks into the deploy repository for a newer wish


def plan(target: Target, release: Release, verified: str | None) -> Plan:
    """Return what would change; nothing is written.

    Raises BadInput where the result does not render or a file of the deploy repository lacks what must be set,
    ExternalFailure where the deploy repository or the registry cannot be reached.
    """
    repository, place = _repository(target), _place(target, release)
    view = repository.view(repository.tip(_branch(target)))
    before = view.read_all(view.list(place))
    with _package(target, release) as package:
        changed = layout.files(view, place, release, package)
    after = changes.overlay(before, changed)
    manifests = changes.of_manifests(before, after, release, _plain_http(target)) if changed else ""
    return Plan(
        environment=target.name,
        declared=layout.declared(view, place),
        running=health.observe(target.url, release.health).version,
        verified=verified,
        wanted=release.version,
        files=changes.of_files(before, after),
        manifests=manifests,
        base=view.commit or "",
    )


def apply(target: Target, release: Release, plan: Plan, message: str) -> str:
    """Make the deploy repository declare the release and return the commit that does, which may be there already.

    What is pushed has rendered: as planned, or again where the app's files have changed since the plan.
    """
    repository, place = _repository(target), _place(target, release)

    def change(view: View) -> Mapping[str, bytes | None]:
        changed = layout.files(view, place, release, package)
        if changed and not _as_planned(repository, plan, view, place):
            target.progress.note(f"{target.name} apply", "the app's files have changed since the plan: rendering again")
            after = changes.overlay(view.read_all(view.list(place)), changed)
            changes.render(after, release, _plain_http(target))
        return changed

    with _package(target, release) as package:
        return repository.commit(_branch(target), message, change)


def follow(target: Target, release: Release, commit: str) -> Followed:
    """Look at the health endpoint until it reports the release, stable for the settling time, or time runs out."""
    wanted = health.Wanted(
        url=target.url,
        health=release.health,
        version=release.version,
        timeout=seconds(target.environment.timeout),
        settle=seconds(target.environment.settle),
    )
    title = f"{target.name} verify"
    return health.wait(wanted, lambda seen: target.progress.note(title, seen), _other_wish(target, release, commit))


def diagnose(target: Target, release: Release, followed: Followed) -> str:
    """Return what was seen last and where to look, for people."""
    lines = [followed.reason]
    if seen := followed.observation:
        lines.append(f"last look: {seen.at:%Y-%m-%d %H:%M:%S} UTC, GET {seen.url}: {health.describe(seen)}")
        lines += [f"  {seen.error}"] if seen.status is None else [f"  {line}" for line in seen.body.splitlines()[:8]]
    place, branch = _place(target, release), _branch(target)
    if not followed.superseded_by:
        lines.append(f"declared in {place}/Chart.yaml on {branch} of {target.platform.deploy_repository.url}")
        lines.append(f"look at the controller that follows it, and at the logs of {release.app} in {target.name}")
    return "\n".join(lines)


def _other_wish(target: Target, release: Release, commit: str) -> Callable[[], str]:
    """Return a function that tells which other version is declared by now; it looks at most every few seconds."""
    repository, place, looked = _repository(target), _place(target, release), time.monotonic()

    def other() -> str:
        nonlocal looked
        if time.monotonic() - looked < LOOK:
            return ""
        try:
            tip = repository.tip(_branch(target), timeout=10.0)
            version = layout.declared(repository.view(tip), place) if tip != commit else release.version
        except JenkinsCdError:
            version = None  # the app's own answer counts; the next look may tell
        looked = time.monotonic()
        return version if version and version != release.version else ""

    return other


def _as_planned(repository: Repository, plan: Plan, view: View, place: str) -> bool:
    """Tell whether the app's files are those that the plan was made on."""
    if not plan.base or not view.commit:
        return plan.base == (view.commit or "")
    return repository.same(plan.base, view.commit, place)


@contextlib.contextmanager
def _package(target: Target, release: Release) -> Iterator[Callable[[], Path]]:
    """Give a function that fetches the release's packaged chart, once, should it be needed."""
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-chart-") as folder:

        @functools.cache
        def fetch() -> Path:
            chart = release.chart
            file = helm.pull(chart.repository, chart.name, release.version, Path(folder), _plain_http(target))
            _unchanged(release, file)
            return file

        yield fetch


def _unchanged(release: Release, file: Path) -> None:
    """Raise ExternalFailure unless the chart in the registry is the one that was released."""
    found = common_chart.sha256(file)
    if release.chart.content and found != release.chart.content:
        raise ExternalFailure(
            f"the chart {release.chart.name} {release.version} in {release.chart.repository} is not the one that was "
            f"released: it is {found[:19]}…, the release says {release.chart.content[:19]}…",
            "somebody pushed another chart under this version: release a new version",
        )


def _repository(target: Target) -> Repository:
    return Repository.open(target.platform.deploy_repository.url)


def _branch(target: Target) -> str:
    return target.platform.deploy_repository.branch


def _place(target: Target, release: Release) -> str:
    return layout.folder(target.name, release.project, release.app)


def _plain_http(target: Target) -> bool:
    return target.platform.registry.plain_http
