"""Git over SSH with a key and over HTTP with a password, against real servers: read, write, and be refused."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jenkins_cd import masking
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools import git, git_environment
from tests.gitops.remotes import bare, count, hook
from tests.gitops.remotes import git as run
from tests.gitops.samples import platform, release
from tests.tools.git_servers import HttpServer, SshServer, http_server, keygen, ssh_server

USERS = {"robot": "corr'ect $horse%20\\é", "reader": "only-reads-5"}


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that these tests keep secret is masked in others."""
    monkeypatch.setattr(masking, "_forms", set())


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    (tmp_path / "repositories").mkdir()
    return bare(tmp_path / "repositories" / "deploy.git", {"README.md": b"What runs where.\n"})


def write(url: str, path: str = "dev/a.txt", content: bytes = b"there") -> str:
    return Repository.open(url).commit("main", f"Write {path}", lambda _view: {path: content})


# --- SSH -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with ssh_server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def ssh(daemon: SshServer, monkeypatch: pytest.MonkeyPatch) -> SshServer:
    """The server, known to this machine, with the key that it lets in."""
    monkeypatch.setenv("PATH", f"{daemon.client()}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("JENKINS_CD_GIT_SSH_KEY", str(daemon.key))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return daemon


def test_a_release_is_published_and_read_back_over_ssh(ssh: SshServer, remote: Path) -> None:
    place = platform(ssh.url(remote))
    assert Ledger.open(place).publish(release()) is True
    assert Ledger.open(place).release("storefront", "1.4.0") == release()
    assert run(remote, "log", "-1", "--format=%s", "ledger") == "Publish storefront 1.4.0\n"


def test_a_commit_is_pushed_checked_out_and_read_over_ssh(ssh: SshServer, remote: Path, tmp_path: Path) -> None:
    url = ssh.url(remote)
    made = write(url)
    assert run(remote, "rev-parse", "main").strip() == made
    assert git.read_file(url, "main", "dev/a.txt") == b"there"
    git.checkout(url, made, tmp_path / "into")
    assert (tmp_path / "into" / "dev" / "a.txt").read_bytes() == b"there"
    git.reachable(url)


def test_a_key_in_a_folder_with_blanks_and_quotes_is_found(
    ssh: SshServer, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "it's a key;$(id)"
    key.write_bytes(ssh.key.read_bytes())
    key.chmod(0o600)
    monkeypatch.setenv("JENKINS_CD_GIT_SSH_KEY", str(key))
    assert write(ssh.url(remote))


@pytest.mark.parametrize("key", ["none at all", "a stranger's", "one with a passphrase", "not there", "no key"])
def test_without_the_right_key_nothing_is_written_and_nobody_is_asked(
    ssh: SshServer, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    files: dict[str, Callable[[], Path]] = {
        "a stranger's": lambda: ssh.stranger,
        "one with a passphrase": lambda: keygen(tmp_path / "locked", "sesame"),
        "not there": lambda: tmp_path / "gone",
        "no key": lambda: remote / "HEAD",
    }
    if key in files:
        monkeypatch.setenv("JENKINS_CD_GIT_SSH_KEY", str(files[key]()))
    else:
        monkeypatch.delenv("JENKINS_CD_GIT_SSH_KEY")
    with pytest.raises(ExternalFailure, match="does not accept our credentials") as raised:
        write(ssh.url(remote))
    assert "ssh URLs need a key that asks for no passphrase" in raised.value.hint
    assert count(remote) == 1


def test_a_host_that_is_not_known_is_not_trusted(
    ssh: SshServer, remote: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known = ssh.known_hosts.read_text()
    ssh.known_hosts.write_text("")
    try:
        with pytest.raises(ExternalFailure, match="SSH key is not known here") as raised:
            git.reachable(ssh.url(remote))
    finally:
        ssh.known_hosts.write_text(known)
    assert "known_hosts" in raised.value.hint


def test_a_host_that_is_another_by_now_is_not_trusted(ssh: SshServer, remote: Path) -> None:
    known = ssh.known_hosts.read_text()
    ssh.known_hosts.write_text(known.partition(" ")[0] + " " + (ssh.folder / "stranger.pub").read_text())
    try:
        with pytest.raises(ExternalFailure, match="SSH key is not known here"):
            git.reachable(ssh.url(remote))
    finally:
        ssh.known_hosts.write_text(known)


def test_how_the_machine_wants_ssh_to_be_run_holds_with_a_key_too(
    daemon: SshServer, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh -F {daemon.config}")
    monkeypatch.setenv("JENKINS_CD_GIT_SSH_KEY", str(daemon.key))
    assert write(daemon.url(remote))


def test_a_hook_over_ssh_may_decline_the_push(ssh: SshServer, remote: Path) -> None:
    hook(remote, "pre-receive", "echo 'only on Fridays' >&2; exit 1")
    with pytest.raises(Refused, match="declined the push") as raised:
        write(ssh.url(remote))
    assert "only on Fridays" in raised.value.message
    assert count(remote) == 1


# --- HTTP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def http(remote: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """The server, with the password of somebody who may write."""
    run(remote, "config", "http.receivepack", "true")
    login(monkeypatch, "robot")
    with http_server(remote.parent, USERS, frozenset({"robot"})) as running:
        yield running


def login(monkeypatch: pytest.MonkeyPatch, name: str, password: str | None = None) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_USERNAME", name)
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", USERS[name] if password is None else password)


def test_a_release_is_published_and_read_back_over_http(http: HttpServer, remote: Path) -> None:
    place = platform(http.url("deploy.git"))
    assert Ledger.open(place).publish(release()) is True
    assert Ledger.open(place).release("storefront", "1.4.0") == release()
    assert run(remote, "log", "-1", "--format=%s", "ledger") == "Publish storefront 1.4.0\n"
    assert ("POST", "/deploy.git/git-receive-pack", "robot") in http.seen


def test_a_commit_is_pushed_checked_out_and_read_over_http(http: HttpServer, remote: Path, tmp_path: Path) -> None:
    url = http.url("deploy.git")
    made = write(url)
    assert git.read_file(url, "main", "dev/a.txt") == b"there"
    git.checkout(url, made, tmp_path / "into")
    assert (tmp_path / "into" / "dev" / "a.txt").read_bytes() == b"there"


def test_what_is_larger_than_gits_buffer_is_pushed_too(http: HttpServer, remote: Path) -> None:
    write(http.url("deploy.git"), "large.bin", os.urandom(3 << 20))
    assert run(remote, "cat-file", "-s", "main:large.bin") == f"{3 << 20}\n"


def test_a_wrong_password_writes_nothing_and_is_not_shown(
    http: HttpServer, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, "robot", "wrong-horse-8")
    with pytest.raises(ExternalFailure, match="does not accept our credentials") as raised:
        write(http.url("deploy.git"))
    assert "JENKINS_CD_GIT_PASSWORD" in raised.value.hint
    assert "wrong-horse-8" not in f"{raised.value.message} {raised.value.hint}"
    assert count(remote) == 1


def test_who_may_only_read_reads_and_is_refused_to_write(
    http: HttpServer, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    login(monkeypatch, "reader")
    assert git.read_file(http.url("deploy.git"), "main", "README.md") == b"What runs where.\n"
    with pytest.raises(Refused, match="the account may not do this") as raised:
        write(http.url("deploy.git"))
    assert "right to push" in raised.value.hint
    assert count(remote) == 1


def test_a_hook_over_http_may_decline_the_push(http: HttpServer, remote: Path) -> None:
    hook(remote, "pre-receive", "echo 'only on Fridays' >&2; exit 1")
    with pytest.raises(Refused, match="declined the push") as raised:
        write(http.url("deploy.git"))
    assert "only on Fridays" in raised.value.message
    assert count(remote) == 1


def test_two_who_push_over_http_at_once_are_both_kept(http: HttpServer, remote: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: write(http.url("deploy.git"), f"w/{number}"), range(4)))
    assert count(remote) == 5


def test_the_password_is_left_in_no_file(http: HttpServer, remote: Path) -> None:
    write(http.url("deploy.git"))
    mirror = Repository.open(http.url("deploy.git")).folder
    kept = b"".join(file.read_bytes() for file in mirror.rglob("*") if file.is_file())
    assert USERS["robot"].encode() not in kept
    assert b"credential" not in kept


def test_the_password_is_offered_to_no_other_server(
    http: HttpServer, remote: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_server(remote.parent, USERS, frozenset({"robot"})) as other:
        environment = {**os.environ, **git_environment.to(http.url("deploy.git"), tmp_path).variables}
        command = ["git", "ls-remote", other.url("deploy.git")]
        done = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode != 0
        assert {who for _, _, who in other.seen} == {""}
