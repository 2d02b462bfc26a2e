from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from jenkins_cd.config.kinds import GIT_URL
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import git

EVERYBODYS = [
    "work:team/shop.git", "git.example.com:team/shop.git", "git.example.com:shop", "git@[2001:db8::1]:team/shop.git",
    "[::1]:shop.git", "build+ci@git.example.com:shop.git", "git@work:~jane/shop.git", "w:team/shop.git",
    "ssh://git@host.example:2222/x.git", "ssh://git@[::1]:2222/x.git", "ssh://build+ci@host.example/x.git",
    "ssh://work/x.git", "https://host.example/x.git", "https://[::1]:8443/x.git", "http://127.0.0.1:3000/a/b+c.git",
    "git://host.example/x.git", "file:///srv/x.git", "/srv/git/x.git", "git@host_1.example:a/b%20c.git",
]  # fmt: skip


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    run(folder, "commit", "-q", "--allow-empty", "-m", "x")
    return folder


def source(app: Path, address: str, name: str = "origin") -> str:
    run(app, "remote", "add", "--", name, address)
    return git.state(app).source


@pytest.mark.parametrize("address", EVERYBODYS)
def test_the_source_is_the_address_and_a_deployment_takes_it(app: Path, address: str) -> None:
    assert source(app, address) == address
    assert git.check_url(address) == address
    assert re.fullmatch(GIT_URL.pattern, address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://jane:secret@host.example/x.git", "https://host.example/x.git"),
        ("https://token@host.example/x.git/", "https://host.example/x.git"),
        ("ssh://jane:secret@host.example/x.git", "ssh://jane@host.example/x.git"),
        ("ssh://git:secret@[::1]:2222/x.git", "ssh://git@[::1]:2222/x.git"),
        ("git+ssh://git@host.example/x.git", "ssh://git@host.example/x.git"),
        ("git@host.example:x.git/", "git@host.example:x.git"),
        ("jane:secret@host.example:x.git", "jane@host.example:x.git"),
        ("https://jane:p@ss@host.example/x.git", "https://host.example/x.git"),
        ("https://jane:secret@[::1/x.git", "https://[::1/x.git"),
        ("/srv/x.git/", "/srv/x.git"),
        ("/srv/my repositories/x.git", "file:///srv/my%20repositories/x.git"),
    ],
)
def test_a_password_and_what_changes_nothing_is_left_out(app: Path, address: str, expected: str) -> None:
    assert source(app, address) == expected


@pytest.mark.parametrize(("address", "path"), [("../shop.git", "shop.git"), ("./a:b", "app/a:b"), ("../a/../b", "b")])
def test_a_path_is_relative_to_the_checkout(app: Path, address: str, path: str) -> None:
    (app / "below").mkdir()
    run(app, "remote", "add", "origin", address)
    assert git.state(app / "below").source == str(app.parent / path)


@pytest.mark.parametrize("address", ["C:/work/shop", "d:\\work\\shop"])
def test_a_drive_of_windows_is_no_host(app: Path, address: str) -> None:
    assert source(app, address) == app.as_uri()
    assert not git.is_url(address)


def test_a_mirror_of_the_users_settings_is_not_the_source_and_a_shorthand_is_written_out(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = '[url "https://mirror.local/"]\n\tinsteadOf = https://host.example/\n'
    settings += (
        '[url "git@host.example:"]\n\tinsteadOf = gh:\n[url "https://mirror.local/m/"]\n\tinsteadOf = git@b.example:\n'
    )
    (tmp_path / "gitconfig").write_text(settings, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    run(app, "remote", "add", "origin", "https://host.example/x.git")
    assert git.state(app).source == "https://host.example/x.git"
    run(app, "remote", "set-url", "origin", "git@b.example:x.git")
    assert git.state(app).source == "git@b.example:x.git"
    run(app, "remote", "set-url", "origin", "gh:shop/x.git")
    assert git.state(app).source == "git@host.example:shop/x.git"


def test_of_several_remotes_origin_counts_and_one_alone_whatever_its_name(app: Path) -> None:
    assert git.state(app).remotes == ()
    assert source(app, "https://host.example/one.git", "upstream") == "https://host.example/one.git"
    assert source(app, "https://host.example/fork.git", "team/alice") == app.as_uri()
    assert source(app, "https://host.example/x.git") == "https://host.example/x.git"
    assert git.state(app).remotes == ("origin", "team/alice", "upstream")
    run(app, "remote", "set-url", "--add", "origin", "https://host.example/second.git")
    assert git.state(app).source == "https://host.example/x.git"


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id", "fd::7", "C:/x", "c:\\x", "user:secret@host:x.git", "host:-x", "-host:x", "host://x",
        "git@-oProxyCommand=id:x", "[::1]:-x", "[::1", "host:", ":x", "a b:x", "https://[::1/x", "ssh://[x/y",
    ],
)  # fmt: skip
def test_what_could_be_a_command_a_drive_or_a_password_is_no_url(url: str) -> None:
    with pytest.raises(BadInput):
        git.check_url(url)
