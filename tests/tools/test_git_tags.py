"""The nearest version tag is the one that `git describe` names where there are no other tags, however many are."""

from __future__ import annotations

import itertools
import random
import subprocess
from pathlib import Path

import pytest

from jenkins_cd import versions
from jenkins_cd.tools import git

NUMBERS = itertools.count()


def run(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    commit(folder)
    return folder


def commit(folder: Path) -> str:
    run(folder, "commit", "-q", "--allow-empty", "-m", f"commit {next(NUMBERS)}")  # else two may be the same
    return run(folder, "rev-parse", "HEAD")


def tag_many(folder: Path, names: list[str]) -> None:
    run(folder, "update-ref", "--stdin", stdin="".join(f"create refs/tags/{name} HEAD\n" for name in names))


def test_thousands_of_tags_that_are_no_versions_cost_no_command_each(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(app, "tag", "v0.9.0")
    commit(app)
    tag_many(app, [f"2026.{number}-nightly" for number in range(1500)] + [f"v1.0.{number}.7" for number in range(500)])
    commit(app)
    started: list[str] = []
    real = git.run

    def counted(arguments: list[str], **options: object) -> bytes:
        started.append(arguments[0])
        return real(arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(git, "run", counted)
    state = git.state(app)
    assert (state.last_tag, state.distance, state.tags) == ("v0.9.0", 2, ())
    assert len(started) < 15


def test_many_versions_are_found_too(app: Path) -> None:
    tag_many(app, [f"v1.{number}.0" for number in range(800)])
    commit(app)
    assert (git.state(app).last_tag, git.state(app).distance) == ("v1.799.0", 1)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("annotated", [False, True])
def test_it_does_not_matter_how_a_tag_is_kept(app: Path, packed: bool, annotated: bool) -> None:
    run(app, "tag", *(["-a", "-m", "x"] if annotated else []), "v1.2.3")
    commit(app)
    if packed:
        run(app, "pack-refs", "--all")
    state = git.state(app)
    assert (state.last_tag, state.distance) == ("v1.2.3", 1)
    run(app, "checkout", "-q", "v1.2.3")
    assert git.state(app).tags == ("v1.2.3",)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("inner", ["signed-by-hand", "v1.0.0"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_tag_of_a_tag_is_one_of_its_commit(app: Path, inner: str, depth: int, packed: bool) -> None:
    run(app, "tag", "-a", "-m", "x", inner)
    names = [inner, *(f"v1.2.{number}" for number in range(depth))]
    for below, name in itertools.pairwise(names):
        run(app, "tag", "-a", "-m", "x", name, below)
    if packed:
        run(app, "pack-refs", "--all")
    assert git.state(app).tags == tuple(sorted(names))
    assert (git.state(app).last_tag, git.state(app).distance) == (names[-1], 0)
    commit(app)
    assert git.state(app).tags == ()
    assert (git.state(app).last_tag, git.state(app).distance) == (names[-1], 1)


@pytest.mark.parametrize(
    "name",
    [
        "app/v1.2.3",
        "release/1.2.3",
        "v1.2",
        "1.2.3.4",
        "v1.2.3+build",
        "01.2.3",
        "2026-11-30",
        "nightly-1.2.3",
        "V1.2.3",
    ],
)
def test_a_tag_that_is_no_version_does_not_count(app: Path, name: str) -> None:
    run(app, "tag", name)
    commit(app)
    assert git.state(app).last_tag is None
    assert versions.derive(git.state(app)).startswith("0.0.0-dev.2.g")


def test_a_tag_of_another_branch_or_of_no_commit_does_not_count(app: Path) -> None:
    run(app, "tag", "v1.0.0")
    run(app, "switch", "-q", "-c", "other")
    commit(app)
    run(app, "tag", "v2.0.0")
    run(app, "switch", "-q", "main")
    commit(app)
    run(app, "tag", "v3.0.0", run(app, "rev-parse", "HEAD^{tree}"))
    assert (git.state(app).last_tag, git.state(app).distance) == ("v1.0.0", 1)


def test_a_work_tree_a_folder_below_and_a_borrowed_repository_have_the_same_tag(app: Path, tmp_path: Path) -> None:
    run(app, "tag", "v1.0.0")
    commit(app)
    run(app, "worktree", "add", "-q", "--detach", str(tmp_path / "tree with blank"))
    run(tmp_path, "clone", "-q", "--shared", str(app), "borrowed")
    (app / "below").mkdir()
    for folder in (app / "below", tmp_path / "tree with blank", tmp_path / "borrowed"):
        assert (git.state(folder).last_tag, git.state(folder).distance) == ("v1.0.0", 1)


def test_a_shallow_clone_has_the_tag_that_it_has(app: Path, tmp_path: Path) -> None:
    run(app, "tag", "v1.0.0")
    for _ in range(3):
        commit(app)
    run(tmp_path, "clone", "-q", "--depth=4", app.as_uri(), "deep")
    assert (git.state(tmp_path / "deep").last_tag, git.state(tmp_path / "deep").distance) == ("v1.0.0", 3)
    run(tmp_path, "clone", "-q", "--depth=2", app.as_uri(), "flat")
    assert git.state(tmp_path / "flat").last_tag is None


def test_settings_of_the_checkout_change_nothing(app: Path) -> None:
    for tag in ("v1.0.0", "latest", "stable"):
        run(app, "tag", tag)
    run(app, "config", "column.ui", "always")
    run(app, "config", "tag.sort", "-version:refname")
    assert set(git.state(app).tags) == {"v1.0.0", "latest", "stable"}
    assert versions.derive(git.state(app)) == "1.0.0"


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_git_describe_says_without_the_other_tags(app: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    others = []
    for number in range(14):
        if number and chance.random() < 0.4:
            run(app, "switch", "-q", "--detach", chance.choice([f"HEAD~{chance.randrange(number)}", "HEAD"]))
        commit(app)
        if chance.random() < 0.4:
            run(app, "tag", f"v1.{number}.0")
        if chance.random() < 0.5:
            others.append(f"{number}-nightly")
            run(app, "tag", others[-1])
        if chance.random() < 0.3:
            run(app, "merge", "-q", "--no-ff", "-m", "x", "main")
    state = git.state(app)
    for tag in others:
        run(app, "tag", "-d", tag)
    asked = subprocess.run(
        ["git", "describe", "--tags", "--long"], cwd=app, capture_output=True, text=True, check=False
    )
    if asked.returncode == 0:
        tag, distance, _ = asked.stdout.rsplit("-", 2)
        assert (state.last_tag, state.distance) == (tag, int(distance))
    else:
        assert state.last_tag is None
