"""A chart that brings a CustomResourceDefinition in `crds/`: Helm makes it once, and never changes or removes it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.errors import Refused
from jenkins_cd.tools import helm as charts
from jenkins_cd.tools import helm_release
from tests.cluster import pushed as room
from tests.cluster.pushed import APP, App
from tests.lab.lab import Lab


def definition(group: str, scope: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "description": scope}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"prices.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "prices", "singular": "price", "kind": "Price", "listKind": "PriceList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }


@pytest.fixture(params=["helm3", "helm4"])
def brings(request: pytest.FixtureRequest, lab: Lab, namespace: str, tmp_path: Path) -> Iterator[tuple[App, str]]:
    """An app whose versions 1.0.0 and 1.0.1 say different things of a kind of their own, and the name of that."""
    group, chart = f"g{secrets.token_hex(4)}.shop.example", tmp_path / "chart" / APP
    repository = f"oci://{lab.loopback_registry}/{room.REPOSITORY}-{secrets.token_hex(4)}"
    with room.helm_in_path(getattr(lab, request.param), tmp_path / "bin"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
        for folder in ("templates", "crds"):
            (chart / folder).mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {APP}\nversion: 0.0.0\n", encoding="utf-8")
        (chart / "values.yaml").write_text(room.VALUES, encoding="utf-8")
        (chart / "templates" / "app.yaml").write_text(room.TEMPLATE, encoding="utf-8")
        for version in ("1.0.0", "1.0.1"):
            (chart / "crds" / "price.yaml").write_text(json.dumps(definition(group, version)), encoding="utf-8")
            charts.push(charts.package(chart, tmp_path / "packages", version, version), repository, plain_http=True)
        try:
            yield room.prepared(lab, namespace, tmp_path, repository), f"prices.{group}"
        finally:
            lab.kubectl("delete", "crd", f"prices.{group}", "--ignore-not-found", "--wait=false", check=False)


def there(app: App, name: str) -> str:
    """Return the version whose definition the cluster has, or an empty text."""
    said = app.lab.kubectl("get", "crd", name, "--ignore-not-found", "-o", "json").stdout
    return json.loads(said)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] if said else ""


def test_it_is_refused_unless_kinds_of_the_whole_cluster_are_allowed(brings: tuple[App, str]) -> None:
    app, name = brings
    with pytest.raises(Refused) as caught:
        app.apply("1.0.0")
    assert f"CustomResourceDefinition/{name}" in caught.value.message
    assert there(app, name) == ""
    assert helm_release.status(app.place) is None


def test_the_first_installation_makes_it_and_nothing_changes_or_removes_it(brings: tuple[App, str]) -> None:
    app, name = brings
    app.rules(helm_allow=("cluster-scoped",), helm_service_account=None)
    crd = f"# crd: CustomResourceDefinition/{name}"
    assert f"{crd} is made unless it is there, and stays so\n" in app.plan("1.0.0").manifests
    assert app.deploy("1.0.0").reached
    assert there(app, name) == "1.0.0"
    assert f"{crd} stays as it is: crds/ is for the first installation\n" in app.plan("1.0.1").manifests
    assert app.deploy("1.0.1").reached
    assert there(app, name) == "1.0.0"
    assert app.deploy("1.0.0", verified="1.0.0").reached
    assert app.status.description == "Rollback to 1"
    helm_release.uninstall(app.place)
    assert there(app, name) == "1.0.0"
