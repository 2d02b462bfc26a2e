"""What must hold between the keys of the files, beyond each key's own type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime

from jenkins_cd.config import APP_FILE, Origin, argocd_rules
from jenkins_cd.config.places import at as _at
from jenkins_cd.config.places import given
from jenkins_cd.config.places import placeholders as _placeholders
from jenkins_cd.config.problem import Problem
from jenkins_cd.config.toolchains import names
from jenkins_cd.config.types import AppFile, ChartConfig, Environment, Freeze, PlatformFile, UnitTestsConfig, seconds
from jenkins_cd.suggest import nearest

CHECKS = ("compiler_warnings", "dead_code", "code_standard")
SHORTEST_SESSION = (
    600.0  # seconds; https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
)


def of_platform(platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the keys of the platform file."""
    environments = platform.environments
    if not environments:
        yield _at(origins, "environments", "expected at least one environment")
    yield from _without_repository(platform, origins)
    yield from _sources(platform, origins)
    yield from argocd_rules.of_server(platform, origins)
    for name, environment in environments.items():
        key = f"environments.{name}"
        if name == "ci":
            yield _at(origins, key, "`ci` means the pipeline itself and cannot be an environment")
        yield from _order(name, environments, origins)
        yield from _environment(environment, key, origins)
        yield from argocd_rules.of_environment(environment, key, platform.argocd, origins)
        for index, freeze in enumerate(environment.freeze):
            yield from _times(freeze, f"{key}.freeze[{index}]", origins)


def of_app(app: AppFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the keys of cd.yaml."""
    yield from _toolchain(app, origins)
    for stage in CHECKS:
        settings, key = getattr(app.ci, stage), f"ci.{stage.replace('_', '-')}"
        if settings.run and not settings.format:
            yield _at(origins, f"{key}.run", f"needs {key}.format: what the report is written in, such as `sarif`")
        if settings.report and not settings.run:
            yield _at(origins, f"{key}.report", f"belongs to {key}.run, which is not set")
    yield from _unit_tests(app.ci.unit_tests, origins)
    yield from _chart(app.package.chart, origins)


def between(app: AppFile, platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the two files."""
    for name, environment in platform.environments.items():
        for index, test in enumerate(environment.tests):
            if test not in app.tests:
                known = nearest(test, app.tests) or f" (it has {', '.join(app.tests) or 'none'})"
                yield _at(origins, f"environments.{name}.tests[{index}]", f"{APP_FILE} has no test {test!r}{known}")


def moment_of(text: str) -> datetime | None:
    """Return an ISO 8601 time with a zone, or None. Python 3.10 knows no `Z`."""
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _unit_tests(settings: UnitTestsConfig, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    key, coverage = "ci.unit-tests", settings.coverage
    for name, value in (("junit", settings.junit), ("coverage.report", coverage.report)):
        if value and not settings.run:
            yield _at(origins, f"{key}.{name}", f"belongs to {key}.run, which is not set")
    if coverage.report and not coverage.format:
        yield _at(origins, f"{key}.coverage.report", f"needs {key}.coverage.format")
    if settings.run and coverage.minimum and not coverage.report:
        where = origins.get(f"{key}.coverage.minimum", "")
        yield _at(origins, f"{key}.run", f"needs {key}.coverage.report and .format, as a minimum is set: {where}")


def _chart(chart: ChartConfig, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    own = origins.get("package.chart.path") if chart.path else None
    for other in ("common", "version", "values"):
        where = origins.get(f"package.chart.{other}")
        if own and where and own.layer == where.layer:  # one of another layer is overridden, not in conflict
            yield _at(origins, f"package.chart.{other}", "is for a generated chart, but package.chart.path is given")


def _without_repository(platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Check that nothing needs a deploy repository where there is none."""
    if platform.deploy_repository:
        return
    for name, environment in platform.environments.items():
        if (model := environment.model) != "helm":
            mend = "add `deploy_repository: {url: …}`; the model helm alone does without"
            yield _at(origins, f"environments.{name}.model", f"{model} needs a deploy repository to follow: {mend}")
    if not platform.ledger.url:
        place = origins.get("ledger") or origins.get("environments") or Origin("built-in")
        told = "is needed, as there is no deploy_repository to keep the ledger in: name a Git repository for it"
        yield Problem(place, "ledger.url", told)


def _sources(platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Check what `apps` fills into its URLs: a host, and what stands before it, must be known."""
    for name, urls in platform.apps.items():
        key = f"apps.{name}"
        if not urls:
            yield _at(origins, key, "no release could be published: name at least one URL")
        for url in urls:
            yield from _placeholders(url, key, origins, ("app", "project"))
            if re.search(r"[*{}]", re.split(r"(?<=[^:/])[/:](?!//)", url, maxsplit=1)[0]):
                yield _at(origins, key, "`*` and placeholders stand for folders, not for a host")


def _order(name: str, environments: Mapping[str, Environment], origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Follow `after` back to ci. A circle is told once, at the first of its environments."""
    key, path = f"environments.{name}.after", [name]
    if (first := environments[name].after) != "ci" and first not in environments:
        hint = nearest(first, environments) or f" (there is {', '.join(environments)}, and ci before them all)"
        yield _at(origins, key, f"there is no environment {first!r}{hint}")
    while (after := environments[path[-1]].after) in environments and after != "ci":
        if after == name and name == min(path, key=list(environments).index):
            yield _at(origins, key, f"runs in a circle: {' after '.join([*path, after])}; the first comes after ci")
        if after in path:
            return
        path.append(after)


def _environment(environment: Environment, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    yield from _placeholders(environment.health_url, f"{key}.health_url", origins)
    yield from _helm(environment, key, origins)
    if environment.promotion == "automatic":
        for name in ("approvers", "approvals"):
            if getattr(environment, name):
                yield _at(origins, f"{key}.{name}", f"nobody would be asked: {name} need {key}.promotion: manual")
    if seconds(environment.settle) >= seconds(environment.timeout):
        place = f"{key}.settle" if f"{key}.settle" in origins else f"{key}.timeout"
        yield _at(
            origins,
            place,
            f"no version could pass: settle {environment.settle} must be less than timeout {environment.timeout}",
        )


def _helm(environment: Environment, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Check how the model helm pushes; its keys mean nothing to the other models."""
    helm = environment.helm
    if environment.model != "helm":
        if given(origins, f"{key}.helm"):
            yield _at(origins, f"{key}.helm", f"is for the model helm, but {key}.model is {environment.model}")
        return
    yield from _placeholders(helm.namespace, f"{key}.helm.namespace", origins)
    yield from _placeholders(helm.release, f"{key}.helm.release", origins)
    if seconds(helm.session) < SHORTEST_SESSION:
        yield _at(
            origins, f"{key}.helm.session", f"the API server gives no token for less than 10m, found {helm.session}"
        )


def _times(freeze: Freeze, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    ends = []
    for name, text in (("from", freeze.start), ("to", freeze.end)):
        if (moment := moment_of(text)) is None:
            wanted = "a time with a zone such as `2026-12-20T00:00:00Z`"
            yield _at(origins, f"{key}.{name}", f"expected {wanted}, found {text[:60]!r}")
        else:
            ends.append(moment)
    if len(ends) == 2 and ends[0] >= ends[1]:
        yield _at(origins, f"{key}.to", "the freeze ends before it begins")


def _toolchain(app: AppFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    if app.toolchain is None:
        return
    if app.toolchain not in names():
        hint = nearest(app.toolchain, names())
        yield _at(
            origins, "toolchain", f"{app.toolchain!r} is no toolchain{hint}: expected one of {', '.join(names())}"
        )
    stages = (app.ci.build, app.ci.unit_tests, app.ci.compiler_warnings, app.ci.dead_code, app.ci.code_standard)
    if app.toolchain == "custom" and not any(stage.run for stage in stages):
        yield _at(
            origins,
            "toolchain",
            "custom runs nothing but the commands of cd.yaml, and there is none: set ci.<stage>.run",
        )
