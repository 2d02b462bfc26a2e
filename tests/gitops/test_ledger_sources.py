"""Releases of an app come from its own source: the platform file's, else that of its first release."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jenkins_cd.errors import GateFailed, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.model import Chart, Image, Release
from tests.gitops.remotes import bare, count
from tests.gitops.samples import platform, release

OWN = "https://git.local/shop/storefront.git"
EVIL = "https://git.local/mallory/storefront.git"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "deploy.git")


def opened(remote: Path, **apps: tuple[str, ...]) -> Ledger:
    return Ledger.open(replace(platform(str(remote)), apps=apps))


def forged(remote: Path, one: Release, path: str = "") -> None:
    """Write a release as somebody does who may push to the ledger."""
    place = path or f"releases/{one.project}/{one.app}/{one.version}.json"
    content = msgspec.json.encode(one)
    Repository.open(str(remote)).commit("ledger", "By hand", lambda _view: {place: content})


def test_the_first_release_says_where_the_others_come_from(remote: Path) -> None:
    opened(remote).publish(release("1.0.0", source=OWN))
    with pytest.raises(Refused) as raised:
        opened(remote).publish(release("9.0.0", source=EVIL))
    assert EVIL in raised.value.message
    assert f"its first release came from {OWN}" in raised.value.message
    assert "apps: {shop/storefront: [URL, …]}" in raised.value.hint
    assert raised.value.exit_code == 4
    assert count(remote, "ledger") == 1


@pytest.mark.parametrize("same", ["git@git.local:shop/storefront.git", "ssh://jane@git.local/shop/storefront"])
def test_the_same_source_in_other_words_may_go_on(remote: Path, same: str) -> None:
    opened(remote).publish(release("1.0.0", source=OWN))
    assert opened(remote).publish(release("1.1.0", source=same))


def test_of_two_first_releases_at_once_from_two_sources_one_is_refused(remote: Path) -> None:
    def publish(number: int) -> bool:
        try:
            return opened(remote).publish(release(f"1.0.{number}", source=(OWN, EVIL)[number]))
        except Refused:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(publish, range(2))) == [False, True]
    assert len(opened(remote).versions("storefront")) == 1


def test_another_app_has_its_own_source(remote: Path) -> None:
    opened(remote).publish(release("1.0.0", source=OWN))
    assert opened(remote).publish(release("1.0.0", source=EVIL, app="cellar"))
    assert opened(remote).publish(release("1.0.0", source=EVIL, project="museum"))


@pytest.mark.parametrize("published", [None, datetime(1999, 1, 1, tzinfo=timezone.utc)])
def test_a_record_written_by_hand_does_not_become_the_first_whatever_time_it_claims(
    remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: datetime | None
) -> None:
    opened(remote).publish(release("5.0.0", source=OWN, published=datetime.now(timezone.utc)))
    opened(remote).publish(release("5.1.0", source=OWN))
    forged(remote, release("1.0.0", source=EVIL, published=published))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another-agent"))  # which has none of the history
    ledger = opened(remote)
    ledger.check_source(release("5.0.0", source=OWN))
    for version in ("1.0.0", "6.0.0"):
        with pytest.raises(Refused, match=f"its first release came from {OWN}"):
            opened(remote).check_source(release(version, source=EVIL))
    opened(remote).publish(release("5.2.0", source=OWN))


def test_what_the_platform_file_binds_wins_over_the_first_release(remote: Path) -> None:
    opened(remote).publish(release("1.0.0", source=OWN))
    moved = "https://forge.local/shop/storefront.git"
    bound = {"shop/storefront": (moved,)}
    with pytest.raises(Refused, match=f"the platform file binds it to {moved}"):
        opened(remote, **bound).publish(release("1.1.0", source=OWN))
    assert opened(remote, **bound).publish(release("1.1.0", source=moved))
    both = opened(remote, storefront=(OWN, moved))
    both.check_source(release("1.0.0", source=OWN))
    both.check_source(release("1.1.0", source=moved))
    with pytest.raises(Refused):
        both.check_source(release("1.2.0", source=EVIL))


def test_a_pattern_binds_apps_before_their_first_release(remote: Path) -> None:
    bound = {"*": ("https://git.local/{project}/{app}.git",)}
    with pytest.raises(Refused, match="the platform file binds it to"):
        opened(remote, **bound).publish(release("1.0.0", source=EVIL))
    assert opened(remote, **bound).publish(release("1.0.0", source=OWN))


@pytest.mark.parametrize("claim", [{"app": "cellar"}, {"project": "museum"}, {"version": "1.0.0"}])
def test_a_record_in_the_place_of_another_is_not_read(remote: Path, claim: dict[str, Any]) -> None:
    opened(remote).publish(release("1.0.0", source=OWN))
    path = "releases/shop/storefront/9.0.0.json"
    forged(remote, release(**{"version": "9.0.0", "source": EVIL, **claim}), path)
    with pytest.raises(GateFailed, match=f"{path} is a record of something else"):
        opened(remote).release("storefront", "9.0.0")


@pytest.mark.parametrize("project", ["shop", "museum"])
def test_what_another_app_has_published_is_not_pushed_over(remote: Path, project: str) -> None:
    opened(remote).publish(release("1.0.0"))
    own = release("1.0.0", app="cellar", project=project)
    with pytest.raises(Refused, match=r"1\.0\.0 is what shop/storefront has published"):
        opened(remote).check_tags(own)  # it names the chart, and the image, of the storefront
    charts, images = "oci://registry.local/charts", "registry.local/apps/cellar"
    opened(remote).check_tags(
        replace(own, chart=Chart(name="cellar", repository=charts), image=Image(repository=images))
    )
    opened(remote).check_tags(replace(own, version="1.0.1"))
    opened(remote).check_tags(release("1.0.0"))
