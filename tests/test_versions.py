from __future__ import annotations

import random
from datetime import datetime, timezone

import pytest

from jenkins_cd import versions
from jenkins_cd.errors import BadInput
from jenkins_cd.model import GitState


def state(**changes: object) -> GitState:
    facts: dict[str, object] = {
        "commit": "1a2b3c4d5e6f70819203a4b5c6d7e8f901234567",
        "committed": datetime(2026, 1, 2, tzinfo=timezone.utc),
        "dirty": False,
        "branch": "main",
        "tags": (),
        "last_tag": None,
        "distance": 0,
        "shallow": False,
        "source": "https://git.local/shop/storefront.git",
    }
    return GitState(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["0.0.0", "1.2.3", "1.2.3-rc.1", "1.2.4-dev.4.g1a2b3c4", "10.20.30-a-b.0"])
def test_semver_without_build_metadata_is_a_version(version: str) -> None:
    assert versions.check(version) == version


@pytest.mark.parametrize(
    "version",
    ["", "1", "1.2", "v1.2.3", "1.2.3+build", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.0; rm -rf /", "$(id)",
     "-rf", "1.2.3\n", "\u0661.2.3", f"1.2.3-{'a' * 200}"],
)  # fmt: skip
def test_anything_else_is_refused(version: str) -> None:
    with pytest.raises(BadInput, match="is no version"):
        versions.check(version)


def test_a_tag_on_the_commit_is_the_version_and_the_newest_of_several() -> None:
    assert versions.derive(state(tags=("v1.9.0", "v1.10.0", "latest"), last_tag="v1.10.0")) == "1.10.0"


def test_without_a_tag_the_next_patch_is_derived_from_the_last_tag_and_the_distance() -> None:
    assert versions.derive(state(last_tag="v1.2.3", distance=4)) == "1.2.4-dev.4.g1a2b3c4"


def test_a_derived_version_sorts_between_the_last_tag_and_the_next() -> None:
    derived = versions.derive(state(last_tag="1.2.3", distance=4))
    assert versions.newest(["1.2.3", "1.2.4", derived]) == ["1.2.4", derived, "1.2.3"]


def test_after_a_prerelease_tag_the_version_under_way_is_kept() -> None:
    assert versions.derive(state(last_tag="v2.0.0-rc.1", distance=1)) == "2.0.0-dev.1.g1a2b3c4"


def test_a_repository_without_tags_has_a_version_too() -> None:
    assert versions.derive(state(distance=7)) == "0.0.0-dev.7.g1a2b3c4"


def test_uncommitted_changes_show_in_the_version_even_on_a_tag() -> None:
    assert versions.derive(state(tags=("v1.2.3",), last_tag="v1.2.3", dirty=True)).endswith("-dev.0.g1a2b3c4.dirty")


def test_the_given_version_wins_over_the_tag() -> None:
    assert versions.derive(state(tags=("v1.2.3",)), "3.0.0") == "3.0.0"


def test_a_shallow_clone_that_hides_the_tags_is_an_error_with_the_command_that_mends_it() -> None:
    with pytest.raises(BadInput) as raised:
        versions.derive(state(shallow=True, distance=1))
    assert "git fetch --unshallow --tags" in raised.value.hint


def test_every_derived_version_is_a_valid_version() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(200):
        commit = f"{chance.getrandbits(160):040x}"
        last = chance.choice([None, "v0.0.1", "1.0.0", "v3.4.5-rc.2"])
        found = versions.derive(
            state(commit=commit, last_tag=last, distance=chance.randrange(99), dirty=chance.random() < 0.5)
        )
        assert versions.valid(found), found


def test_versions_are_sorted_as_semver_item_11_says() -> None:
    ordered = ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
               "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0"]  # fmt: skip
    shuffled = ordered[:]
    random.Random(3).shuffle(shuffled)  # noqa: S311
    assert versions.newest(shuffled) == ordered[::-1]
