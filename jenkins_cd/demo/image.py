"""Take an image out of a registry and lay its files into a folder, without letting one of them out of it.

Manifest and config: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md and config.md; layers and
whiteouts: layer.md of the same.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import registry

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True)
class Program:
    """What an image runs: `root` is the folder that is its file system."""

    root: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path  # the working directory, on this machine


def pull(repository: str, digest: str, cache: Path, plain_http: bool) -> Program:
    """Return the program of the image `repository`@`digest`, unpacked below `cache` unless it is there already.

    Raises ExternalFailure where the registry does not have it, a digest does not match, or a layer is not acceptable.
    """
    found = registry.manifest(repository, digest, plain_http)
    if found is None:
        raise ExternalFailure(f"{repository} has no image {digest}")
    if found.digest != digest:
        raise ExternalFailure(f"{repository} answered {found.digest} for {digest}")
    if "layers" not in found.document:
        raise ExternalFailure(f"{repository}@{digest} is no single image ({found.media_type})")
    config = json.loads(registry.blob(repository, found.document["config"]["digest"], plain_http))
    root = cache / digest.partition(":")[2]
    if not root.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as aside:
            unpacked = Path(aside) / "root"
            unpacked.mkdir()
            for layer in found.document["layers"]:
                apply(registry.blob(repository, layer["digest"], plain_http), unpacked)
            unpacked.rename(root)  # half an image is never taken for one
    return _program(root, config.get("config") or {})


def apply(layer: bytes, root: Path) -> None:
    """Lay one layer (a tar file, plain or compressed) over what is in `root`.

    Raises ExternalFailure for an entry that would be written outside of `root`, and for one that is no tar file.
    """
    written: set[Path] = set()
    try:
        with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as archive:
            for member in archive:
                place = _place(root, member.name)
                if place.name == OPAQUE:
                    _clear(place.parent, written)
                elif place.name.startswith(WHITEOUT):
                    _remove(place.parent / place.name[len(WHITEOUT) :])
                elif place != root:
                    _write(archive, member, place, root)
                    written.add(place)
    except (tarfile.TarError, OSError) as error:
        raise ExternalFailure(f"a layer of the image cannot be unpacked: {error}") from error


def _place(root: Path, name: str) -> Path:
    """Return where an entry goes; links that lower layers made are followed first, as they decide."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ExternalFailure(f"the image has an entry that leads out of it: {name}")
    if not parts:
        return root
    parent = root.joinpath(*parts[:-1]).resolve()
    if not parent.is_relative_to(root.resolve()):
        raise ExternalFailure(f"the image has an entry behind a link that leads out of it: {name}")
    return parent / parts[-1]


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path, root: Path) -> None:
    if member.isdir() and place.is_dir() and not place.is_symlink():
        return
    _remove(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        place.mkdir()
    elif member.issym():
        place.symlink_to(_inside(member.linkname, place, root))
    elif member.islnk():
        shutil.copy2(_place(root, member.linkname), place, follow_symlinks=False)
    elif member.isfile():
        source: IO[bytes] | None = archive.extractfile(member)
        with place.open("xb") as file:
            shutil.copyfileobj(source or io.BytesIO(), file)
        place.chmod(member.mode & 0o755 | 0o600)
    # Devices and pipes are left out: no program that the stand-in runs has a use for them.


def _inside(link: str, place: Path, root: Path) -> Path:
    """Return a link's target so that `/etc/x` is the image's, not this machine's."""
    target = Path(link)
    if target.is_absolute():
        depth = len(place.parent.relative_to(root.resolve()).parts)
        target = Path(*[".."] * depth, *target.parts[1:])
    return target


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _clear(folder: Path, keep: set[Path]) -> None:
    """Remove what lower layers put into a folder; what this layer wrote already stays."""
    for child in list(folder.iterdir()) if folder.is_dir() else ():
        if any(one.is_relative_to(child) and one != child for one in keep):
            _clear(child, keep)
        elif child not in keep:
            _remove(child)


def _program(root: Path, config: Mapping[str, Any]) -> Program:
    argv = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    env = dict(line.partition("=")[::2] for line in config.get("Env") or ())
    folder = _place(root, str(config.get("WorkingDir") or "/")).resolve()
    usable = folder.is_dir() and folder.is_relative_to(root.resolve())
    return Program(root, tuple(argv), env, folder if usable else root)
