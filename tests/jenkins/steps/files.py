"""Steps on files (https://www.jenkins.io/doc/pipeline/steps/workflow-basic-steps/), and the library's resources."""
# ruff: noqa: N802, N803, RUF001 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import base64
import fnmatch
import shutil
import tarfile
from pathlib import Path

from tests.jenkins.steps.errors import Thrown, aborted
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step


@step(node=True)
def readFile(at: Running, file: str, encoding: str = "UTF-8") -> str:
    try:
        return _text(at.path(file).read_bytes(), encoding)
    except FileNotFoundError:
        raise Thrown("java.nio.file.NoSuchFileException", str(at.path(file))) from None


@step(node=True)
def writeFile(at: Running, file: str, text: str, encoding: str = "UTF-8") -> None:
    at.path(file).parent.mkdir(parents=True, exist_ok=True)
    content = base64.b64decode(text) if encoding == "Base64" else text.encode(encoding)
    at.path(file).write_bytes(content)


@step(node=True)
def fileExists(at: Running, file: str) -> bool:
    return at.path(file).exists()


@step(node=True)
def pwd(at: Running, tmp: bool = False) -> str:
    return str(at.temporary if tmp else at.folder)


@step(node=True)
def deleteDir(at: Running) -> None:
    shutil.rmtree(at.folder, ignore_errors=True)


@step(node=True)
def isUnix(at: Running) -> bool:
    return True


@step()
def libraryResource(at: Running, resource: str, encoding: str = "UTF-8") -> str:
    folder = at.build.library
    if folder is None or not (folder / "resources" / resource).is_file():
        raise aborted(f"No such library resource {resource} could be found.")
    return _text((folder / "resources" / resource).read_bytes(), encoding)


@step(node=True)
def stash(
    at: Running,
    name: str,
    includes: str = "**",
    excludes: str = "",
    useDefaultExcludes: bool = True,
    allowEmpty: bool = False,
) -> None:
    files = [
        each for each in matching(at.folder, includes, excludes) if not (useDefaultExcludes and ".git" in each.parts)
    ]
    if not files and not allowEmpty:
        raise aborted(f"No files included in stash ‘{name}’")
    with tarfile.open(at.run.shelf / f"{name}.tar", "w") as archive:
        for each in files:
            archive.add(at.folder / each, arcname=str(each))
    at.log(f"Stashed {len(files)} file(s)")


@step(node=True)
def unstash(at: Running, name: str) -> None:
    file = at.run.shelf / f"{name}.tar"
    if not file.is_file():
        raise aborted(f"No such saved stash ‘{name}’")
    at.folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file) as archive:
        archive.extractall(at.folder)  # noqa: S202 - made by stash


def matching(folder: Path, includes: str, excludes: str = "") -> list[Path]:
    """Return the files, relative to the folder, that Ant patterns (separated by commas) choose."""
    wanted, unwanted = _patterns(includes), _patterns(excludes)
    files = sorted(each.relative_to(folder) for each in folder.rglob("*") if each.is_file() or each.is_symlink())
    return [each for each in files if _any(each, wanted) and not _any(each, unwanted)]


def _patterns(text: str) -> list[list[str]]:
    patterns = [each.strip() for each in text.split(",") if each.strip()]
    return [(each + "**" if each.endswith("/") else each).split("/") for each in patterns]


def _any(file: Path, patterns: list[list[str]]) -> bool:
    return any(_matches(list(file.parts), each) for each in patterns)


def _matches(parts: list[str], pattern: list[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _text(content: bytes, encoding: str) -> str:
    return base64.b64encode(content).decode() if encoding == "Base64" else content.decode(encoding, "replace")
