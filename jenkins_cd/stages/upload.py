"""The stage `upload`: image and chart to the registry, then the release to the ledger, which makes it one.

The ledger decides. Until a release stands in it nothing is published, whatever lies in the registry; from then on the
version means this content for ever. So the stage may be killed anywhere: run again, it does what is missing.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import datetime, timezone

from jenkins_cd import common_chart, last_version, requester, results
from jenkins_cd.config.types import PlatformFile, StageConfig
from jenkins_cd.errors import ExternalFailure, GateFailed, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import STAGES, Chart, Command, Health, Image, PackageResult, Purpose, Release, StageResult
from jenkins_cd.stages import Build, commands, load
from jenkins_cd.tools import helm, images, process, registry

STAGE = "upload"
NEEDS: tuple[str, ...] = tuple(name for name in STAGES if name != STAGE)
CREDENTIALS: tuple[Purpose, ...] = ("registry", "git")


def skip_reason(build: Build) -> str:
    """Return why nothing is published, or an empty string."""
    return build.unreleased if build.config.platform else "no platform file: there is no registry to upload to"


def run(build: Build) -> StageResult:
    """Publish the release of this commit, once.

    Raises Refused for a changed checkout, for one that lacks the tags its version comes from, and for a version that is
    published with other content, GateFailed where a stage has not passed for this very commit and version,
    ExternalFailure where registry or ledger fail.
    """
    platform = build.config.platform
    if platform is None:
        raise GateFailed(skip_reason(build))
    work = commands.begin(build, STAGE, StageConfig())
    _refuse_dirty(build)
    last_version.check(build.workspace, build.version, platform)
    package = _checked(build)
    with process.recording() as ended:
        release, added = _publish(build, platform, package, work)
    work.ran.extend(Command(line=done.line, exit_code=done.exit_code, seconds=done.seconds) for done in ended)
    how = "published" if added else "was published already with the same content; nothing was changed"
    return replace(commands.finish(work, "passed", f"{release.app} {release.version} {how}"), release=release)


def _publish(build: Build, platform: PlatformFile, package: PackageResult, work: commands.Work) -> tuple[Release, bool]:
    """Return the release as the ledger has it, and whether we put it there."""
    ledger, release = Ledger.open(platform), replace(release_of(build), chart=package.chart, image=package.image)
    ledger.check_source(release)
    ledger.check_tags(release)
    if ledger.release(f"{release.project}/{release.app}", release.version) is None:
        release = _pushed(build, release, package, work, platform.registry.plain_http)
        build.progress.note(STAGE, f"publishing {release.app} {release.version} to the ledger")
    try:
        added = ledger.publish(release)
    except Refused:
        with contextlib.suppress(ExternalFailure):
            _settle(platform, release)
        raise
    return _settle(platform, release), added


def _settle(platform: PlatformFile, release: Release) -> Release:
    """Return the release that was published, once the tags stand for it: an upload that lost a race moves them."""
    known = Ledger.open(platform).release(f"{release.project}/{release.app}", release.version)
    if known is None:
        raise ExternalFailure(f"the ledger has no {release.app} {release.version}, which it just had", "run it again")
    image, chart = known.image, known.chart
    things = [
        (f"{chart.repository}/{chart.name}", chart.digest),
        *([(image.repository, image.digest)] if image else []),
    ]
    for repository, digest in things:
        if registry.digest(repository, known.version, platform.registry.plain_http) != digest:
            registry.tag(repository, digest, known.version, platform.registry.plain_http)
    return known


def _pushed(build: Build, release: Release, package: PackageResult, work: commands.Work, plain_http: bool) -> Release:
    """Return the release with the digests under which the registry holds its image and chart."""
    image = _push_image(package, build.version, work, plain_http)
    chart = _push_chart(build, package, plain_http)
    return replace(release, image=image, chart=chart, published=datetime.now(timezone.utc))


def _push_image(package: PackageResult, version: str, work: commands.Work, plain_http: bool) -> Image | None:
    image = package.image
    if image is None:
        return None
    if registry.image_content(image.repository, version, plain_http) == image.content:
        digest = registry.digest(image.repository, version, plain_http) or ""
    else:
        work.build.progress.note(STAGE, f"pushing {package.image_tag}")
        builder = images.BUILDERS[package.builder]
        digest = images.push(builder, image.content, package.image_tag, work.out, plain_http)
    return replace(image, digest=_read_back(image.repository, digest, plain_http))


def _push_chart(build: Build, package: PackageResult, plain_http: bool) -> Chart:
    chart, repository = package.chart, f"{package.chart.repository}/{package.chart.name}"
    if registry.chart_content(repository, build.version, plain_http) == chart.content:
        digest = registry.digest(repository, build.version, plain_http) or ""
    else:
        build.progress.note(STAGE, f"pushing the chart {chart.name} {build.version} to {chart.repository}")
        digest = helm.push(build.workspace / package.chart_file, chart.repository, plain_http)
    return replace(chart, digest=_read_back(repository, digest, plain_http))


def _read_back(repository: str, digest: str, plain_http: bool) -> str:
    """Return the digest once the registry has said that it holds it."""
    found = registry.digest(repository, digest, plain_http)
    if found != digest:
        raise ExternalFailure(f"{repository} does not have {digest}, which was just pushed", "run it again")
    return digest


def release_of(build: Build) -> Release:
    """Return the release that the build is to become, without what is packaged."""
    app = build.config.app
    return Release(
        app=app.app,
        project=app.project,
        version=build.version,
        commit=build.commit,
        source=build.source,
        authors=build.authors,
        chart=Chart(name=app.app, repository=""),
        health=Health(path=app.health.path, version=app.health.version),
        published_by=requester.name(),
        build_url=requester.build_url(),
    )


def _refuse_dirty(build: Build) -> None:
    if build.dirty:
        raise Refused(
            f"files of the checkout differ from the commit {build.commit[:12]}, so a release would not be what it says",
            "commit the changes, or undo them, and run jenkins-cd ci again; git status shows them",
        )


def _checked(build: Build) -> PackageResult:
    """Return the package once every stage that applies is known to have passed for it. Raises GateFailed with all
    that is not."""
    stages = load()
    known = {name: results.load(build.out, name, StageResult) for name in NEEDS if not stages[name].skip_reason(build)}
    problems = {name: problem for name, result in known.items() if (problem := _problem(build, result))}
    package = known["package"].package if known["package"] else None
    if "package" not in problems:
        problem = _file_problem(build, package)
        problems.update({"package": problem} if problem else {})
    if problems or package is None:
        listed = "\n".join(f"{name}: {problem}" for name, problem in problems.items())
        raise GateFailed(
            f"{build.config.app.app} {build.version} is not fit to be uploaded\n{listed}",
            f"jenkins-cd ci {' '.join(problems)}",
        )
    return package


def _problem(build: Build, result: StageResult | None) -> str:
    """Return why a stage does not count as passed, or an empty string."""
    if result is None:
        return "it has not run here"
    if (result.commit, result.version) != (build.commit, build.version):
        return f"it ran for {result.version} ({result.commit[:12]}), not for {build.version} ({build.commit[:12]})"
    if result.dirty:
        return "it ran on files that differed from the commit"
    return "" if result.status in ("passed", "skipped") else f"it {result.status}: {result.reason}"


def _file_problem(build: Build, package: PackageResult | None) -> str:
    if package is None:
        return "its result names no package"
    platform, file = build.config.platform, build.workspace / package.chart_file
    if platform and package.chart.repository != platform.registry.charts:
        return "it was made for another registry"
    if not file.is_file() or common_chart.sha256(file) != package.chart.content:
        return f"{package.chart_file} is not the file that it made"
    return ""
