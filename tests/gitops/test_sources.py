"""Which Git URLs name one repository, and which the platform file allows for an app."""

from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.gitops import sources

STOREFRONT = (
    "https://git.shop.example/shop/storefront.git",
    "https://git.shop.example/shop/storefront",
    "https://git.shop.example/shop/storefront/",
    "https://git.shop.example/shop/storefront.git/",
    "https://git.shop.example:443/shop/storefront.git",
    "https://jane@git.shop.example/shop/storefront.git",
    "https://GIT.Shop.Example/shop/storefront.git",
    "https://git.shop.example./shop/storefront.git",
    "http://git.shop.example/shop/storefront.git",
    "ssh://git@git.shop.example/shop/storefront.git",
    "ssh://jane@git.shop.example:22/shop/storefront",
    "git://git.shop.example:9418/shop/storefront.git",
    "git@git.shop.example:shop/storefront.git",
    "git@git.shop.example:/shop/storefront",
    "jane@git.shop.example:/shop/storefront.git",
)
OTHERS = (
    "https://git.shop.example/shop/Storefront.git",
    "https://git.shop.example/shop/storefront2.git",
    "https://git.shop.example/mallory/storefront.git",
    "https://git.shop.example/shop/storefront.git.git",
    "https://git.shop.example/shop/storefront/fork.git",
    "https://git.shop.example/storefront.git",
    "https://git.shop.example/shop/storefront.git?x",
    "https://git.shop.example/shop/storefront.git#x",
    "https://git.shop.example/mallory/../shop/storefront.git",
    "https://git.shop.example/shop/./storefront.git",
    "https://git.shop.example/shop//storefront.git",
    "https://git.shop.example/~jane/shop/storefront.git",
    "https://git.shop.example:8443/shop/storefront.git",
    "https://git.shop.example.evil.example/shop/storefront.git",
    "https://git.shop.example@evil.example/shop/storefront.git",
    "https://evil.example/git.shop.example/shop/storefront.git",
    "https://git.shop.example:99999/shop/storefront.git",
    "https://[git.shop.example/shop/storefront.git",
    "ssh://git@git.shop.example/~/shop/storefront.git",
    "mallory@git.shop.example:shop/storefront.git",
    "git.shop.example:shop/storefront.git",
    "git@git.shop.example:~mallory/shop/storefront.git",
    "https://git.shop.example/ ~mallory shop/storefront",
    "file:///git.shop.example/shop/storefront.git",
    "file://git.shop.example/shop/storefront.git",
    "/git.shop.example/shop/storefront.git",
    "git.shop.example/shop/storefront",
    "ftp://git.shop.example/shop/storefront.git",
    "",
)


@pytest.mark.parametrize("url", STOREFRONT)
def test_a_repository_is_the_same_however_its_url_is_written(url: str) -> None:
    assert sources.same(url, STOREFRONT[0])
    assert sources.same(STOREFRONT[0], url)


@pytest.mark.parametrize("url", OTHERS)
def test_another_repository_never_looks_like_it(url: str) -> None:
    assert not any(sources.same(url, one) for one in STOREFRONT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane@host:shop/app.git", "ssh://jane@host/~/shop/app"),
        ("jane@host:~/app.git", "jane@host:app"),
        ("joe@host:~jane/app.git", "jane@host:app"),
        ("https://[::1]:3000/app.git", "https://[::1]:3000/app"),
        ("ssh://git@[::1]/app.git", "https://[::1]/app"),
    ],
)
def test_homes_and_addresses_are_told_apart_and_known_again(one: str, other: str) -> None:
    assert sources.same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane@host:app.git", "joe@host:app.git"),
        ("jane@host:app.git", "jane@host:/app.git"),
        ("https://[::1]:3000/app", "https://[::1:3000]/app"),
        ("https://host:80/app", "https://host/app"),
    ],
)
def test_homes_and_addresses_of_others_are_others(one: str, other: str) -> None:
    assert not sources.same(one, other)


def test_a_folder_on_this_machine_is_what_git_finds_there(tmp_path: Path) -> None:
    bare = tmp_path / "app.git"
    bare.mkdir()
    assert sources.same(str(bare), bare.as_uri())
    assert sources.same(f"{bare}/", f"file://localhost{bare}")
    assert sources.same(str(tmp_path / "app"), str(bare))  # Git looks for app.git where there is no app
    (tmp_path / "app").mkdir()
    assert not sources.same(str(tmp_path / "app"), str(bare))
    assert not sources.same(f"{tmp_path}/x/../app.git", str(bare))


@pytest.mark.parametrize(
    ("pattern", "source", "allowed"),
    [
        ("https://git.local/{project}/{app}.git", "git@git.local:shop/storefront.git", True),
        ("https://git.local/{project}/{app}.git", "git@git.local:shop/storefront2.git", False),
        ("https://git.local/{project}/{app}.git", "https://git.local/museum/storefront", False),
        ("git@git.local:shop/*.git", "https://git.local/shop/anything", True),
        ("https://git.local/shop/*", "https://git.local/shop/a/b", False),
        ("https://git.local/shop/*", "https://git.local/shop/", False),
        ("https://git.local/shop/*", "https://git.local/shop/../evil", False),
        ("https://git.local/shop/*", "https://git.local/shop/..%2fevil", False),
        ("https://git.local/shop/*", "https://git.local/shop/%2E%2e", False),
        ("https://git.local/shop/*", "ssh://git@git.local/shop/x%2F..%2F..%2Fevil", False),
        ("https://git.local/shop/*", "https://git.local/shop/..\\evil", False),
        ("https://git.local/shop/*", "https://git.local/shop/%5Cevil", False),
        ("https://git.local/shop/*", "https://git.local/shop/caf%C3%A9", True),
        ("https://git.local/shop/*", "https://git.local:8443/shop/a", False),
        ("https://git.local/*/{app}", "https://git.local/team/storefront.git", True),
        ("https://git.local/*/{app}", "https://git.local/a/b/storefront.git", False),
        ("https://git.local/app-*", "https://git.local/app-1", True),
        ("https://git.local/app-*", "https://git.local/apx-1", False),
        ("https://git.local/a.c", "https://git.local/abc", False),
        ("file:///srv/git/*.git", "/srv/git/storefront.git", True),
        ("file:///srv/git/*", "/srv/git/storefront", True),
        ("file:///srv/git/*", "/srv/other/storefront", False),
        ("file:///srv/git/*", "file:///srv/git/..%2fother", False),
    ],
)
def test_a_pattern_allows_one_folder_for_a_star_and_no_more(pattern: str, source: str, allowed: bool) -> None:
    bound = sources.bound({"*": (pattern,)}, "shop", "storefront")
    assert bound
    assert sources.among(source, bound) is allowed


def test_the_nearest_key_binds_an_app() -> None:
    keys = {"*": ("/any",), "shop/*": ("/shop",), "storefront": ("/name",), "shop/storefront": ("/both",)}
    assert sources.bound(keys, "shop", "storefront") == ("/both",)
    assert sources.bound(keys, "museum", "storefront") == ("/name",)
    assert sources.bound(keys, "shop", "cellar") == ("/shop",)
    assert sources.bound(keys, "museum", "cellar") == ("/any",)
    assert sources.bound({"shop/storefront": ("/both",)}, "museum", "storefront") is None
