"""Builds the Java side of the runner, and gets CodeNarc: `python -m tests.jenkins.build_tools`. Once for its sources.

What is built is kept in the cache, and linked into the virtual environment, where tests look for it: they have caches
of their own. Needs Maven, a JDK 17 or newer, and, the first time, a repository to get the libraries from.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jenkins_cd.tools import lock
from tests.jenkins.cps_process import ARCHIVE, PROGRAM, SOURCES, command, digest

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
REHEARSAL = """
@Library('any') _
def names = [a: 1].collect { key, value -> "${key}=${value}" }
try { stage('a') { parallel(a: { echo "${names} ${env.A}" }, failFast: true) } } catch (Exception e) { echo e.message }
"""


class BuildFailed(Exception):
    """Maven's last words."""


def build() -> Path:
    """Return the folder of the program, which is built where it is missing; whoever comes meanwhile waits.

    Raises BuildFailed.
    """
    if missing := [name for name in ("java", "mvn") if not shutil.which(name)]:
        raise BuildFailed(f"{' and '.join(missing)} missing: apt-get install -y default-jdk-headless maven")
    cache = lock.cache_folder() / "cps"
    finished = cache / digest()
    with lock.held(cache / ".lock", lambda holder: print(f"waiting for {holder}", file=sys.stderr)):  # noqa: T201
        if not finished.is_dir():
            aside = Path(tempfile.mkdtemp(prefix=".new-", dir=cache))
            try:
                _make(aside)
                (aside / "program").rename(finished)
            finally:
                shutil.rmtree(aside, ignore_errors=True)
        if not (finished / ARCHIVE).is_file():
            _archive(finished)
    return finished


def link(program: Path) -> None:
    """Let tests find the program: through the environment whose Python runs them."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    aside = PROGRAM.with_name(f".{PROGRAM.name}-{os.getpid()}")
    aside.symlink_to(program)
    aside.replace(PROGRAM)


def _make(aside: Path) -> None:
    shutil.copytree(SOURCES, aside / "cps", ignore=shutil.ignore_patterns("target"))
    program = aside / "program"
    _maven(aside / "cps", "package", f"{COPY}:copy-dependencies", f"-DoutputDirectory={program}")
    _maven(aside / "cps" / "lint", f"{COPY}:copy-dependencies", f"-DoutputDirectory={program / 'lint'}")
    shutil.copy(aside / "cps" / "target" / "cps.jar", program / "cps.jar")


def _maven(folder: Path, *arguments: str) -> None:
    """Run Maven, first with what is on this machine."""
    for more in (["--offline"], []):
        command = ["mvn", "--batch-mode", "--quiet", *more, *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    raise BuildFailed(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")


def _archive(program: Path) -> None:
    """Keep the classes that every run loads in an archive: a run starts in half the time."""
    aside = program / f".{ARCHIVE}"
    start = {"script": REHEARSAL, "library": None, "values": [], "objects": ["env"]}
    answers = [
        {"call": 1, "run": 1, "strand": 1},
        {"call": 2, "run": 1, "strand": 2},
        {"answer": "a"},
        {"call": 3, "value": None},
        {"call": 2, "value": None},
        {"call": 1, "error": {"type": "hudson.AbortException", "message": "a"}},
        {"call": 4, "value": None},
    ]
    lines = "".join(json.dumps(each) + "\n" for each in [start, *answers])
    done = subprocess.run(
        command(program, f"-XX:ArchiveClassesAtExit={aside}"), input=lines, capture_output=True, text=True, check=False
    )
    if done.returncode or not aside.is_file():
        raise BuildFailed(f"the program does not run:\n{done.stdout}{done.stderr}")
    aside.rename(program / ARCHIVE)


def ready() -> bool:
    """Tell whether the program of these very sources is built and linked."""
    return PROGRAM.resolve() == lock.cache_folder() / "cps" / digest() and (PROGRAM / ARCHIVE).is_file()


def main(arguments: Sequence[str]) -> int:
    """Build and link; with --check only tell whether that is done. Exit code 1 with Maven's last words if it fails."""
    try:
        if "--check" in arguments:
            return 0 if ready() else 1
        link(build())
    except (BuildFailed, OSError) as error:
        print(f"tests.jenkins.build_tools: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
