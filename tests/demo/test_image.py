from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from jenkins_cd.demo import image
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import ExternalFailure
from tests.demo.oci import file, folder, layer, link, push


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "root"
    made.mkdir()
    return made


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_a_pulled_image_tells_what_it_runs_and_where(registry: Registry, tmp_path: Path) -> None:
    config = {"Entrypoint": ["/shop"], "Cmd": ["--open"], "Env": ["A=1", "B=x=y"], "WorkingDir": "/srv"}
    layers = [layer(file("shop", "#!/bin/sh\n", 0o755), folder("srv"))]
    digest = push(registry, "image/shop", "1", layers, config)

    program = image.pull(f"{registry.host}/image/shop", digest, tmp_path / "images", plain_http=True)

    assert program.argv == ("/shop", "--open")
    assert program.env == {"A": "1", "B": "x=y"}
    assert program.folder == program.root / "srv"
    assert (program.root / "shop").stat().st_mode & 0o111


@pytest.mark.parametrize("workdir", ["", "/", "/nowhere", "/srv/../srv2", "relative"])
def test_a_working_directory_that_is_not_there_is_the_root(registry: Registry, tmp_path: Path, workdir: str) -> None:
    digest = push(registry, "image/workdir", "1", [layer(file("a"))], {"WorkingDir": workdir})
    if ".." in workdir:
        with pytest.raises(ExternalFailure, match="leads out"):
            image.pull(f"{registry.host}/image/workdir", digest, tmp_path, plain_http=True)
    else:
        program = image.pull(f"{registry.host}/image/workdir", digest, tmp_path, plain_http=True)
        assert program.folder == program.root


def test_an_image_that_is_there_is_not_unpacked_again(registry: Registry, tmp_path: Path) -> None:
    digest = push(registry, "image/twice", "1", [layer(file("a", "first"))], {})
    first = image.pull(f"{registry.host}/image/twice", digest, tmp_path, plain_http=True)
    (first.root / "a").write_text("kept", encoding="utf-8")
    assert image.pull(f"{registry.host}/image/twice", digest, tmp_path, plain_http=True) == first
    assert (first.root / "a").read_text(encoding="utf-8") == "kept"


def test_an_image_that_is_not_there_is_named(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ExternalFailure, match="image/none has no image sha256:0"):
        image.pull(f"{registry.host}/image/none", "sha256:" + "0" * 64, tmp_path, plain_http=True)


def test_a_layer_that_was_changed_in_the_registry_is_refused(registry: Registry, tmp_path: Path) -> None:
    digest = push(registry, "image/damaged", "1", [layer(file("a", "as it was built"))], {})
    [blob] = [
        path
        for path in (registry.log.parent / "data").rglob("blobs/sha256/*/*/data")
        if path.read_bytes() == layer_of(registry, digest)
    ]
    blob.write_bytes(layer(file("a", "as somebody else wants it")))
    with pytest.raises(ExternalFailure):
        image.pull(f"{registry.host}/image/damaged", digest, tmp_path / "images", plain_http=True)
    assert not list((tmp_path / "images").iterdir())


def layer_of(registry: Registry, digest: str) -> bytes:
    from jenkins_cd.tools import registry as tool

    found = tool.manifest(f"{registry.host}/image/damaged", digest, plain_http=True)
    assert found
    return tool.blob(f"{registry.host}/image/damaged", found.document["layers"][0]["digest"], plain_http=True)


def test_later_layers_lie_over_earlier_ones(root: Path) -> None:
    image.apply(layer(file("etc/a", "old"), file("etc/b", "old")), root)
    image.apply(layer(file("etc/a", "new")), root)
    assert (root / "etc/a").read_text(encoding="utf-8") == "new"
    assert (root / "etc/b").read_text(encoding="utf-8") == "old"


def test_a_whiteout_removes_a_file_and_a_folder(root: Path) -> None:
    image.apply(layer(file("a"), file("folder/b"), file("c")), root)
    image.apply(layer(file(".wh.a"), file(".wh.folder")), root)
    assert names(root) == ["c"]


def test_an_opaque_folder_keeps_only_what_its_own_layer_has(root: Path) -> None:
    image.apply(layer(file("folder/old"), file("folder/deep/old")), root)
    image.apply(layer(file("folder/deep/new"), file("folder/.wh..wh..opq"), file("folder/new")), root)
    assert names(root) == ["folder", "folder/deep", "folder/deep/new", "folder/new"]


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "a/.."])
def test_an_entry_that_leads_out_is_refused(root: Path, name: str) -> None:
    with pytest.raises(ExternalFailure, match="leads out"):
        image.apply(layer(file(name, "x")), root)
    assert not (root.parent / "outside").exists()


def test_an_absolute_entry_lands_inside(root: Path) -> None:
    image.apply(layer(file("/etc/shop", "x"), file("//srv/shop", "x")), root)
    assert names(root) == ["etc", "etc/shop", "srv", "srv/shop"]


def test_nothing_is_written_or_removed_behind_a_link_that_leads_out(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    for attack in (file("way/new"), file("way/.wh.precious"), file("way/.wh..wh..opq")):
        with pytest.raises(ExternalFailure, match="behind a link"):
            image.apply(layer(link("way", "../outside"), attack), root)
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_a_file_replaces_a_link_and_not_what_it_points_to(root: Path) -> None:
    outside = root.parent / "outside"
    outside.write_text("precious", encoding="utf-8")
    image.apply(layer(link("way", "../outside"), file("way", "x")), root)
    assert outside.read_text(encoding="utf-8") == "precious"


def test_an_absolute_link_means_the_image_and_not_this_machine(root: Path) -> None:
    image.apply(layer(file("etc/hostname", "the image's"), link("usr/share/name", "/etc/hostname")), root)
    assert (root / "usr/share/name").read_text(encoding="utf-8") == "the image's"


def test_a_hard_link_takes_its_content_from_inside(root: Path) -> None:
    image.apply(layer(file("a", "x"), link("b", "a", tarfile.LNKTYPE)), root)
    assert (root / "b").read_text(encoding="utf-8") == "x"
    with pytest.raises(ExternalFailure, match="leads out"):
        image.apply(layer(link("c", "../../etc/hostname", tarfile.LNKTYPE)), root)


def test_a_layer_that_is_no_tar_file_is_refused(root: Path) -> None:
    with pytest.raises(ExternalFailure, match="cannot be unpacked"):
        image.apply(b"no tar file at all", root)
