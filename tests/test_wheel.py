"""The wheel works alone: built from a copy of the checkout and installed into an empty virtual environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build as a release is built: the source distribution first, and the wheel from that."""
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_symlink() or (ROOT / name).is_file():
            (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "source" / name, follow_symlinks=False)
    run(sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "source"))
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", str(folder / "venv"))
    run(str(folder / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel))
    return folder / "venv" / "bin" / "jenkins-cd"


def run(*argv: str, cwd: Path | None = None) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_the_product_and_nothing_of_its_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    wanted = (
        "jenkins_cd/toolchains/go.yaml",
        "jenkins_cd/toolchains/python.yaml",
        "jenkins_cd/charts/common-chart/Chart.yaml",
        "jenkins_cd/charts/common-chart/templates/_helpers.tpl",
        "jenkins_cd/report/templates/style.css",
        "jenkins_cd/py.typed",
    )
    assert [name for name in wanted if name not in names] == []
    assert [name for name in names if name.startswith(("tests/", "benchmarks/"))] == []


def test_the_schemas_come_with_it(installed: Path, tmp_path: Path) -> None:
    for file in ("app", "platform"):
        assert json.loads(run(str(installed), "schema", file, cwd=tmp_path))["type"] == "object"


def test_the_common_chart_comes_with_it(installed: Path, tmp_path: Path) -> None:
    chart = Path(run(str(installed), "common-chart", "path", cwd=tmp_path).strip())
    assert (chart / "values.yaml").is_file()
    assert str(ROOT) not in str(chart)


def test_an_app_goes_through_ci_with_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.org/hello\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text('package main\n\nfunc main() {\n\tprintln("hello")\n}\n')
    run(str(installed), "init", cwd=tmp_path)
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "--all", cwd=tmp_path)
    run("git", "commit", "--quiet", "-m", "Begin", cwd=tmp_path)
    run(str(installed), "ci", "build", "code-standard", cwd=tmp_path)
    assert (tmp_path / ".jenkins-cd" / "report" / "index.html").is_file()
    assert (tmp_path / ".jenkins-cd" / "report" / "style.css").is_file()
