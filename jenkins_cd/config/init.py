"""Write the first cd.yaml of an app: commented, for the toolchain that is found, never over a file that is there."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

from jenkins_cd.config import APP_FILE
from jenkins_cd.config.check import parse
from jenkins_cd.config.kinds import NAME
from jenkins_cd.config.types import AppFile
from jenkins_cd.errors import BadInput

TEMPLATE = Path(__file__).parent / "templates" / APP_FILE
_BUILD = "  # build:\n  #   run: make build               # a command instead of the toolchain's"
_CUSTOM_BUILD = "  build:\n    run: make build"  # custom has no commands of its own


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a cd.yaml cannot do without."""

    app: str
    project: str
    toolchain: str


def answers(
    workspace: Path, app: str | None = None, project: str | None = None, toolchain: str | None = None
) -> Answers:
    """Return what was said, else what the checkout says: its Git remote, its folder, its files.

    Raises BadInput where no name can be made of them, or more than one toolchain fits.
    """
    parts = _remote(workspace) or workspace.resolve().parts
    return Answers(
        app=_name(parts, -1, "app") if app is None else app,
        project=_name(parts, -2, "project") if project is None else project,
        toolchain=_toolchain(workspace, toolchain),
    )


def render(said: Answers) -> str:
    """Return the text of a cd.yaml. Raises BadInput where a name in it is none."""
    from jenkins_cd.tools.yaml_writer import scalar

    build = _CUSTOM_BUILD if said.toolchain == "custom" else _BUILD
    for option, value in vars(said).items():
        if not re.fullmatch(NAME.pattern, value) or len(value) > NAME.max_length:
            raise BadInput(f"--{option} {value[:60]!r} is no name: expected {NAME.expected}")
    names = {option: scalar(value) for option, value in vars(said).items()}  # an app may be called `on`
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(names, build=build)
    parse(text, AppFile, APP_FILE, "app")
    return text


def write(workspace: Path, text: str) -> Path:
    """Write cd.yaml whole or not at all. Raises BadInput where it is there, even if it came this very moment."""
    file = workspace / APP_FILE
    handle, name = tempfile.mkstemp(dir=workspace, prefix=f".{APP_FILE}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).chmod(0o644)
        os.link(name, file)  # unlike a rename, refuses to replace
    except FileExistsError as error:
        raise BadInput(f"{file} is there already and stays as it is", "jenkins-cd validate checks it") from error
    finally:
        Path(name).unlink()
    return file


def _remote(workspace: Path) -> tuple[str, ...]:
    """Return the path of the Git remote `origin` in parts, or nothing."""
    from jenkins_cd.errors import MissingTool
    from jenkins_cd.tools import process

    try:
        asked = process.run(["git", "config", "--get", "remote.origin.url"], cwd=workspace, timeout=10)
    except MissingTool:
        return ()
    url = asked.stdout.strip()
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    parts = tuple(part for part in path.removesuffix("/").removesuffix(".git").split("/") if part)
    return parts if asked.exit_code == 0 and len(parts) >= 2 else ()


def _name(parts: tuple[str, ...], index: int, option: str) -> str:
    """Make a name of a part of a path: lower-case, everything else a dash."""
    raw = parts[index] if len(parts) >= -index else ""
    name = re.sub(r"[^a-z0-9]+", "-", raw.lower()).lstrip("-0123456789")[: NAME.max_length].strip("-")
    if not name:
        raise BadInput(
            f"no name for the {option} can be made of {raw[:60]!r}", f"give one: jenkins-cd init --{option} NAME"
        )
    return name


def _toolchain(workspace: Path, said: str | None) -> str:
    from jenkins_cd.toolchains import detect, load

    return detect(workspace) if said is None else load(said).name
