from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import common_chart
from jenkins_cd.cli import run
from jenkins_cd.config.types import DeployRepository, PlatformFile
from jenkins_cd.config.types import Registry as RegistryConfig
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.tools import helm
from jenkins_cd.tools import registry as oci

IMAGE = {"repository": "registry.local/apps/web", "tag": "1.0.0"}
DIGEST = f"sha256:{'1a' * 32}"
Render = Callable[..., dict[str, Any]]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Render the common chart as the dependency of an app's chart; returns the objects by kind."""
    app = tmp_path / "web"
    (app / "charts").mkdir(parents=True)
    shutil.copytree(common_chart.FOLDER, app / "charts" / "common-chart")
    name, version = common_chart.identity()
    description = {"apiVersion": "v2", "name": "web", "version": "1.0.0"}
    (app / "Chart.yaml").write_text(
        yaml.safe_dump({**description, "dependencies": [{"name": name, "version": version}]})
    )

    def rendered(**values: Any) -> dict[str, Any]:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump({name: {"image": IMAGE, **values}}), encoding="utf-8")
        documents = yaml.safe_load_all(helm.template(app, "web", "dev", [file]))
        return {one["kind"]: one for one in documents if one}

    return rendered


def container(objects: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    return found


def test_it_passes_a_strict_lint() -> None:
    helm.lint(common_chart.FOLDER)


def test_an_app_is_a_deployment_a_service_and_an_account_of_its_name(render: Render) -> None:
    objects = render()
    assert set(objects) == {"Deployment", "Service", "ServiceAccount"}
    for one in objects.values():
        assert (one["metadata"]["name"], one["metadata"]["namespace"]) == ("web", "dev")
        assert one["metadata"]["labels"] == {
            "app.kubernetes.io/name": "web",
            "app.kubernetes.io/instance": "web",
            "app.kubernetes.io/version": "1.0.0",
            "app.kubernetes.io/managed-by": "Helm",
            "helm.sh/chart": "common-chart-1.0.1",
        }
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert objects["Service"]["spec"]["selector"].items() <= labels.items()
    assert objects["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_image_is_named_by_its_digest_where_there_is_one(render: Render) -> None:
    assert container(render())["image"] == "registry.local/apps/web:1.0.0"
    assert container(render(image={**IMAGE, "digest": DIGEST}))["image"] == f"registry.local/apps/web@{DIGEST}"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"image": {"tag": "1.0.0"}}, "image.repository is needed"),
        ({"image": {"repository": "registry.local/web"}}, "image.tag or image.digest is needed"),
        ({"image": {**IMAGE, "digest": "latest"}}, "/image/digest"),
        ({"replicas": 2}, "replicas"),
        ({"replicaCount": "two"}, "/replicaCount"),
        ({"ingress": {"path": "/"}}, "/ingress"),
        ({"env": [{"name": "A", "value": "x", "valueFrom": {}}]}, "/env/0"),
    ],
)
def test_values_that_are_missing_misspelt_or_of_the_wrong_kind_are_refused(
    render: Render, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadInput) as caught:
        render(**values)
    assert words in " ".join(caught.value.problems)


def test_pods_are_closed_by_default(render: Render) -> None:
    objects = render()
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(objects)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container(objects)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108


def test_the_probes_ask_the_health_path(render: Render) -> None:
    probed = container(render(health={"path": "/alive"}))
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert probed[probe]["httpGet"] == {"path": "/alive", "port": "http"}
    assert "livenessProbe" not in container(render(health={"enabled": False}))


def test_what_existing_deploy_repositories_say_is_understood(render: Render) -> None:
    objects = render(
        image={**IMAGE, "pullPolicy": "Always"},
        replicaCount=3,
        containerPort=9000,
        resources={"limits": {"cpu": 1, "memory": "128Mi"}},
        service={"type": "NodePort", "port": 8080},
        env=[{"name": "LOG_LEVEL", "value": "info"}, {"name": "GREETING", "value": 'héllo: "web"'}],
        ingress={
            "enabled": True,
            "annotations": {"kubernetes.io/ingress.class": "nginx", "kubernetes.io/tls-acme": "true"},
            "hosts": [],
            "paths": ["/web/dev(/|$)(.*)"],
        },
    )
    assert objects["Deployment"]["spec"]["replicas"] == 3
    assert container(objects)["imagePullPolicy"] == "Always"
    assert container(objects)["ports"][0]["containerPort"] == 9000
    assert container(objects)["env"] == [
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "GREETING", "value": 'héllo: "web"'},
    ]
    assert objects["Service"]["spec"]["type"] == "NodePort"
    (rule,) = objects["Ingress"]["spec"]["rules"]
    assert "host" not in rule
    assert rule["http"]["paths"][0]["path"] == "/web/dev(/|$)(.*)"


def test_each_host_gets_each_path(render: Render) -> None:
    ingress = render(ingress={"enabled": True, "hosts": ["a.local", "b.local"], "paths": ["/", "/x"]})["Ingress"]
    found = [(rule["host"], [one["path"] for one in rule["http"]["paths"]]) for rule in ingress["spec"]["rules"]]
    assert found == [("a.local", ["/", "/x"]), ("b.local", ["/", "/x"])]


def test_numbers_become_the_text_that_was_written(render: Render) -> None:
    objects = render(env=[{"name": "LIMIT", "value": 10000000}], config={"RATIO": 0.5, "ON": True})
    assert container(objects)["env"] == [{"name": "LIMIT", "value": "10000000"}]
    assert objects["ConfigMap"]["data"] == {"RATIO": "0.5", "ON": "true"}


def test_a_change_of_config_restarts_the_pods(render: Render) -> None:
    notes = [render(config={"A": a})["Deployment"]["spec"]["template"]["metadata"]["annotations"] for a in "xy"]
    assert notes[0] != notes[1]


def test_the_autoscaler_decides_on_the_number_of_pods(render: Render) -> None:
    objects = render(autoscaling={"enabled": True, "maxReplicas": 9})
    assert "replicas" not in objects["Deployment"]["spec"]
    assert objects["HorizontalPodAutoscaler"]["spec"]["maxReplicas"] == 9


def platform(host: str, path: str) -> PlatformFile:
    return PlatformFile(
        registry=RegistryConfig(images=f"{host}/apps", charts=f"oci://{host}/{path}", plain_http=True),
        deploy_repository=DeployRepository(url="/nowhere.git"),
        environments={},
    )


def test_it_is_published_once(registry: Registry) -> None:
    first = common_chart.publish(platform(registry.host, "published-once"))
    second = common_chart.publish(platform(registry.host, "published-once"))
    assert (first.published, second.published) == (True, False)
    assert second.digest == first.digest == oci.digest(f"{first.repository}/{first.name}", first.version, True)


def test_other_content_under_its_version_is_refused(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = platform(registry.host, "refused")
    common_chart.publish(there)
    changed = tmp_path / "common-chart"
    shutil.copytree(common_chart.FOLDER, changed)
    (changed / "values.yaml").write_text("replicaCount: 7\n", encoding="utf-8")
    monkeypatch.setattr(common_chart, "FOLDER", changed)
    with pytest.raises(Refused, match=r"has another 1\.0\.1 already"):
        common_chart.publish(there)


def test_its_folder_is_told_for_other_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["common-chart", "path"]) == 0
    assert (Path(capsys.readouterr().out.strip()) / "Chart.yaml").is_file()


def test_the_command_publishes_to_the_platforms_registry(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "platform.yaml"
    file.write_text(
        f'registry: {{images: "{registry.host}/a", charts: "oci://{registry.host}/by-command", plain_http: true}}\n'
        "deploy_repository: {url: /nowhere.git}\n"
        'environments: {dev: {model: flux, after: ci, health_url: "http://127.0.0.1:1"}}\n',
        encoding="utf-8",
    )
    assert run(["common-chart", "publish", "--platform", str(file)]) == 0
    assert "/by-command/common-chart 1.0.1 published (sha256:" in capsys.readouterr().out
    assert run(["common-chart", "publish", "--platform", str(file), "--json"]) == 0
    said = yaml.safe_load(capsys.readouterr().out)
    assert (said["schema"], said["published"]) == ("jenkins_cd/common-chart/v1", False)
