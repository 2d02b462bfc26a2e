"""The demo's whole story on the lab, as `make demo LAB=1` and `make demo LAB=argocd` tell it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.user import eventually

ROOT = Path(__file__).parents[2]
TOLD = (
    "deployment of storefront 1.0.0 to dev: verified",
    "deployment of storefront 1.0.0 to test: verified",
    "deployment of storefront 1.0.0 to staging: verified",
    "deployment of storefront 1.1.0 to dev: failed",
    "rollback of storefront 1.0.0 to dev: verified",
    "1.1.0 may not go to staging: it is not verified in test",
    "staging: 1 app: 1 as deployed",
    "All of it went as it should",
)
CAUSE = "Startup probe failed: HTTP probe failed with statuscode: 500"
SCREEN = 24  # lines


@contextlib.contextmanager
def playing(model: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the demo in a folder, with a folder of its own for temporary files; it tells its story to `out`."""
    (folder / "tmp").mkdir()
    with (folder / "out").open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.lab", "demo", model],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), "COLUMNS": "80"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield running
    finally:
        running.terminate()
        running.wait(60)


def told_in(folder: Path) -> str:
    """Return what a demo has told so far."""
    return (folder / "out").read_text(encoding="utf-8", errors="replace")


def left(lab: Lab, folder: Path) -> list[str]:
    """Return what there is of a demo in the cluster, but for what is on its way out, and its temporary files."""
    run = re.search(r"\b(d[0-9a-f]{6})/apps", told_in(folder))
    assert run, told_in(folder)
    kinds = "namespaces,secrets,applications.argoproj.io,appprojects.argoproj.io"
    columns = "custom-columns=:kind,:metadata.name,:metadata.deletionTimestamp"
    listed = lab.kubectl("get", kinds, "--all-namespaces", "--no-headers", "--output", columns).stdout
    there = [line for line in listed.splitlines() if run[1] in line and line.rstrip().endswith("<none>")]
    return [*there, *(str(one) for one in (folder / "tmp").rglob("*") if one.is_file())]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("model", ["helm", "argocd"])
def test_the_story_goes_well_and_leaves_only_its_reports(lab: Lab, quiet: None, model: str, tmp_path: Path) -> None:
    if lab.argocd is None:
        pytest.skip("the demo plays on the lab's own cluster")
    with playing(model, tmp_path) as running:
        code = running.wait(600)
    told = told_in(tmp_path)
    assert code == 0, told
    for line in TOLD:
        assert line in told, told
    failure = told[told.index("deployment of storefront 1.1.0 to dev: failed") :].splitlines()
    assert CAUSE in "\n".join(failure[:SCREEN]), told
    assert sorted(path.name for path in (tmp_path / ".jenkins-cd/demo").iterdir()) == ["1.0.0", "1.1.0"]
    assert lab.argocd.password not in told
    assert not left(lab, tmp_path)
    if model == "argocd":
        assert "no app of it is released yet: run this again" in told
        assert "the token of jenkins-shop-1 is revoked" in told


@pytest.mark.timeout(300)
def test_a_story_that_is_ended_half_way_leaves_nothing(lab: Lab, quiet: None, tmp_path: Path) -> None:
    if lab.argocd is None:
        pytest.skip("the demo plays on the lab's own cluster")
    with playing("argocd", tmp_path) as running:
        eventually(lambda: "to dev: verified" in told_in(tmp_path) or running.poll() is not None, 200)
    assert running.returncode == 130, told_in(tmp_path)
    assert not left(lab, tmp_path)
