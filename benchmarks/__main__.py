"""`python -m benchmarks`: measure, and print a table (`--json`: a document). A slow machine is no failure."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks import argocd, commit, findings, many, push, stage, start, table, whole
from benchmarks.installed import Installed, install
from benchmarks.measure import Aim, Benchmark, Document, Machine, Round, figures, repeat
from jenkins_cd.results import to_json


class Subject(Protocol):
    """A module that measures one thing."""

    TITLE: str
    NOTE: str
    AGAINST: tuple[str, ...]
    AIMS: Mapping[str, Aim]

    def prepare(self, folder: Path, installed: Installed, /) -> Callable[[], Round]:
        """Make what is needed in `folder`, and return the function that does one round."""


class Times(NamedTuple):
    """How often to measure."""

    runs: int
    warm_up: int


SUBJECTS: Mapping[str, tuple[Subject, Times]] = {
    "start": (start, Times(20, 3)),
    "stage": (stage, Times(10, 2)),
    "ci": (whole, Times(5, 1)),
    "commit": (commit, Times(10, 1)),
    "findings": (findings, Times(5, 1)),
    "push": (push, Times(3, 1)),
    "argocd": (argocd, Times(5, 1)),
    "argocd-many": (many, Times(1, 0)),
}


ASKED_FOR = {"push", "argocd", "argocd-many"}  # only by name: they need a lab


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that were asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(SUBJECTS)}; all where left out")
    parser.add_argument("--runs", type=int, help="how often, instead of each benchmark's own number")
    parser.add_argument("--json", action="store_true", help="print a document (jenkins_cd/benchmarks/v1)")
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - SUBJECTS.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-benchmarks-") as name:
        _run(
            given.names or [name for name in SUBJECTS if name not in ASKED_FOR],
            given.runs,
            Path(name),
            as_json=given.json,
        )


def _run(names: Sequence[str], runs: int | None, folder: Path, *, as_json: bool) -> None:
    _surroundings(folder)
    here = _machine()
    if not as_json:
        print(table.machine(here))
    installed = install(folder / "installed")
    measured = []
    for name in names:
        measured.append(_measure(name, runs, folder / name, installed))
        if not as_json:
            print("\n" + table.table(measured[-1]), flush=True)
    if as_json:
        print(to_json(Document(machine=here, benchmarks=tuple(measured))))


def _measure(name: str, runs: int | None, folder: Path, installed: Installed) -> Benchmark:
    subject, times = SUBJECTS[name]
    times = times._replace(runs=runs or times.runs)
    folder.mkdir()
    once = subject.prepare(folder, installed)
    before = os.getloadavg()[0]
    rounds = repeat(once, *times)
    return Benchmark(
        name=name,
        title=subject.TITLE,
        note=subject.NOTE,
        runs=times.runs,
        warm_up=times.warm_up,
        figures=figures(rounds, subject.AGAINST, subject.AIMS, getattr(subject, "UNITS", {})),
        load=(before, os.getloadavg()[0]),
    )


def _surroundings(folder: Path) -> None:
    """Take away what this machine's user has set: Python's and Git's settings, caches, and our own."""
    for name in [name for name in os.environ if name.startswith(("PYTHON", "GIT_", "JENKINS_CD_"))]:
        del os.environ[name]
    who = {f"GIT_{role}_{what}": "benchmarks" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ.update(who, PATH=path, XDG_CACHE_HOME=str(folder / "cache"), GIT_CONFIG_GLOBAL=os.devnull)


def _machine() -> Machine:
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        helm=_version("helm", "version", "--template={{.Version}}"),
        git=_version("git", "version").removeprefix("git version "),
    )


def _version(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except FileNotFoundError:
        raise SystemExit(f"benchmarks: {argv[0]} is missing; run scripts/bootstrap") from None


if __name__ == "__main__":
    main()
