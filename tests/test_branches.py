from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from jenkins_cd import branches
from jenkins_cd.config.types import Releases
from jenkins_cd.model import GitState

RULES = Releases()  # main and master, every version tag
NARROW = Releases(branches=("release/*",), tags=("v1.*",))


def state(branch: str | None = "main", *tags: str) -> GitState:
    return GitState(
        commit="1a" * 20,
        committed=datetime(2026, 1, 2, tzinfo=timezone.utc),
        dirty=False,
        branch=branch,
        tags=tags,
        last_tag=None,
        distance=1,
        shallow=False,
        source="https://git.local/app.git",
    )


@pytest.mark.parametrize("branch", ["main", "master"])
def test_a_commit_of_the_main_branch_is_released(branch: str) -> None:
    assert branches.unreleased(RULES, state(branch), {}) == ""


@pytest.mark.parametrize("branch", ["feature/x", "main2", "Main", "mainline", "feature/main", "refs/heads/main"])
def test_a_commit_of_another_branch_is_not_and_is_told_which_are(branch: str) -> None:
    reason = branches.unreleased(RULES, state(branch), {})
    assert reason == f"{branch} is no branch that is released (releases.branches: main, master)"


@pytest.mark.parametrize(
    ("branch", "released"), [("release/1.x", True), ("release/1/x", True), ("release", False), ("main", False)]
)
def test_branches_are_patterns(branch: str, released: bool) -> None:
    assert (branches.unreleased(NARROW, state(branch), {}) == "") is released


def test_no_branches_at_all_is_said() -> None:
    reason = branches.unreleased(Releases(branches=(), tags=()), state("main", "v1.0.0"), {})
    assert reason == "main is no branch that is released (releases.branches: none)"


@pytest.mark.parametrize("tag", ["v1.2.3", "1.2.3", "v1.2.3-rc.1"])
def test_a_version_tag_is_released_from_any_branch_and_from_none(tag: str) -> None:
    assert branches.unreleased(RULES, state("feature/x", "nightly", tag), {}) == ""
    assert branches.unreleased(RULES, state(None, tag), {}) == ""


@pytest.mark.parametrize("tag", ["nightly", "v1.2", "v01.2.3", "1.2.3+build", "release-1.2.3"])
def test_a_tag_that_names_no_version_makes_no_release(tag: str) -> None:
    assert branches.unreleased(RULES, state(None, tag), {}) != ""
    assert branches.unreleased(RULES, state(None), {"TAG_NAME": tag}) != ""


def test_version_tags_are_patterns_too() -> None:
    assert branches.unreleased(NARROW, state("x", "v1.2.3"), {}) == ""
    assert branches.unreleased(NARROW, state("x", "v2.0.0"), {}) != ""
    assert branches.unreleased(NARROW, state("x", "1.2.3"), {}) != ""


@pytest.mark.parametrize("checkout", [state("main"), state(None, "v1.0.0"), state("main", "v1.0.0")])
def test_a_pull_request_is_never_released(checkout: GitState) -> None:
    environment = {"CHANGE_ID": "17", "BRANCH_NAME": "PR-17", "CHANGE_BRANCH": "main", "TAG_NAME": "v1.0.0"}
    assert branches.unreleased(RULES, checkout, environment) == "pull request 17 is checked, not released"
    assert branches.unreleased(RULES, checkout, {**environment, "BRANCH_NAME": "main"}).startswith("pull request")


def test_a_detached_head_without_a_tag_is_not_released() -> None:
    reason = branches.unreleased(RULES, state(None), {})
    assert reason == "no branch is checked out, and the commit has no version tag that releases.tags allows"


def test_jenkins_says_which_branch_a_detached_head_is_of() -> None:
    assert branches.unreleased(RULES, state(None), {"BRANCH_NAME": "main"}) == ""
    assert branches.unreleased(RULES, state(None), {"GIT_BRANCH": "origin/main"}) == ""
    assert branches.unreleased(RULES, state(None), {"BRANCH_NAME": "feature/x"}) != ""
    assert branches.unreleased(RULES, state(None), {"GIT_BRANCH": "origin/feature/main"}) != ""
    assert branches.unreleased(RULES, state(None), {"GIT_BRANCH": "detached"}) != ""


def test_what_jenkins_says_wins_over_the_checkout() -> None:
    assert branches.unreleased(RULES, state("main"), {"BRANCH_NAME": "feature/x"}) != ""
    assert branches.unreleased(RULES, state("main"), {"GIT_BRANCH": "origin/feature/x"}) != ""


def test_the_multibranch_name_wins_over_that_of_the_git_plugin() -> None:
    environment = {"BRANCH_NAME": "feature/main", "GIT_BRANCH": "feature/main"}
    assert branches.branch(state(None), environment) == "feature/main"
    assert branches.unreleased(RULES, state(None), environment) != ""


def test_a_branch_whose_name_has_a_slash_is_not_taken_for_one_of_a_remote() -> None:
    checkout = state("feature/main")
    assert branches.branch(checkout, {"GIT_BRANCH": "feature/main"}) == "feature/main"
    assert branches.unreleased(RULES, checkout, {"GIT_BRANCH": "feature/main"}) != ""


@pytest.mark.parametrize(
    ("named", "branch"),
    [
        ("origin/main", "main"),
        ("origin/feature/x", "feature/x"),
        ("main", "main"),
        ("refs/heads/main", "main"),
        ("refs/heads/origin/main", "origin/main"),
        ("refs/remotes/origin/main", "main"),
        ("remotes/origin/main", "main"),
        ("origin/origin/main", "origin/main"),
        ("origin/refs/heads/main", "refs/heads/main"),
        ("team/hub/main", "main"),
        ("team/main", "team/main"),
        ("alice/main", "alice/main"),
        ("feature/release/1.2", "feature/release/1.2"),
        ("origin/größer#1", "größer#1"),
        ("refs/remotes/alice/main", None),
        ("refs/tags/v1.0.0", None),
        ("refs/pull/7/head", None),
        ("origin/HEAD", None),
        ("HEAD", None),
        ("detached", None),
        ("*/main", None),
        ("origin/*", None),
        ("main^", None),
        ("main~1", None),
        ("a..b", None),
        ("@{-1}", None),
        (":^main", None),
        ("/main", None),
        ("main/", None),
        ("ma in", None),
    ],
)
def test_only_a_remote_of_the_checkout_is_taken_off(named: str, branch: str | None) -> None:
    checkout = replace(state(None), remotes=("origin", "team/hub"))
    assert branches.branch(checkout, {"GIT_BRANCH": named}) == branch
    every = Releases(branches=("*",), tags=())
    assert (branches.unreleased(every, checkout, {"GIT_BRANCH": named}) == "") is (branch is not None)


@pytest.mark.parametrize("named", ["origin/main", "upstream/main"])
def test_without_remotes_nothing_is_taken_off(named: str) -> None:
    checkout = replace(state(None), remotes=())
    assert branches.unreleased(RULES, checkout, {"GIT_BRANCH": named}).startswith(f"{named} is no branch")


@pytest.mark.parametrize("named", ["origin/main", "refs/heads/main", "refs/remotes/origin/main"])
def test_a_branch_of_a_multibranch_project_is_called_what_it_is_called(named: str) -> None:
    environment = {"BRANCH_NAME": named, "GIT_BRANCH": named}
    assert branches.unreleased(RULES, state(None), environment).startswith(f"{named} is no branch")


def test_what_is_no_branch_is_not_made_good_by_the_checkout() -> None:
    assert branches.branch(state("main"), {"GIT_BRANCH": "detached"}) is None
    assert branches.branch(state("detached"), {"GIT_BRANCH": "detached"}) == "detached"


def test_a_tag_build_is_of_no_branch() -> None:
    environment = {"TAG_NAME": "nightly", "BRANCH_NAME": "nightly", "GIT_BRANCH": "origin/main"}
    assert branches.branch(state("main"), environment) is None
    assert branches.unreleased(RULES, state("main"), environment) != ""
    assert branches.unreleased(RULES, state(None), {**environment, "TAG_NAME": "v1.2.3"}) == ""


@pytest.mark.parametrize("empty", ["BRANCH_NAME", "GIT_BRANCH", "TAG_NAME", "CHANGE_ID"])
def test_an_empty_variable_says_nothing(empty: str) -> None:
    assert branches.unreleased(RULES, state("main"), {empty: ""}) == ""
    assert branches.unreleased(RULES, replace(state("main"), branch=None), {empty: ""}) != ""
