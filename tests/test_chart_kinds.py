from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd import common_chart
from jenkins_cd.cluster import chart_kinds
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import helm
from jenkins_cd.tools.kubernetes_kinds import Resource
from tests.delivery.charts import make

CHART = "apiVersion: v2\nname: {}\nversion: 1.0.0\n"
OPTIONAL = "{{{{- if .Values.on }}}}\napiVersion: v1\nkind: {}\n{{{{ end }}}}\n"
TEMPLATE = """\
{{- if .Values.database }}
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: database}
---
{{- end }}
apiVersion: {{ print "batch/v1" }}
kind: {{ .Values.kind | default "CronJob" }}  # computed
metadata: {name: job}
spec:
  kind: NotAnObject
---
apiVersion: v1
kind: "Pod"
metadata:
  name: smoke
  annotations:
    "helm.sh/hook": test
---
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations:
    "helm.sh/hook": pre-upgrade
"""


def test_the_common_chart_makes_these_kinds() -> None:
    kinds = chart_kinds.named(common_chart.FOLDER)
    assert {kind for _, kind in kinds} == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Service",
        "ServiceAccount",
    }
    assert all(chart_kinds.resources(kinds).values())


@pytest.mark.parametrize("packed", [False, True])
def test_what_a_value_switches_on_and_hooks_count_what_helm_test_makes_does_not(tmp_path: Path, packed: bool) -> None:
    chart = make(tmp_path / "app", CHART.format("app"), TEMPLATE)
    place = helm.package(chart, tmp_path / "packages", "1.0.0") if packed else chart
    assert chart_kinds.of_chart(place) == {("apps/v1", "StatefulSet"), ("batch/v1", "CronJob"), ("batch/v1", "Job")}


def test_charts_within_a_chart_count_too_packed_or_not(tmp_path: Path) -> None:
    chart = make(tmp_path / "app", CHART.format("app"))
    for name, kind in (("one", "Secret"), ("two", "Service")):
        inner = make(
            tmp_path / name,
            CHART.format(name),
            OPTIONAL.format(kind),
        )
        (chart / "charts").mkdir(exist_ok=True)
        if name == "one":
            inner.rename(chart / "charts" / name)
        else:
            helm.package(inner, chart / "charts", "1.0.0")
    wanted = {("v1", "Secret"), ("v1", "Service")}
    assert chart_kinds.named(chart) == wanted
    assert chart_kinds.named(helm.package(chart, tmp_path / "packages", "1.0.0")) == wanted


def test_a_chart_that_does_not_render_by_itself_counts_by_what_its_templates_name(tmp_path: Path) -> None:
    told: list[str] = []
    template = 'apiVersion: v1\nkind: Service\nmetadata: {name: {{ required "a name is needed" .Values.name }}}\n'
    assert chart_kinds.of_chart(make(tmp_path / "app", CHART.format("app"), template), told.append) == {
        ("v1", "Service")
    }
    assert "does not render" in told[0]


def test_what_is_no_chart_is_told(tmp_path: Path) -> None:
    (tmp_path / "chart.tgz").write_bytes(b"what?")
    with pytest.raises(BadInput, match=r"chart\.tgz cannot be unpacked"):
        chart_kinds.of_chart(tmp_path / "chart.tgz")


def test_kinds_are_resources_guessed_only_where_they_are_not_every_clusters() -> None:
    guessed = ("monitoring.coreos.com/v1", "ServiceMonitor")
    assert chart_kinds.resources({("", "Deployment"), ("", "Event"), guessed}) == {
        ("", "Deployment"): Resource("apps", "deployments", namespaced=True),
        ("", "Event"): None,  # there are two kinds of that name
        guessed: Resource("monitoring.coreos.com", "servicemonitors", namespaced=True),
    }
