"""The Helm chart of a package: the app's own, or one that is nothing but values for a common chart.

Charts are https://helm.sh/docs/topics/charts/. A chart is made ready in a folder of ours; the checkout stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jenkins_cd import common_chart, files
from jenkins_cd.config.types import ChartConfig
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import image_names, layout
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Image
from jenkins_cd.stages import Build, chart_dependencies, values
from jenkins_cd.tools import helm
from jenkins_cd.tools.yaml_writer import dump


def prepare(build: Build, folder: Path, image: Image | None) -> Path:
    """Return a chart folder below `folder`, complete with its dependencies.

    Raises BadInput where the app's chart is missing or unfit, ExternalFailure where a dependency cannot be fetched.
    """
    config = build.config.app.package.chart
    chart = _own(build, config.path, folder) if config.path else _generated(build, config, folder, image)
    registry = build.config.platform.registry if build.config.platform else None
    chart_dependencies.complete(chart, bool(registry and registry.plain_http), build.committed)
    return chart


def name(chart: Path) -> str:
    """Return the chart's name. Raises BadInput where its Chart.yaml has none."""
    found = chart_dependencies.read(chart).get("name")
    if not isinstance(found, str) or not found:
        raise BadInput(f"{chart.name}/Chart.yaml has no name", "add `name:`")
    return found


def render(build: Build, package: Path, chart: str, folder: Path) -> list[str]:
    """Render a packaged chart with its own values, and with those of every environment that has some.

    Returns the environments that were rendered. Raises BadInput that names the environment and Helm's reason.
    """
    app, platform = build.config.app, build.config.platform
    helm.template(package, app.app, "default")
    if platform is None:
        return []
    if platform.deploy_repository is None:
        return values.render(build, package, chart, folder)
    repository = Repository.open(platform.deploy_repository.url)
    view = repository.view(repository.tip(platform.deploy_repository.branch))
    rendered = []
    for environment in platform.environments:
        place = layout.folder(environment, app.project, app.app)
        content = _environment_values(view, place, chart)
        if content is not None:
            file, shown = folder / layout.values_file(environment), f"{place}/values.yaml of the deploy repository"
            values.render_with(package, app.app, environment, content, file, shown)
            rendered.append(environment)
    return rendered


def _environment_values(view: View, place: str, chart: str) -> bytes | None:
    """Return the values that an environment sets for the chart, as YAML, or None where it has none yet."""
    names = f"{place}/Chart.yaml", f"{place}/values.yaml"
    files = view.read_all(names)
    if names[0] not in files:
        return None
    content = files.get(names[1], b"{}\n")
    for dependency in layout.depends_on(files[names[0]], place):
        if dependency.get("name") == chart:
            # The environment's chart wraps ours: our values stand one level deeper.
            inner = layout.values_of(content, names[1]).get(str(dependency.get("alias") or chart))
            return dump(inner or {}).encode()
    return content


def _own(build: Build, path: str, folder: Path) -> Path:
    source = (build.workspace / path).resolve()
    checkout = build.workspace.resolve()
    if not source.is_relative_to(checkout):
        raise BadInput(f"package.chart.path: {path} leads out of the checkout")
    if not (source / "Chart.yaml").is_file():
        raise BadInput(f"package.chart.path: there is no Chart.yaml in {path}", "name the folder that has it")
    return chart_dependencies.copy(source, checkout, folder / "chart")


def _generated(build: Build, config: ChartConfig, folder: Path, image: Image | None) -> Path:
    app, platform = build.config.app, build.config.platform
    shipped = common_chart.identity()
    wanted = config.common, config.version or shipped[1]
    chart = folder / app.app
    (chart / "templates").mkdir(parents=True)  # stays empty; without it helm lint --strict is not content
    dependency = {"name": wanted[0], "version": wanted[1]}
    if platform:
        dependency["repository"] = platform.registry.charts
    if wanted == shipped:  # no network is needed for what we carry
        (chart / "charts").mkdir()
        files.copy_tree(common_chart.FOLDER, chart / "charts" / shipped[0], common_chart.FOLDER)
    elif not platform:
        raise BadInput(
            f"package.chart: {wanted[0]} {wanted[1]} is in a chart registry, and no platform file names one",
            f"give a platform file, or use {shipped[0]} {shipped[1]}, which ships with jenkins-cd",
        )
    description = {"apiVersion": "v2", "name": app.app, "version": build.version, "appVersion": build.version}
    _write(chart / "Chart.yaml", {**description, "type": "application", "dependencies": [dependency]})
    _write(chart / "values.yaml", {wanted[0]: _values(build, config, image)})
    if platform and not platform.deploy_repository:
        values.add(build, chart, wanted[0])
    return chart


def _values(build: Build, config: ChartConfig, image: Image | None) -> dict[str, Any]:
    """Return the common chart's values: those of cd.yaml, with the image and the health path."""
    wanted = dict(config.values)
    if not image and not (wanted.get("image") or {}).get("repository"):
        raise BadInput(
            f"package.image.enabled is false, and the {config.common} deploys nothing without an image",
            "name one with package.chart.values.image, or bring a chart of your own with package.chart.path",
        )
    if image:
        there = wanted.get("image") or {}
        wanted["image"] = {**there, **image_names.keys(image.repository, there), "tag": build.version}
    if config.common == common_chart.identity()[0]:  # what another common chart calls it is not ours to know
        wanted["health"] = {"path": build.config.app.health.path, **(wanted.get("health") or {})}
    return wanted


def _write(file: Path, value: Mapping[str, Any]) -> None:
    file.write_text(dump(value), encoding="utf-8")
