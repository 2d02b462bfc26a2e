from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.gitops import repository as room
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.masking import register
from jenkins_cd.tools.git_failures import NoSuchRef
from tests.gitops.remotes import bare, count, git, hook

Change = Callable[[View], Mapping[str, "bytes | None"]]
WRITER = """
import sys
from jenkins_cd.gitops.repository import Repository
url, name, many = sys.argv[1:]
for number in range(int(many)):
    Repository.open(url).commit("main", f"{name} {number}", lambda view: {f"{name}/{number}.txt": b"there"})
    print(number, flush=True)
"""


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "remote.git", {"a/one.txt": b"1", "a/two.txt": b"2", "b.txt": b"\xff\x00\r\n"})


def put(path: str, content: bytes | None) -> Change:
    return lambda _view: {path: content}


def test_the_tip_follows_what_others_push(remote: Path) -> None:
    ours = Repository.open(str(remote))
    first = ours.tip("main")
    git(remote, "update-ref", "refs/heads/main", made := _commit_beside(remote, "c.txt"))
    assert ours.tip("main") == made != first


def test_a_branch_that_does_not_exist_has_no_tip_and_no_files(remote: Path, tmp_path: Path) -> None:
    assert Repository.open(str(remote)).tip("ledger") is None
    empty = Repository.open(str(bare(tmp_path / "empty.git")))
    assert empty.tip("main") is None
    assert empty.view(None).list() == []
    assert empty.view(None).read("a") is None


def test_files_are_read_byte_for_byte(remote: Path) -> None:
    ours = Repository.open(str(remote))
    tip = ours.tip("main") or ""
    assert ours.read(tip, "b.txt") == b"\xff\x00\r\n"
    assert ours.read(tip, "a") is None
    assert ours.read(tip, "none.txt") is None
    assert ours.list(tip, "a/") == ours.list(tip, "a") == ["a/one.txt", "a/two.txt"]
    assert ours.read_all(tip, ["a/one.txt", "b.txt", "none"]) == {"a/one.txt": b"1", "b.txt": b"\xff\x00\r\n"}
    assert ours.read_all(tip, []) == {}


def test_what_comes_after_what_is_known_of_a_history_that_was_not_fetched(remote: Path) -> None:
    """A first look fetches one commit: what lies behind it is fetched where somebody asks for it."""
    first = git(remote, "rev-parse", "main").strip()
    tree = git(remote, "rev-parse", "main^{tree}").strip()

    def after(*parents: str) -> str:
        options = [one for parent in parents for one in ("-p", parent)]
        return git(remote, "commit-tree", *options, "-m", "x", tree).strip()

    second = after(first)
    third = after(second)
    aside = git(remote, "commit-tree", "-p", first, "-m", "aside", tree).strip()
    merged = after(third, aside)
    git(remote, "update-ref", "refs/heads/main", third)
    git(remote, "update-ref", "refs/heads/aside", merged)
    git(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
    ours = Repository.open(str(remote))
    assert ours.tip("main") == third
    shutil.rmtree(ours.mirror)  # as on another machine
    made = ours.commit("main", "x", put("c", b"c"))
    assert (ours.mirror / "shallow").exists()
    assert ours.descends(made, made)
    assert ours.descends(made, third)
    assert not ours.descends(third, made)
    assert (ours.mirror / "shallow").exists()  # so far nothing more was needed
    assert not ours.descends(first, made)
    assert ours.descends(made, first)
    assert not ours.descends(aside, third)
    assert not ours.descends(third, aside)
    assert ours.descends(merged, aside)
    assert ours.descends(merged, second)
    with pytest.raises(NoSuchRef):
        ours.descends("0123456789" * 4, made)


def test_a_commit_changes_what_it_names_and_nothing_else(remote: Path) -> None:
    made = Repository.open(str(remote)).commit(
        "main", "Say why\n\nBecause", lambda _view: {"a/one.txt": None, 'new/ü "q".txt': b"new\n"}
    )
    assert git(remote, "rev-parse", "main").strip() == made
    assert git(remote, "show", "-z", "--name-status", "--format=", made) == 'D\0a/one.txt\0A\0new/ü "q".txt\0'
    assert git(remote, "log", "-1", "--format=%B", made).strip() == "Say why\n\nBecause"
    assert git(remote, "show", f'{made}:new/ü "q".txt') == "new\n"
    assert git(remote, "fsck", "--strict") == ""


def test_a_file_keeps_its_mode(remote: Path) -> None:
    blob = git(remote, "rev-parse", "main:b.txt").strip()
    tree = subprocess.run(
        ["git", "mktree"], cwd=remote, input=f"100755 blob {blob}\trun.sh\n", capture_output=True, text=True, check=True
    ).stdout.strip()
    git(remote, "update-ref", "refs/heads/main", git(remote, "commit-tree", "-m", "x", tree).strip())
    made = Repository.open(str(remote)).commit("main", "Edit", put("run.sh", b"echo"))
    assert git(remote, "ls-tree", made).startswith("100755 blob")


def test_author_and_date_are_real(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Jane <Doe>\n")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "jane@example.invalid")
    made = Repository.open(str(remote)).commit("main", "x", put("c", b"c"))
    author, committer, when = git(remote, "log", "-1", "--format=%an <%ae>%n%cn%n%ct", made).split("\n")[:3]
    assert (author, committer) == ("Jane Doe <jane@example.invalid>", "jenkins-cd")
    assert abs(int(when) - time.time()) < 60


def test_no_change_makes_no_commit(remote: Path) -> None:
    ours = Repository.open(str(remote))
    tip = ours.tip("main")
    assert ours.commit("main", "x", lambda _view: {}) == tip
    assert ours.commit("main", "x", put("a/one.txt", b"1")) == tip
    assert ours.commit("main", "x", put("none.txt", None)) == tip
    assert ours.commit("ledger", "x", lambda _view: {}) == ""
    assert count(remote) == 1


def test_the_first_commit_of_a_branch_has_no_parent(remote: Path, tmp_path: Path) -> None:
    Repository.open(str(remote)).commit("ledger", "Begin", put("records/1.json", b"{}"))
    assert count(remote, "ledger") == 1
    assert git(remote, "ls-tree", "-r", "--name-only", "ledger").split() == ["records/1.json"]
    empty = bare(tmp_path / "empty.git")
    Repository.open(str(empty)).commit("main", "Begin", put("x", b"x"))
    assert count(empty) == 1


def test_a_lost_race_is_made_again_on_the_new_tip(remote: Path) -> None:
    seen: list[str | None] = []

    def change(view: View) -> Mapping[str, bytes | None]:
        seen.append(view.commit)
        if len(seen) == 1:
            git(remote, "update-ref", "refs/heads/main", _commit_beside(remote, "theirs.txt"))
        return {"ours.txt": b"ours after " + (view.read("theirs.txt") or b"nobody")}

    made = Repository.open(str(remote)).commit("main", "Ours", change)
    assert len(seen) == 2
    assert git(remote, "show", f"{made}:ours.txt") == "ours after theirs"


def test_a_ref_that_the_server_cannot_lock_is_a_lost_race(remote: Path) -> None:
    hook(
        remote, "update", "echo x >> asked; rm -f refs/heads/main.lock; test -e free || touch free refs/heads/main.lock"
    )
    made = Repository.open(str(remote)).commit("main", "Ours", put("ours.txt", b"ours"))
    assert (remote / "asked").read_text() == "x\nx\n"
    assert git(remote, "rev-parse", "main").strip() == made


def test_a_race_that_is_always_lost_ends(remote: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PATIENCE", 0.5)

    def change(_view: View) -> Mapping[str, bytes | None]:
        git(remote, "update-ref", "refs/heads/main", _commit_beside(remote, "theirs.txt"))
        return {"ours.txt": b"ours"}

    with pytest.raises(ExternalFailure, match="somebody else pushed at the same time"):
        Repository.open(str(remote)).commit("main", "Ours", change)


def test_a_declined_push_is_refused_at_once_with_the_hooks_words(remote: Path) -> None:
    hook(remote, "pre-receive", "echo x >> asked; echo 'only bots may push: cannot lock ref' >&2; exit 1")
    with pytest.raises(Refused, match="only bots may push") as caught:
        Repository.open(str(remote)).commit("main", "Ours", put("ours.txt", b"ours"))
    assert "right to push" in caught.value.hint
    assert (remote / "asked").read_text() == "x\n"


def test_a_change_that_fails_pushes_nothing(remote: Path) -> None:
    def change(_view: View) -> Mapping[str, bytes | None]:
        raise BadInput("no")

    with pytest.raises(BadInput):
        Repository.open(str(remote)).commit("main", "Ours", change)
    assert count(remote) == 1


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "-x", "a/../../b", ".git/config", "a/.GIT/hooks/x", "a\nb", ""]
)
def test_a_path_never_leaves_the_tree(remote: Path, path: str) -> None:
    with pytest.raises(BadInput):
        Repository.open(str(remote)).commit("main", "x", put(path, b"x"))


@pytest.mark.parametrize("branch", ["-f", "a..b", "x y", "", "a/", "$(id)", "x.lock"])
def test_a_branch_is_never_an_option(remote: Path, branch: str) -> None:
    with pytest.raises(BadInput):
        Repository.open(str(remote)).tip(branch)


@pytest.mark.parametrize("url", ["--upload-pack=x", "ext::sh -c id", "x", "http://u:geheim@host/x.git"])
def test_a_url_is_never_an_option_and_holds_no_password(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        Repository.open(url)
    assert "geheim" not in caught.value.message


def test_secrets_do_not_reach_the_remote_in_a_message(remote: Path) -> None:
    register("correct-horse-battery")
    made = Repository.open(str(remote)).commit("main", "by correct-horse-battery", put("c", b"c"))
    assert git(remote, "log", "-1", "--format=%s", made).strip() == "by ****"


def test_a_repository_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match="no such repository") as caught:
        Repository.open(str(tmp_path / "none.git")).tip("main")
    assert str(tmp_path / "none.git") in caught.value.message


@pytest.mark.parametrize("harm", ["lock", "objects", "empty objects", "head", "everything", "half", "garbage"])
def test_a_broken_mirror_is_made_anew(remote: Path, harm: str) -> None:
    ours = Repository.open(str(remote))
    tip = ours.tip("main") or ""
    _harm(ours, harm)
    assert ours.read(tip, "a/one.txt") == b"1"
    _harm(ours, harm)
    made = ours.commit("main", "x", put("c.txt", harm.encode()))
    _harm(ours, harm)
    assert ours.tip("main") == made
    assert ours.read(made, "c.txt") == harm.encode()


def test_a_remote_that_began_anew_is_followed(remote: Path, tmp_path: Path) -> None:
    ours = Repository.open(str(remote))
    ours.tip("main")
    shutil.rmtree(remote)
    bare(remote)
    assert ours.tip("main") is None
    made = ours.commit("main", "Begin anew", put("x", b"x"))
    assert count(remote) == 1
    assert ours.list(made) == ["x"]


def test_many_writers_on_many_machines_lose_nothing(remote: Path, tmp_path: Path) -> None:
    writers = [_writer(remote, f"w{number}", 3, tmp_path / f"cache{number}") for number in range(6)]
    assert [writer.wait(120) for writer in writers] == [0] * 6
    assert count(remote) == 1 + 6 * 3
    assert len(git(remote, "ls-tree", "-r", "--name-only", "main").split()) == 3 + 6 * 3


def test_many_writers_on_one_machine_queue_up(remote: Path) -> None:
    def write(number: int) -> str:
        return Repository.open(str(remote)).commit("main", f"{number}", put(f"w/{number}.txt", b"there"))

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(write, range(16)))
    assert len(made) == 16
    assert count(remote) == 1 + 16


def test_two_may_create_a_branch_at_once(remote: Path, tmp_path: Path) -> None:
    git(remote, "update-ref", "-d", "refs/heads/main")
    writers = [_writer(remote, f"w{number}", 1, tmp_path / f"cache{number}") for number in range(4)]
    assert [writer.wait(120) for writer in writers] == [0] * 4
    assert count(remote) == 4


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.1])
def test_killed_in_the_middle_the_next_run_completes(remote: Path, tmp_path: Path, moment: float) -> None:
    cache = tmp_path / "cache"
    victim = _writer(remote, "w", 1000, cache)
    assert victim.stdout
    victim.stdout.readline()
    time.sleep(moment)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    successor = _writer(remote, "w", 6, cache)
    assert successor.wait(60) == 0
    there = git(remote, "ls-tree", "-r", "--name-only", "main").split()
    assert {f"w/{number}.txt" for number in range(6)} <= set(there)
    assert git(remote, "fsck", "--connectivity-only") == ""


def test_a_tip_that_was_seen_a_moment_ago_is_written_onto_unless_it_has_moved(remote: Path) -> None:
    ours = Repository.open(str(remote))
    first = ours.commit("main", "One", put("one.txt", b"1"))
    with _fetches() as asked:
        ours.commit("main", "Two", put("two.txt", b"2"))
        assert asked == []
        git(remote, "update-ref", "refs/heads/main", _commit_beside(remote, "theirs.txt"))
        third = ours.commit("main", "Three", put("three.txt", b"3"))
        assert asked
    there = git(remote, "ls-tree", "--name-only", "main").split()
    assert {"one.txt", "two.txt", "theirs.txt", "three.txt"} <= set(there)
    assert first != third == git(remote, "rev-parse", "main").strip()


def test_what_is_there_already_or_was_wrong_a_moment_ago_is_looked_at_again(remote: Path) -> None:
    def strict(view: View) -> dict[str, bytes]:
        if view.read("theirs.txt") is None:
            raise BadInput("theirs.txt is missing")
        return {"ours.txt": b"ours"}

    ours = Repository.open(str(remote))
    ours.commit("main", "One", put("one.txt", b"1"))
    theirs = _commit_beside(remote, "theirs.txt")
    git(remote, "update-ref", "refs/heads/main", theirs)
    assert ours.commit("main", "One again", put("one.txt", b"1")) == theirs
    git(remote, "update-ref", "refs/heads/main", f"{theirs}~1")
    ours.tip("main")
    git(remote, "update-ref", "refs/heads/main", theirs)
    ours.commit("main", "Strict", strict)
    assert git(remote, "show", "main:ours.txt") == "ours"


@contextlib.contextmanager
def _fetches() -> Iterator[list[str]]:
    """Yield a list that grows with each fetch."""
    asked: list[str] = []
    real = Repository._fetch

    def spy(repository: Repository, branch: str, timeout: float) -> str:
        asked.append(branch)
        return real(repository, branch, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Repository, "_fetch", spy)
        yield asked


def _commit_beside(remote: Path, name: str) -> str:
    """Make a commit with one more file on main's tip, without moving main."""
    theirs = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=remote, input=b"theirs", capture_output=True, check=True
    ).stdout.decode()
    entries = git(remote, "ls-tree", "main") + f"100644 blob {theirs.strip()}\t{name}\n"
    unique = {line.partition("\t")[2]: line for line in entries.splitlines()}
    tree = subprocess.run(
        ["git", "mktree"], cwd=remote, input="\n".join(unique.values()), capture_output=True, text=True, check=True
    ).stdout.strip()
    return git(remote, "commit-tree", "-p", "main", "-m", f"theirs {time.time_ns()}", tree).strip()


def _harm(ours: Repository, how: str) -> None:
    objects = ours.mirror / "objects"
    if how == "lock":
        for name in ("refs/heads/main.lock", "packed-refs.lock", "shallow.lock"):
            (ours.mirror / name).touch()
        shutil.rmtree(objects)
    elif how == "objects":
        shutil.rmtree(objects)
        objects.mkdir()
    elif how == "empty objects":
        for file in [*objects.glob("??/*"), *objects.glob("pack/*.pack")]:
            file.chmod(0o644)
            file.write_bytes(b"")
    elif how == "head":
        (ours.mirror / "HEAD").unlink()
    elif how == "everything":
        shutil.rmtree(ours.folder)
    elif how == "half":
        shutil.rmtree(ours.mirror)
        (ours.folder / "new-half").mkdir(exist_ok=True)
    else:
        (ours.mirror / "config").write_bytes(b"\x00[[[")


def _writer(remote: Path, name: str, many: int, cache: Path) -> subprocess.Popen[str]:
    """Start a process that commits `many` files; its mirrors are in `cache`, as on a machine of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(remote), name, str(many)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
