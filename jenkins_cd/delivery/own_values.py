"""What an environment gets of an app where there is no deploy repository: all of it stands in the release's chart.

That is the chart with the values of its `values-<environment>.yaml` laid over, and the release's image. As a release
never changes, neither do these files: the commit that the release is made of stands for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jenkins_cd.delivery import Target, charts
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Release


def hold(target: Target) -> bool:
    """Tell whether a target has its values from there."""
    return target.platform.deploy_repository is None


def files(target: Target, release: Release) -> tuple[dict[str, bytes], bool]:
    """Return the chart that is pushed, as the app's folder in a deploy repository would be, and whether the release's
    chart has values for this environment.

    Raises ExternalFailure where the chart is not in the registry as it was released, BadInput where a file is unfit.
    """
    name, place = layout.values_file(target.name), layout.folder(target.name, release.project, release.app)
    with charts.package(target, release) as package:
        own = layout.packaged(package(), release.chart.name).get(name)
        return _made(package(), release, place, own, name), own is not None


def _made(package: Path, release: Release, place: str, own: bytes | None, name: str) -> dict[str, bytes]:
    over = layout.values_of(own, f"{package.name}: {name}") if own is not None else None
    return layout.first(package, release, place, over)


def said(target: Target, found: bool) -> str:
    """Return where the values are from, for people."""
    name = layout.values_file(target.name)
    return f"values: {name} of the chart" if found else f"values: the chart's own, as it has no {name}"


def before(target: Target, release: Release, version: str | None) -> Mapping[str, bytes]:
    """Return the files of the version that the cluster has, as far as they are known: they are for people to compare.

    None, where it has none.
    """
    if version is None:
        return {}
    try:
        there = Ledger.open(target.platform).release(f"{release.project}/{release.app}", version)
        return files(target, there)[0] if there else {}
    except JenkinsCdError:  # what is no more in the registry is no obstacle
        return {}


def other_wish(target: Target, release: Release) -> str:
    """Return the other version that the cluster has by now, or "": also where it does not answer just now."""
    from jenkins_cd.delivery import helm_site

    try:
        with helm_site.opened(target, release) as site:
            now = site.status()
    except JenkinsCdError:
        return ""  # the app's own answer counts; the next look may tell
    return now.version if now and now.version != release.version else ""
