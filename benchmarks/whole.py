"""A whole `ci`, whose stages run at the same time, against a script that runs their commands in turn."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks import app
from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round, timed

TITLE = "the checks of an app"
STAGES = {"build": 0.5, "compiler-warnings": 1.0, "dead-code": 1.5, "code-standard": 3.0}  # none waits for another
NOTE = "stages that sleep " + ", ".join(f"{seconds:g} s" for seconds in STAGES.values()) + "; none waits for another"
SUM = "their commands in turn"
LONGEST = "the longest command"
AGAINST: tuple[str, ...] = (SUM, LONGEST)
AIMS: Mapping[str, Aim] = {"jenkins-cd ci": Aim(limit=1.1, against=LONGEST)}


def prepare(folder: Path, installed: Installed) -> partial[Round]:
    """Return a round."""
    return partial(_once, installed, app.make(folder / "app", STAGES))


def _once(installed: Installed, checkout: Path) -> Round:
    return {
        SUM: timed(("sh", "-c", " && ".join(map(app.command, STAGES.values()))), checkout),
        LONGEST: timed(("sh", "-c", app.command(max(STAGES.values()))), checkout),
        "jenkins-cd ci": timed((installed.program, "ci", *STAGES), checkout),
    }
