from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.demo.services import Registry
from tests.gitops.remotes import bare
from tests.jenkins.controller.server import JenkinsDouble

BCRYPT = "$2b$05$abcdefghijklmnopqrstuuBO.kmgTJhdt40M5ZyHgFmcpBdUb9aS."  # of "right-password"


def doctor(folder: Path, **env: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "jenkins_cd", "doctor", "--json"],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.fixture
def app(tmp_path: Path, registry: Registry) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    bare(tmp_path / "deploy.git", {"README.md": b"x"})
    (folder / "cd.yaml").write_text("app: storefront\nproject: shop\ntoolchain: go\n")
    (folder / "platform.yaml").write_text(
        f"registry: {{images: {registry.host}/apps, charts: 'oci://{registry.host}/charts', plain_http: true}}\n"
        f"deploy_repository: {{url: {tmp_path}/deploy.git}}\n"
        "environments:\n  dev: {model: flux, after: ci, health_url: 'http://127.0.0.1:1'}\n"
    )
    return folder


def test_everything_that_is_needed_is_found_with_its_version(app: Path, registry: Registry) -> None:
    code, checks = doctor(app)
    assert code == 0, [check for check in checks.values() if not check["ok"]]
    assert {"git", "helm", "go", "staticcheck", "image builder", f"registry {registry.host}"} <= set(checks)
    assert checks["helm"]["found"].startswith("4.")
    assert checks["helm"]["wanted"] == "≥ 3.14"


def test_a_missing_tool_is_named_with_the_command_that_installs_it(app: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for tool in ("git", "sh"):
        (tmp_path / "bin" / tool).symlink_to(f"/usr/bin/{tool}")
    code, checks = doctor(app, PATH=str(tmp_path / "bin"))
    assert code == 2
    assert checks["git"]["ok"]
    assert (checks["helm"]["ok"], checks["helm"]["found"]) == (False, "missing")
    assert checks["helm"]["mend"].startswith("go install helm.sh/helm/")
    assert checks["staticcheck"]["mend"].startswith("go install ")


def test_a_tool_that_is_too_old_fails(app: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").write_text("#!/bin/sh\necho v2.17.0+gabc\n")
    (tmp_path / "bin" / "helm").chmod(0o755)
    code, checks = doctor(app, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert code == 2
    assert (checks["helm"]["ok"], checks["helm"]["found"]) == (False, "2.17.0")


def test_servers_that_are_away_are_named_and_nothing_is_a_traceback(app: Path, tmp_path: Path) -> None:
    text = (app / "platform.yaml").read_text().replace("deploy.git", "gone.git")
    (app / "platform.yaml").write_text(text.replace("plain_http: true", "plain_http: false"))
    code, checks = doctor(app)
    assert code == 2
    broken = [name for name, check in checks.items() if not check["ok"]]
    assert any(name.startswith("deploy repository") for name in broken)
    assert any(name.startswith("registry") for name in broken)


def test_without_a_deploy_repository_the_ledger_is_what_must_be_there(app: Path, tmp_path: Path) -> None:
    text = (app / "platform.yaml").read_text().replace("deploy_repository:", "ledger:").replace("flux", "helm")
    (app / "platform.yaml").write_text(text)
    code, checks = doctor(app)
    assert code == 0, [check for check in checks.values() if not check["ok"]]
    assert [name for name in checks if str(tmp_path) in name] == [f"ledger {tmp_path}/deploy.git"]


def test_credentials_that_do_not_work_are_told(app: Path, tmp_path: Path) -> None:
    (tmp_path / "htpasswd").write_text(f"ci:{BCRYPT}\n")
    running = Registry.start(tmp_path / "closed", tmp_path / "htpasswd")
    try:
        text = (app / "platform.yaml").read_text()
        images = text.split("images: ")[1].split("/")[0]
        (app / "platform.yaml").write_text(text.replace(images, running.host))
        wrong = {"JENKINS_CD_REGISTRY_USERNAME": "ci", "JENKINS_CD_REGISTRY_PASSWORD": "wrong-password"}
        code, checks = doctor(app, **wrong)
        check = checks[f"registry {running.host}"]
        assert (code, check["ok"]) == (2, False)
        assert "JENKINS_CD_REGISTRY_" in check["found"] + check["mend"]
        assert "wrong-password" not in json.dumps(checks)
        assert doctor(app, **{**wrong, "JENKINS_CD_REGISTRY_PASSWORD": "right-password"})[0] == 0
    finally:
        running.stop()


def test_with_a_token_jenkins_is_asked_whom_it_takes_us_for(app: Path) -> None:
    with JenkinsDouble.start() as double:
        double.add_user("robot", "right-token")
        with (app / "platform.yaml").open("a") as platform:
            platform.write(f"jenkins: {{url: '{double.url}'}}\n")
        name = f"jenkins {double.url}"
        assert name not in doctor(app)[1]
        code, checks = doctor(app, JENKINS_USER="robot", JENKINS_TOKEN="right-token")
        assert (code, checks[name]["ok"]) == (0, True)
        assert checks[name]["found"].endswith(", as robot")
        code, checks = doctor(app, JENKINS_USER="robot", JENKINS_TOKEN="wrong-token")
        assert (code, checks[name]["ok"]) == (2, False)
        assert f"{double.url}/user/robot/security" in checks[name]["mend"]


@pytest.mark.parametrize(
    ("password", "why"),
    [("package", "ordinary word"), ("storefront", "name of an app"), ("beef", "hexadecimal"), ("dev", "fewer than 4")],
)
def test_a_secret_that_cannot_be_masked_is_told_by_its_variable(app: Path, password: str, why: str) -> None:
    weak = {"JENKINS_CD_REGISTRY_USERNAME": "ci", "JENKINS_CD_REGISTRY_PASSWORD": password}
    code, checks = doctor(app, **weak)
    check = checks["JENKINS_CD_REGISTRY_PASSWORD"]
    assert (code, check["kind"], check["ok"]) == (2, "credential", False)
    assert why in check["found"]
    assert password not in check["found"] + check["mend"]
    done = subprocess.run(
        [sys.executable, "-m", "jenkins_cd", "validate"],
        cwd=app,
        env={**os.environ, **weak},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert f"jenkins-cd: JENKINS_CD_REGISTRY_PASSWORD cannot be masked: {check['found']}" in done.stderr
