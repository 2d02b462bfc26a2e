"""One commit to a deploy repository, against a clone, an edit and a push."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round, timed
from jenkins_cd.gitops.repository import Repository

TITLE = "one commit to a deploy repository"
APPS, ENVIRONMENTS = 1000, ("dev", "test", "production")
NOTE = f"{APPS * len(ENVIRONMENTS)} files, in this process; file:// on this machine: no network, no server"
BY_HAND = "git clone --depth 1, edit, commit, push"
AGAINST: tuple[str, ...] = (BY_HAND,)
AIMS: Mapping[str, Aim] = {}
CHANGED = "apps/app-0500/test/values.yaml"


def prepare(folder: Path, _installed: Installed) -> partial[Round]:
    """Make the repository and return a round."""
    work, bare = folder / "work", folder / "deploy.git"
    timed(("git", "init", "--quiet", "--initial-branch=main", work), folder)
    for number, environment in itertools.product(range(APPS), ENVIRONMENTS):
        file = work / f"apps/app-{number:04}/{environment}/values.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f"app: app-{number:04}\nenvironment: {environment}\nimage:\n  tag: 1.0.0\n")
    timed(("git", "add", "."), work)
    timed(("git", "commit", "--quiet", "--message", "What runs where"), work)
    timed(("git", "clone", "--quiet", "--bare", work, bare), folder)
    return partial(_once, folder, bare.as_uri(), itertools.count(start=1))


def _once(folder: Path, url: str, versions: Iterator[int]) -> Round:
    repository = Repository.open(url)
    by_hand = _by_hand(folder / "clone", url, next(versions))
    warm = _ours(repository, next(versions))
    shutil.rmtree(repository.folder)
    return {
        BY_HAND: by_hand,
        "jenkins-cd": warm,
        "jenkins-cd, the first on a machine": _ours(repository, next(versions)),
    }


def _ours(repository: Repository, version: int) -> float:
    start = time.perf_counter()
    repository.commit("main", f"app-0500: 1.0.{version}", lambda _view: {CHANGED: _content(version)})
    return time.perf_counter() - start


def _by_hand(clone: Path, url: str, version: int) -> float:
    start = time.perf_counter()
    timed(("git", "clone", "--quiet", "--depth=1", url, clone), clone.parent)
    (clone / CHANGED).write_bytes(_content(version))
    timed(("git", "commit", "--quiet", "--all", "--message", f"app-0500: 1.0.{version}"), clone)
    timed(("git", "push", "--quiet"), clone)
    seconds = time.perf_counter() - start
    shutil.rmtree(clone)
    return seconds


def _content(version: int) -> bytes:
    return f"app: app-0500\nenvironment: test\nimage:\n  tag: 1.0.{version}\n".encode()
