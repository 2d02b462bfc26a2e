"""The common chart that ships with jenkins_cd, and how it gets to a registry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jenkins_cd import pipelines
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.pipelines import PipelinePlan, Snapshot, Step
from jenkins_cd.tools import helm, leftovers, registry
from jenkins_cd.tools.kubernetes_yaml import load_all

FOLDER = Path(__file__).parent / "charts" / "common-chart"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What stands in the registry now."""

    name: str
    version: str
    repository: str  # oci://host/path, without the name
    digest: str
    content: str  # SHA-256 of the packaged file
    published: bool  # False: it was there already
    schema: Literal["jenkins_cd/common-chart/v1"] = "jenkins_cd/common-chart/v1"


def identity() -> tuple[str, str]:
    """Return name and version of the shipped chart."""
    [chart] = load_all((FOLDER / "Chart.yaml").read_text(encoding="utf-8"))
    return str(chart["name"]), str(chart["version"])


def advice(chart: Path) -> str:
    """Return how the common chart gets to the registry where a chart folder depends on it, else an empty string."""
    name, version = identity()
    wanted = [str(one.get("version") or "") for one in helm.dependencies(chart) if one.get("name") == name]
    if not wanted:
        return ""
    other = "" if wanted[0] == version else f" (this one has {version}, {wanted[0]} comes with another jenkins-cd)"
    return f"publish the {name}, once for each version: jenkins-cd common-chart publish{other}"


def steps(platform: PlatformFile, snapshot: Snapshot | None) -> PipelinePlan:
    """Return the steps of publishing it, for Jenkins: one."""
    given = pipelines.credentials(platform, ("registry",))
    step = Step(stage="Publish", arguments=("common-chart", "publish"), credentials=given)
    return PipelinePlan(title=" ".join(identity()), steps=(step,), platform=snapshot)


def publish(platform: PlatformFile) -> Publication:
    """Push the shipped chart to the platform's charts, unless it is there.

    Raises Refused where other content stands under its version, ExternalFailure where the registry fails.
    """
    name, version = identity()
    charts, plain_http = platform.registry.charts, platform.registry.plain_http
    with leftovers.folder("chart") as folder:
        file = helm.package(FOLDER, folder, version)
        content = sha256(file)
        present = _present(platform, content)
        digest = present or helm.push(file, charts, plain_http)
    if not present and not _present(platform, content):
        raise ExternalFailure(f"{charts}/{name} does not have {version}, which was just pushed", "run it again")
    return Publication(
        name=name, version=version, repository=charts, digest=digest, content=content, published=not present
    )


def sha256(file: Path) -> str:
    """Return `sha256:…` of a file."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def _present(platform: PlatformFile, content: str) -> str | None:
    """Return the manifest's digest where the registry has the chart, None where it has none of that version."""
    name, version = identity()
    repository, plain_http = f"{platform.registry.charts}/{name}", platform.registry.plain_http
    digest = registry.digest(repository, version, plain_http)
    if digest is None:
        return None
    there = registry.chart_content(repository, version, plain_http)
    if there != content:
        raise Refused(
            f"{repository} has another {version} already\npublished: {there or 'no chart'}\nnow: {content}",
            "a published version never changes: raise `version` in the chart's Chart.yaml",
        )
    return digest
