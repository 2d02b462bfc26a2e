from __future__ import annotations

import pytest

from jenkins_cd.demo.workload import Workload, render
from jenkins_cd.errors import BadInput

CHART = b"apiVersion: v2\nname: shop\nversion: 1.0.0\n"
DIGEST = "sha256:" + "a" * 64
DEPLOYMENT = """\
apiVersion: v1
kind: Service
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  template:
    spec:
      containers:
        - name: app
          image: "{{ .Values.image }}"
          args: [--in, {{ .Release.Namespace }}]
          env:
            - {name: COLOUR, value: "{{ .Values.colour }}"}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: shop, key: password}}}
"""


def chart(image: str) -> dict[str, bytes]:
    return {
        "Chart.yaml": CHART,
        "values.yaml": f"image: {image}\ncolour: blue\n".encode(),
        "templates/all.yaml": DEPLOYMENT.encode(),
    }


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest"),
    [
        ("127.0.0.1:5000/apps/shop:1.2.3", "127.0.0.1:5000/apps/shop", "1.2.3", ""),
        (f"127.0.0.1:5000/apps/shop@{DIGEST}", "127.0.0.1:5000/apps/shop", "", DIGEST),
        (f"registry.local/shop:1.2.3@{DIGEST}", "registry.local/shop", "1.2.3", DIGEST),
    ],
)
def test_the_container_of_the_deployment_is_what_runs(image: str, repository: str, tag: str, digest: str) -> None:
    assert render(chart(image), "shop", "market", plain_http=True) == Workload(
        repository=repository,
        tag=tag,
        digest=digest,
        command=(),
        arguments=("--in", "market"),
        env=(("COLOUR", "blue"),),
    )


def test_a_chart_without_a_deployment_runs_nothing() -> None:
    assert render({"Chart.yaml": CHART}, "shop", "market", plain_http=True) is None


def test_a_chart_that_does_not_render_is_refused() -> None:
    broken = {"Chart.yaml": CHART, "templates/all.yaml": b"{{ required `colour is needed` .Values.colour }}"}
    with pytest.raises(BadInput, match="does not render"):
        render(broken, "shop", "market", plain_http=True)
