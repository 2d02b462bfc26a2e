"""Charts in a real registry: a common chart, and an app's that depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jenkins_cd.demo.services import Registry
from jenkins_cd.tools import helm

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
data: {{ if kindIs "slice" .Values.replicas }}{{ fail "replicas must be a number" }}{{ end }}
  image: {{ required "an image tag is needed" .Values.image.tag | quote }}
  replicas: {{ .Values.replicas | default 1 | quote }}
"""


def publish(registry: Registry, name: str, folder: Path, versions: Sequence[str]) -> str:
    """Publish a common chart, and versions of storefront's chart that depends on it; returns their repository."""
    repository = f"oci://{registry.host}/{name}"
    common = make(folder / "common-chart", "apiVersion: v2\nname: common-chart\nversion: 1.0.1\n", TEMPLATE)
    helm.push(helm.package(common, folder, "1.0.1", "1.0.1"), repository, plain_http=True)
    generated = "apiVersion: v2\nname: storefront\nversion: 0.0.0\ndependencies:\n"
    generated += f"- {{name: common-chart, version: 1.0.1, repository: {repository}}}\n"
    app = make(folder / "storefront", generated)
    helm.dependency_build(app, plain_http=True)
    for version in versions:
        helm.push(helm.package(app, folder, version, version), repository, plain_http=True)
    return repository


def make(folder: Path, chart: str, template: str = "") -> Path:
    """Write a chart with one template, or none."""
    folder.mkdir()
    (folder / "Chart.yaml").write_text(chart)
    if template:
        (folder / "templates").mkdir()
        (folder / "templates" / "app.yaml").write_text(template)
    return folder
