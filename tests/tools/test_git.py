from __future__ import annotations

import socket
import subprocess
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, MissingTool, Refused
from jenkins_cd.tools import git
from jenkins_cd.tools.git_failures import LostRace, NoSuchRef, Unexplained, explain


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, name: str, content: str = "x") -> str:
    (folder / name).write_text(content, encoding="utf-8")
    run(folder, "add", name)
    run(folder, "commit", "-q", "-m", f"Add {name}")
    return run(folder, "rev-parse", "HEAD")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    run(folder, "init", "-q")
    commit(folder, "one.txt")
    return folder


def test_the_state_names_the_commit_and_its_date(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-01-02T03:04:05+02:00")
    made = commit(app, "two.txt")
    state = git.state(app)
    assert (state.commit, state.committed) == (made, datetime(2026, 1, 2, 1, 4, 5, tzinfo=timezone.utc))
    assert (state.dirty, state.tags, state.last_tag, state.distance, state.shallow) == (False, (), None, 2, False)
    assert state.source == app.as_uri()


def test_who_wrote_and_who_committed_the_commit_is_known(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for role, name in (("AUTHOR", "Jane Döe"), ("COMMITTER", "Forge")):
        monkeypatch.setenv(f"GIT_{role}_NAME", name)
        monkeypatch.setenv(f"GIT_{role}_EMAIL", f"{role.lower()}@shop.example")
    (app / ".mailmap").write_text("Somebody Else <else@shop.example> <author@shop.example>\n", encoding="utf-8")
    run(app, "add", "--all")
    run(app, "commit", "-q", "-m", "Together\n\nCo-authored-by: Joe <joe@shop.example>\nCo-Authored-By: Mia <mia@x>")
    assert git.state(app).authors == (
        "Jane Döe <author@shop.example>",
        "Forge <committer@shop.example>",
        "Joe <joe@shop.example>",
        "Mia <mia@x>",
    )


def test_only_tracked_files_make_it_dirty(app: Path) -> None:
    (app / "new.txt").write_text("x")
    assert not git.state(app).dirty
    (app / "one.txt").write_text("y")
    assert git.state(app).dirty


def test_the_branch_is_the_one_that_is_checked_out(app: Path) -> None:
    assert git.state(app).branch == "main"
    run(app, "switch", "-q", "-c", "feature/größer#1")
    assert git.state(app).branch == "feature/größer#1"
    (app / "one.txt").write_text("y")
    assert (git.state(app).branch, git.state(app).dirty) == ("feature/größer#1", True)


@pytest.mark.parametrize("how", ["--detach", "v1.0.0", "origin/main"])
def test_a_detached_head_is_on_no_branch(app: Path, tmp_path: Path, how: str) -> None:
    run(app, "tag", "v1.0.0")
    run(tmp_path, "clone", "-q", str(app), "clone")
    run(tmp_path / "clone", "checkout", "-q", how)
    assert git.state(tmp_path / "clone").branch is None


def test_neither_an_upstream_nor_the_name_of_a_file_changes_the_branch(app: Path, tmp_path: Path) -> None:
    run(tmp_path, "clone", "-q", str(app), "clone")
    assert git.state(tmp_path / "clone").branch == "main"
    (app / "(detached)").write_text("a file of that name is none")
    run(app, "add", ".")
    assert git.state(app).branch == "main"


def test_a_checkout_of_a_commit_alone_is_on_no_branch(app: Path, tmp_path: Path) -> None:
    git.checkout(app.as_uri(), run(app, "rev-parse", "HEAD"), tmp_path / "into")
    assert git.state(tmp_path / "into").branch is None


def test_the_nearest_version_tag_is_found_among_others(app: Path) -> None:
    run(app, "tag", "v1.0.0")
    commit(app, "two.txt")
    for tag in ("v1.1.0-rc.1", "1.1.0", "v1.1.0-rc.2", "v1.2", "nightly", "2024-01-01", "v01.2.3"):
        run(app, "tag", tag)
    commit(app, "three.txt")
    run(app, "tag", "7-of-nine")
    commit(app, "four.txt")
    state = git.state(app)
    assert (state.last_tag, state.distance, state.tags) == ("1.1.0", 2, ())


def test_tags_on_the_commit_are_all_given(app: Path) -> None:
    run(app, "tag", "-a", "-m", "x", "v2.0.0")
    run(app, "tag", "latest")
    state = git.state(app)
    assert (set(state.tags), state.last_tag, state.distance) == ({"v2.0.0", "latest"}, "v2.0.0", 0)


def test_a_shallow_clone_says_so(app: Path, tmp_path: Path) -> None:
    commit(app, "two.txt")
    run(tmp_path, "clone", "-q", "--depth=1", app.as_uri(), "clone")
    state = git.state(tmp_path / "clone")
    assert (state.shallow, state.source) == (True, app.as_uri())


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ("https://jane:secret@host.example/x.git", "https://host.example/x.git"),
        ("ssh://git@host.example:2222/x.git", "ssh://git@host.example:2222/x.git"),
        ("git@host.example:x/y.git", "git@host.example:x/y.git"),
        ("/srv/x.git", "/srv/x.git"),
    ],
)
def test_the_source_holds_no_password(app: Path, origin: str, source: str) -> None:
    run(app, "remote", "add", "origin", origin)
    assert git.state(app).source == source


def test_a_folder_without_a_commit_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not in a Git checkout"):
        git.state(tmp_path)
    run(tmp_path, "init", "-q")
    with pytest.raises(BadInput, match="no commit yet"):
        git.state(tmp_path)
    with pytest.raises(BadInput, match="no folder"):
        git.state(tmp_path / "none")


def test_a_commit_is_checked_out_alone(app: Path, tmp_path: Path) -> None:
    first = run(app, "rev-parse", "HEAD")
    commit(app, "two.txt")
    git.checkout(app.as_uri(), first, into := tmp_path / "deep" / "into")
    assert [file.name for file in into.iterdir() if file.name != ".git"] == ["one.txt"]
    assert run(into, "rev-parse", "HEAD") == first


def test_a_commit_on_no_branch_is_checked_out_too(app: Path, tmp_path: Path) -> None:
    run(app, "checkout", "-q", "--detach")
    lonely = commit(app, "lonely.txt")
    run(app, "tag", "v1.0.0")
    run(app, "checkout", "-q", "main")
    git.checkout(str(app), lonely, tmp_path / "into")
    assert (tmp_path / "into" / "lonely.txt").exists()


def test_a_checkout_needs_a_commit_that_exists_and_an_empty_folder(app: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such branch, tag or commit"):
        git.checkout(app.as_uri(), "0" * 40, tmp_path / "into")
    with pytest.raises(BadInput, match="not empty"):
        git.checkout(app.as_uri(), "0" * 40, app)


@pytest.mark.parametrize("commit_id", ["main", "--force", "abc", "A" * 40, "0" * 41])
def test_only_full_commit_ids_are_checked_out(app: Path, tmp_path: Path, commit_id: str) -> None:
    with pytest.raises(BadInput, match="is no commit"):
        git.checkout(app.as_uri(), commit_id, tmp_path / "into")


def test_one_file_is_read_at_a_branch_a_tag_or_a_commit(app: Path) -> None:
    first = run(app, "rev-parse", "HEAD")
    run(app, "tag", "v1.0.0")
    (app / "one.txt").write_bytes(b"\xffnew\r\n")
    run(app, "commit", "-qam", "Change")
    assert git.read_file(str(app), "main", "one.txt") == b"\xffnew\r\n"
    assert git.read_file(str(app), "v1.0.0", "one.txt") == git.read_file(str(app), first, "one.txt") == b"x"


@pytest.mark.parametrize(
    ("ref", "path"), [("none", "one.txt"), ("main", "none.txt"), ("main", "../x"), ("-x", "one.txt"), ("a..b", "x")]
)
def test_a_file_that_is_not_there_is_bad_input(app: Path, ref: str, path: str) -> None:
    with pytest.raises(BadInput):
        git.read_file(str(app), ref, path)


def test_a_repository_that_can_be_read_is_reachable(app: Path, tmp_path: Path) -> None:
    git.reachable(str(app))
    run(tmp_path, "init", "-q", "--bare", "empty.git")
    git.reachable(str(tmp_path / "empty.git"))
    with pytest.raises(ExternalFailure, match="no such repository"):
        git.reachable(str(tmp_path / "none.git"))


def test_a_missing_git_is_named(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(app))
    with pytest.raises(MissingTool, match="git is not installed"):
        git.run(["version"], folder=app)


def test_a_command_that_hangs_is_ended(app: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(ExternalFailure, match="no end after"):
            git.run(["ls-remote", url], folder=app, url=url, timeout=0.5)
        assert time.monotonic() - started < 5


class _Asking(BaseHTTPRequestHandler):
    """A server that wants a password for everything, and answers 403 to whoever has one."""

    seen: list[str]

    def do_GET(self) -> None:
        given = self.headers.get("Authorization")
        type(self).seen.append(given or "")
        self.send_response(403 if given and "/forbidden" in self.path else 401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def asking() -> Iterator[str]:
    _Asking.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Asking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_without_credentials_nobody_is_asked(asking: str) -> None:
    with pytest.raises(ExternalFailure, match="does not accept our credentials") as caught:
        git.read_file(f"{asking}/x.git", "main", "x")
    assert "JENKINS_CD_GIT_PASSWORD" in caught.value.hint
    assert _Asking.seen == [""]


def test_credentials_reach_the_server_through_the_environment(asking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_USERNAME", "robot")
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "corr'ect $horse")
    with pytest.raises(Refused, match="may not do this"):
        git.read_file(f"{asking}/forbidden.git", "main", "x")
    assert f"Basic {b64encode(b'robot:corr' + bytes([39]) + b'ect $horse').decode()}" in _Asking.seen


def test_credentials_may_come_from_a_file(asking: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD_FILE", str(tmp_path / "password"))
    with pytest.raises(Refused):
        git.read_file(f"{asking}/forbidden.git", "main", "x")
    assert f"Basic {b64encode(b'git:from-a-file').decode()}" in _Asking.seen


def test_an_unknown_host_is_told() -> None:
    with pytest.raises(ExternalFailure, match=r"name is not known|did not answer"):
        git.read_file("https://nowhere.invalid/x.git", "main", "x")


def test_a_server_that_is_down_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ExternalFailure, match="did not answer"):
            git.read_file(f"http://127.0.0.1:{taken.getsockname()[1]}/x.git", "main", "x")


REJECTED = "To host\n!\tabc:refs/heads/main\t[remote rejected] ({})\nDone\nerror: failed to push some refs to 'host'"


@pytest.mark.parametrize(
    ("output", "error"),
    [
        ("!\tabc:refs/heads/main\t[rejected] (non-fast-forward)", LostRace),
        ("!\tabc:refs/heads/main\t[rejected] (fetch first)", LostRace),
        ("!\tabc:refs/heads/main\t[rejected] (stale info)", LostRace),
        (REJECTED.format("cannot lock ref 'refs/heads/main': is at 1 but expected 2"), LostRace),
        (REJECTED.format("incorrect old value provided"), LostRace),
        (REJECTED.format("failed to update ref"), LostRace),
        (
            REJECTED.format("cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'"),
            Refused,
        ),
        (REJECTED.format("protected branch hook declined"), Refused),
        ("remote: cannot lock ref\n" + REJECTED.format("pre-receive hook declined"), Refused),
        (REJECTED.format("some new reason"), Refused),
        (REJECTED.format("unpacker error") + "\nremote: fatal: No space left on device", ExternalFailure),
        ("fatal: Authentication failed for 'https://host/x/'", ExternalFailure),
        ("fatal: couldn't find remote ref refs/heads/x", NoSuchRef),
        ("fatal: unable to access: The requested URL returned error: 503", ExternalFailure),
        ("fatal: bad object 123", Unexplained),
    ],
)
def test_what_git_says_tells_what_happened(output: str, error: type[JenkinsCdError]) -> None:
    assert type(explain("push", output)) is error
