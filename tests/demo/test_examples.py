"""The examples hold what they promise: they are what people copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.config.load import load
from jenkins_cd.demo import site
from jenkins_cd.demo.services import free_port
from jenkins_cd.findings import junit

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def storefront(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the app, built as version 1.2.3."""
    copy = tmp_path_factory.mktemp("app") / "storefront"
    shutil.copytree(EXAMPLES / "storefront", copy)
    build = load(copy, str(EXAMPLES / "platform.yaml")).app.ci.build.run
    assert build
    subprocess.run(["sh", "-c", build], cwd=copy, env={**os.environ, "JENKINS_CD_VERSION": "1.2.3"}, check=True)
    return copy


@pytest.fixture
def url(storefront: Path) -> Iterator[str]:
    port = str(free_port())
    with subprocess.Popen(["bin/storefront"], cwd=storefront, env={"HOST": "127.0.0.1", "PORT": port}) as running:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 10
        while not answers(address) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield address
        running.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1):
            return True
    except urllib.error.URLError:
        return False


def smoke(storefront: Path, url: str, version: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "APP_URL": url, "APP_VERSION": version, "ENVIRONMENT": "dev"}
    return subprocess.run(["./smoke.sh"], cwd=storefront, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("app", ["storefront", "greeter"])
def test_each_app_and_the_platform_file_are_valid_together(app: str) -> None:
    config = load(EXAMPLES / app, str(EXAMPLES / "platform.yaml"))
    assert config.app.app == app
    assert config.platform
    assert list(config.platform.environments) == ["dev", "test", "staging", "prod"]


def test_the_smoke_test_passes_for_the_version_that_was_built(storefront: Path, url: str) -> None:
    done = smoke(storefront, url, "1.2.3")
    assert done.returncode == 0, done.stdout
    report = junit.read([storefront / "reports/smoke.xml"])
    assert report.summary == "4 tests"


def test_the_smoke_test_fails_for_another_version_and_says_what_it_saw(storefront: Path, url: str) -> None:
    assert smoke(storefront, url, "9.9.9").returncode == 1
    report = junit.read([storefront / "reports/smoke.xml"])
    assert [case.name for case in report.failed] == ["the page shows the version"]
    assert "version 1.2.3" in report.failed[0].message


def test_the_smoke_test_fails_where_nothing_answers(storefront: Path) -> None:
    assert smoke(storefront, f"http://127.0.0.1:{free_port()}", "1.2.3").returncode == 1
    assert junit.read([storefront / "reports/smoke.xml"]).summary == "4 tests, 4 failed"


def test_the_bad_version_is_a_change_of_the_example_as_it_is(tmp_path: Path) -> None:
    copy = tmp_path / "storefront"
    shutil.copytree(site.APP, copy)
    subprocess.run(["git", "init", "--quiet", copy], check=True)
    subprocess.run(["git", "apply", "--check", site.BAD_VERSION], cwd=copy, check=True)


def test_the_python_app_passes_every_python_stage(tmp_path: Path) -> None:
    copy = tmp_path / "greeter"
    shutil.copytree(EXAMPLES / "greeter", copy, ignore=shutil.ignore_patterns(".jenkins-cd", "__pycache__"))
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "A greeter"]):
        subprocess.run(["git", *arguments], cwd=copy, check=True)
    stages = ["build", "unit-tests", "compiler-warnings", "dead-code", "code-standard"]
    command = [sys.executable, "-m", "jenkins_cd", "ci", "--platform", str(EXAMPLES / "platform.yaml"), *stages]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (copy / ".coverage").exists()
