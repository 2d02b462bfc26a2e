"""The shared library's files beside the bootstrap script, and the copy of it that a shop commits."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import __version__

ROOT = Path(__file__).parent.parent
RESOURCES = ROOT / "resources/jenkins_cd"
DOCKERFILE = (RESOURCES / "agent/Dockerfile").read_text(encoding="utf-8")
BOOTSTRAP = (ROOT / "scripts/bootstrap").read_text(encoding="utf-8")


def parsed(name: str) -> Any:
    return yaml.safe_load((RESOURCES / name).read_text(encoding="utf-8"))


def walk(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """Return every key with its plain value."""
    if isinstance(value, dict):
        return [pair for name, one in value.items() for pair in walk(one, name)]
    return [pair for one in value for pair in walk(one, key)] if isinstance(value, list) else [(key, value)]


def test_the_image_has_the_go_tools_of_the_checkout() -> None:
    wanted = re.findall(r'^ {4}"\S+ (v\S+) (\S+)"$', BOOTSTRAP, re.M)
    assert len(wanted) == 4
    assert sorted(re.findall(r" (\S+)@(v\S+)", DOCKERFILE)) == sorted((package, version) for version, package in wanted)
    flags = re.findall(r'HELM_LDFLAGS="(.*)"', BOOTSTRAP)[0]
    versions = {package: version for version, package in wanted}
    assert f'-ldflags "{flags}{versions["helm.sh/helm/v4/cmd/helm"]}"' in DOCKERFILE


def test_the_image_has_the_packages_of_the_checkout_but_for_the_registry_of_the_demo() -> None:
    listed = re.findall(r"^PROGRAMS=\((.*)\)$", BOOTSTRAP, re.M)[0].split()
    wanted = {entry.partition(":")[2] for entry in listed} - {"docker-registry"}
    installed = re.findall(r"apt-get install \S+ \S+ (.*) \\$", DOCKERFILE, re.M)[0].split()
    assert wanted | {"python3", "python3-venv"} <= set(installed)


def test_image_and_pod_are_of_this_version() -> None:
    assert f"\nARG VERSION={__version__}\n" in DOCKERFILE
    assert parsed("pod.yaml")["spec"]["containers"][0]["image"].endswith(f"jenkins-cd-agent:{__version__}")
    assert f"jenkins-cd-agent:{__version__}" in (RESOURCES / "casc.yaml").read_text(encoding="utf-8")


def test_nothing_in_the_image_or_the_pod_runs_as_root() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.M)[-1] == "1000:1000"
    spec = parsed("pod.yaml")["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 1000
    assert spec["automountServiceAccountToken"] is False
    assert "privileged" not in dict(walk(spec))


def test_the_pod_is_one_for_the_kubernetes_plugin() -> None:
    pod = parsed("pod.yaml")
    assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
    (container,) = pod["spec"]["containers"]
    assert container["name"] == "jnlp"
    assert set(container["resources"]) == {"requests", "limits"}
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["spec"]["volumes"]}


def test_the_configuration_registers_the_library_under_its_default_name() -> None:
    (library,) = parsed("casc.yaml")["unclassified"]["globalLibraries"]["libraries"]
    assert library["name"] == "jenkins-cd"
    assert library["implicit"] is False
    assert library["defaultVersion"]
    assert set(library["retriever"]["modernSCM"]["scm"]["git"]) == {"remote", "credentialsId"}


def test_the_configuration_names_the_platform_file_and_credentials_that_it_defines() -> None:
    casc = parsed("casc.yaml")
    (node,) = casc["jenkins"]["globalNodeProperties"]
    variables = {one["key"]: one["value"] for one in node["envVars"]["env"]}
    (domain,) = casc["credentials"]["system"]["domainCredentials"]
    defined = {one["usernamePassword"]["id"] for one in domain["credentials"]}
    assert defined == {"registry", "deploy-repository"}
    assert re.fullmatch(r"git\+https://\S+@main:platform\.yaml", variables["JENKINS_CD_PLATFORM"])
    assert variables["JENKINS_CD_PLATFORM_CREDENTIALS"] in defined
    assert {value for key, value in walk(casc) if key == "credentialsId"} <= defined


def test_no_secret_stands_in_the_configuration() -> None:
    secrets = [value for key, value in walk(parsed("casc.yaml")) if key in ("username", "password")]
    assert len(secrets) == 4
    assert [value for value in secrets if not re.fullmatch(r"\$\{[A-Z_]+\}", value)] == []


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "shop library"
    write(folder)
    return folder


def write(folder: Path) -> None:
    done = subprocess.run([ROOT / "scripts/library", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def content(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_shops_library_has_everything_with_the_wheel(library: Path) -> None:
    own = {str(one.relative_to(ROOT)) for name in ("vars", "resources") for one in (ROOT / name).rglob("*.*")}
    assert set(content(library)) >= {*own, "LICENSE", "resources/jenkins_cd/jenkins_cd.whl"}
    names = zipfile.ZipFile(library / "resources/jenkins_cd/jenkins_cd.whl").namelist()
    assert "jenkins_cd/cli/__init__.py" in names
    assert "jenkins_cd/charts/common-chart/Chart.yaml" in names
    assert f"jenkins_cd-{__version__}.dist-info/METADATA" in names


def test_writing_it_again_changes_nothing_and_leaves_what_is_the_shops(library: Path) -> None:
    before = content(library)
    (library / "vars/ours.groovy").write_text("// ours\n", encoding="utf-8")
    (library / "resources/jenkins_cd/of_an_older_version").write_text("", encoding="utf-8")
    write(library)
    assert content(library) == {**before, "vars/ours.groovy": b"// ours\n"}


def test_its_script_knows_its_wheel(library: Path) -> None:
    script = (library / "resources/jenkins_cd/bootstrap.sh").read_text(encoding="ascii")
    assert re.search(r"^wheel=[0-9a-f]{12}$", script, re.M)
    assert (library / "resources/jenkins_cd/bootstrap.sh").stat().st_mode & 0o111
    original = (RESOURCES / "bootstrap.sh").read_text(encoding="ascii")
    assert re.sub(r"^wheel=.*$", "wheel=", script, flags=re.M) == original


def test_the_project_of_an_app_builds_its_tags_and_fetches_them() -> None:
    """Jenkins does neither by itself; the names are symbols of its plugins Git and Basic Branch Build Strategies."""
    text = (ROOT / "resources/jenkins_cd/multibranch.groovy").read_text(encoding="utf-8")
    for wanted in ("gitTagDiscovery()", "gitBranchDiscovery()", "noTags(false)", "shallow(false)"):
        assert wanted in text
    assert {"buildTags {", "buildRegularBranches()"} <= {line.strip() for line in text.splitlines()}
    page = (ROOT / "docs/jenkins.md").read_text(encoding="utf-8")
    assert "resources/jenkins_cd/multibranch.groovy" in page
