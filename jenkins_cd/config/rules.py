"""What must hold between the keys of the files, beyond each key's own type."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from datetime import datetime

from jenkins_cd.config import Origin
from jenkins_cd.config.types import AppFile, Environment, Freeze, PlatformFile
from jenkins_cd.config.yaml import Problem
from jenkins_cd.suggest import nearest

CHECKS = ("compiler_warnings", "dead_code", "code_standard")
_PLACEHOLDERS = frozenset({"app", "project", "environment"})


def of_platform(platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the keys of the platform file."""
    environments = platform.environments
    if not environments:
        yield _at(origins, "environments", "expected at least one environment")
    for name, environment in environments.items():
        key = f"environments.{name}"
        if name == "ci":
            yield _at(origins, key, "`ci` means the pipeline itself and cannot be an environment")
        if environment.after != "ci" and environment.after not in environments:
            hint = nearest(environment.after, ["ci", *environments])
            yield _at(origins, f"{key}.after", f"there is no environment {environment.after!r}{hint}")
        elif circle := _circle(name, environments):
            yield _at(origins, f"{key}.after", f"runs in a circle: {' → '.join(circle)}")
        yield from _placeholders(environment, f"{key}.health_url", origins)
        for index, freeze in enumerate(environment.freeze):
            yield from _times(freeze, f"{key}.freeze[{index}]", origins)


def of_app(app: AppFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the keys of cd.yaml."""
    for stage in CHECKS:
        settings = getattr(app.ci, stage)
        key = f"ci.{stage.replace('_', '-')}"
        if settings.run and not settings.format:
            yield _at(origins, f"{key}.run", f"needs {key}.format: what the command prints, such as `sarif` or `text`")
        if settings.report and not settings.run:
            yield _at(origins, f"{key}.report", f"belongs to {key}.run, which is not set")
    coverage = app.ci.unit_tests.coverage
    if coverage.report and not coverage.format:
        yield _at(origins, "ci.unit-tests.coverage.report", "needs ci.unit-tests.coverage.format")
    chart = app.package.chart
    if chart.path and any(f"package.chart.{other}" in origins for other in ("common", "version", "values")):
        yield _at(origins, "package.chart.path", "the app's own chart, and keys of a generated one: keep one of them")


def between(app: AppFile, platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong between the two files."""
    for name, environment in platform.environments.items():
        for index, test in enumerate(environment.tests):
            if test not in app.tests:
                known = nearest(test, app.tests) or f" (it has {', '.join(app.tests) or 'none'})"
                yield _at(origins, f"environments.{name}.tests[{index}]", f"cd.yaml has no test {test!r}{known}")


def _circle(name: str, environments: Mapping[str, Environment]) -> list[str]:
    path = [name]
    while (after := environments[path[-1]].after) in environments:
        path.append(after)
        if after == name:
            return path
        if after in path[:-1]:
            return []  # it leads into a circle that others are told of
    return []


def _placeholders(environment: Environment, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(environment.health_url) if name is not None}
    except ValueError:
        yield _at(origins, key, f"{environment.health_url!r} has a brace without its pair")
        return
    for name in sorted(found - _PLACEHOLDERS):
        yield _at(origins, key, f"unknown placeholder {{{name}}}{nearest(name, _PLACEHOLDERS)}")


def _times(freeze: Freeze, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    ends = []
    for name, text in (("from", freeze.start), ("to", freeze.end)):
        if (moment := moment_of(text)) is None:
            expected = "a time with a zone such as `2026-12-20T00:00:00Z`"
            yield _at(origins, f"{key}.{name}", f"expected {expected}, found {text[:60]!r}")
        else:
            ends.append(moment)
    if len(ends) == 2 and ends[0] >= ends[1]:
        yield _at(origins, f"{key}.to", "the freeze ends before it begins")


def moment_of(text: str) -> datetime | None:
    """Return an ISO 8601 time with a zone, or None. Python 3.10 knows no `Z`."""
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _at(origins: Mapping[str, Origin], key: str, text: str) -> Problem:
    place = key
    while place and place not in origins:
        place = place.rpartition(".")[0]
    origin = origins.get(place, Origin("built-in", "cd.yaml", 1))
    return Problem(origin.file, origin.line, origin.layer, f"{key}: {text}")
