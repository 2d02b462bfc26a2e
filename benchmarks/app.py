"""An app whose stages only sleep, so that every second above is jenkins-cd's own."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measure import timed


def make(folder: Path, seconds: Mapping[str, float]) -> Path:
    """Write a Git repository with one commit, whose stages sleep for so many seconds; returns its folder."""
    stages = "".join(_stage(name, duration) for name, duration in seconds.items())
    folder.mkdir()
    (folder / "cd.yaml").write_text("app: sleeper\nproject: benchmarks\ntoolchain: custom\nci:\n" + stages)
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "An app that sleeps")):
        timed(("git", *arguments), folder)
    return folder


def command(seconds: float) -> str:
    """Return the shell command of a stage."""
    return f"sleep {seconds}"


def _stage(name: str, seconds: float) -> str:
    checks = "" if name == "build" else "format: text\n"
    return textwrap.indent(f"{name}:\n" + textwrap.indent(f"run: {command(seconds)}\n{checks}", "  "), "  ")
