from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from jenkins_cd import files
from jenkins_cd.files import Unfit


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 10)
    assert files.read(file, 10) == b"x" * 10
    with pytest.raises(Unfit, match="file is larger than"):
        files.read(file, 9)


def test_what_is_no_regular_file_is_named_for_what_it_is_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name, kind in (("pipe", "a pipe"), ("zero", "a device"), ("folder", "a folder")):
        with pytest.raises(Unfit, match=f"{name} (is {kind}, not a file|cannot be read: Is a directory)"):
            files.read(tmp_path / name)


def test_a_socket_and_names_that_are_none_are_unfit_too(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(Unfit, match="cannot be read"):
            files.read(tmp_path / "socket")
    (tmp_path / "loop").symlink_to("loop")
    for file in (tmp_path / "gone", tmp_path / "loop", tmp_path / "x\0y", tmp_path / ("n" * 300)):
        with pytest.raises(Unfit, match="cannot be read"):
            files.read(file)


def test_a_file_that_may_be_missing_is_none_but_a_link_to_nowhere_is_told(tmp_path: Path) -> None:
    assert files.read_if_there(tmp_path / "gone") is None
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(Unfit):
        files.read_if_there(tmp_path / "link")


def test_text_that_is_not_utf_8_is_told_with_its_line_and_byte(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xef\xbb\xbfone\ntwo \xff\n")
    with pytest.raises(Unfit, match=r"file:2 is not UTF-8: it holds the byte 0xff"):
        files.read_text(file)
    file.write_bytes(b"\xef\xbb\xbfone")
    assert files.read_text(file) == "one"


def test_a_link_is_replaced_by_what_is_written_and_never_written_through(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    for content in (b"new", None):
        victim.write_bytes(b"keep")
        link.unlink(missing_ok=True)
        link.symlink_to(victim)
        files.write(link, content) if content else files.fresh(link)
        assert not link.is_symlink()
        assert victim.read_bytes() == b"keep"


@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout", "/dev/there-is-none"])
def test_a_device_is_not_replaced_by_a_file(device: str) -> None:
    before = os.path.lexists(device) and os.lstat(device)
    with pytest.raises(PermissionError, match="it is a device"):
        files.write(Path(device), b"x")
    assert (os.path.lexists(device) and os.lstat(device)) == before


def test_nothing_is_appended_through_a_link_or_into_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):
        with pytest.raises((OSError, Unfit)):
            files.appending(tmp_path / name)
    assert not (tmp_path / "victim").exists()


@pytest.mark.parametrize("depth", [1, 2])
def test_a_folder_of_ours_is_no_link_at_any_level(tmp_path: Path, depth: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("keep")
    link = tmp_path / "own" if depth == 1 else tmp_path / "own" / "inner"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    for work in (files.own_folder, files.empty_folder):
        with pytest.raises(Unfit, match="is a link, not a folder"):
            work(tmp_path, "own", "inner")
    assert (elsewhere / "precious").read_text() == "keep"


def test_an_error_without_a_name_gets_that_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, files.named(tmp_path):
        Path("/dev/full").write_bytes(b"x")
    assert caught.value.filename == str(tmp_path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder to copy, in a checkout."""
    (tmp_path / "checkout/chart/templates").mkdir(parents=True)
    (tmp_path / "checkout/chart/Chart.yaml").write_text("name: x\n")
    return tmp_path / "checkout/chart"


def copied(tree: Path) -> Path:
    files.copy_tree(tree, tree.parent / "copy", tree.parent)
    return tree.parent / "copy"


def test_links_within_the_checkout_are_copied_as_what_they_name(tree: Path) -> None:
    (tree.parent / "shared").mkdir()
    (tree.parent / "shared/a.yaml").write_text("a: b\n")
    (tree / "templates/a.yaml").symlink_to("../../shared/a.yaml")
    (tree / "shared").symlink_to("../shared")
    copy = copied(tree)
    assert (copy / "templates/a.yaml").read_text() == (copy / "shared/a.yaml").read_text() == "a: b\n"
    assert not [file for file in copy.rglob("*") if file.is_symlink()]


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("../gone", "leads to ../gone, which is not there"),
        ("odd", "leads into itself"),
        (".", "leads into itself"),
        ("..", "leads into itself"),
        ("/etc", "leads out of the checkout"),
        ("../../outside", "leads out of the checkout"),
    ],
)
@pytest.mark.parametrize("within", ["", "templates/"])
def test_a_link_that_cannot_be_copied_is_named(tree: Path, target: str, why: str, within: str) -> None:
    (tree.parents[1] / "outside").mkdir()
    (tree / f"{within}odd").symlink_to(target if not within or target[0] == "/" or target == "odd" else f"../{target}")
    with pytest.raises(Unfit, match=rf"the link chart/{within}odd (leads)"):
        copied(tree)
    if not within:
        with pytest.raises(Unfit, match=why):
            files.copy_tree(tree, tree.parent / "again", tree.parent)


def test_a_link_in_a_folder_that_is_linked_is_looked_at_as_well(tree: Path) -> None:
    (tree.parent / "shared").mkdir()
    (tree.parent / "shared/etc").symlink_to("/etc")
    (tree / "shared").symlink_to("../shared")
    with pytest.raises(Unfit, match="the link chart/shared/etc leads out of the checkout"):
        copied(tree)


def test_two_links_that_lead_to_one_another_end(tree: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tree.parent / name).mkdir()
        (tree.parent / name / other).symlink_to(f"../{other}")
    (tree / "a").symlink_to("../a")
    with pytest.raises(Unfit, match="leads into itself"):
        copied(tree)


def test_links_that_multiply_are_counted(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 200)
    for level in range(20):
        (tree.parent / f"d{level}").mkdir()
        for name in "ab":
            (tree.parent / f"d{level}" / name).symlink_to(f"../d{level + 1}")
    (tree.parent / "d20").mkdir()
    (tree / "all").symlink_to("../d0")
    with pytest.raises(Unfit, match="more than 200 files"):
        copied(tree)


def test_a_pipe_is_not_copied(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(Unfit, match="pipe is a pipe, which cannot be copied"):
        copied(tree)


def test_what_is_removed_is_the_link_and_never_what_it_leads_to(tree: Path) -> None:
    elsewhere = tree.parent / "elsewhere"
    (elsewhere / "kept").mkdir(parents=True)
    (tree / "in").mkdir()
    (tree / "in" / "link").symlink_to(elsewhere)
    files.remove(tree)
    assert not tree.exists()
    link = tree.parent / "link"
    link.symlink_to(elsewhere)
    files.remove(link)
    files.remove(link)  # nothing need be there
    assert (elsewhere / "kept").is_dir()
