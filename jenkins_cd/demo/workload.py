"""Read what the deploy repository wants to run: the container of the Deployment that an app's chart renders."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import helm
from jenkins_cd.tools.kubernetes_yaml import load_all

_IMAGE = re.compile(r"(?P<repository>[^@]+?)(:(?P<tag>[^/:@]+))?(@(?P<digest>sha256:[0-9a-f]{64}))?")


@dataclass(frozen=True)
class Workload:
    """A container as a Deployment declares it. `command` and `arguments` replace the image's where given."""

    repository: str
    tag: str
    digest: str
    command: tuple[str, ...]
    arguments: tuple[str, ...]
    env: tuple[tuple[str, str], ...]

    @property
    def image(self) -> str:
        """Return the image in short, for the log."""
        name = self.repository.rpartition("/")[2]
        return f"{name}:{self.tag or self.digest[7:19]}"


def render(files: Mapping[str, bytes], app: str, namespace: str, plain_http: bool) -> Workload | None:
    """Return what the chart in `files` (content by path, relative to the chart) runs, None where it has no Deployment.

    Raises BadInput where Helm cannot render it, ExternalFailure where a dependency cannot be had.
    """
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-agent-") as folder:
        chart = Path(folder) / app
        for name, content in files.items():
            file = chart / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        helm.dependency_build(chart, plain_http)
        return _first(helm.template(chart, app, namespace))


def _first(manifests: str) -> Workload | None:
    for manifest in load_all(manifests):
        if isinstance(manifest, dict) and manifest.get("kind") == "Deployment":
            return _workload(manifest["spec"]["template"]["spec"]["containers"][0])
    return None


def _workload(container: Mapping[str, Any]) -> Workload:
    image = _IMAGE.fullmatch(container["image"])
    if image is None:
        raise BadInput(f"{container['image']} is no image")
    env = ((one["name"], str(one["value"])) for one in container.get("env") or () if "value" in one)
    return Workload(
        repository=image["repository"],
        tag=image["tag"] or "",
        digest=image["digest"] or "",
        command=tuple(container.get("command") or ()),
        arguments=tuple(container.get("args") or ()),
        env=tuple(env),
    )
