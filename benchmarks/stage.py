"""What a stage adds to its command: the start of the command line, and its own work (log, gates, results)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks import app
from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round, timed
from jenkins_cd.model import StageResult
from jenkins_cd.results import FOLDER, load

TITLE = "one stage"
NOTE = "the stage build of an app with the custom toolchain; the command also starts, asks Git, and writes the report"
SECONDS = 0.5
BARE = f"sh -c '{app.command(SECONDS)}'"
AGAINST: tuple[str, ...] = (BARE,)
AIMS: Mapping[str, Aim] = {"added by the stage": Aim(limit=0.150)}


def prepare(folder: Path, installed: Installed) -> partial[Round]:
    """Return a round."""
    return partial(_once, installed, app.make(folder / "app", {"build": SECONDS}))


def _once(installed: Installed, checkout: Path) -> Round:
    bare = timed(("sh", "-c", app.command(SECONDS)), checkout)
    start = timed((installed.program, "--help"), checkout)
    whole = timed((installed.program, "ci", "build"), checkout)
    result = load(checkout / FOLDER, "build", StageResult)
    assert result, "the stage has passed, so its result is there"  # noqa: S101
    recorded = sum(command.seconds for command in result.commands)
    return {
        BARE: bare,
        "jenkins-cd --help": start,
        "jenkins-cd ci build": whole,
        "added by jenkins-cd ci build": whole - bare,
        "added by the stage": result.seconds - bare,
        "added by the stage to its command as recorded": result.seconds - recorded,
    }
