"""Steps that say something or end the build (https://www.jenkins.io/doc/pipeline/steps/workflow-basic-steps/)."""

from __future__ import annotations

from tests.jenkins.steps.blocks import UNITS, Unit
from tests.jenkins.steps.errors import aborted
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step


@step()
def echo(at: Running, message: str) -> None:
    at.log(message)


@step()
def error(at: Running, message: str = "") -> None:
    raise aborted(message)


@step()
def unstable(at: Running, message: str) -> None:
    at.log(f"WARNING: {message}")
    at.run.worsen("UNSTABLE")


@step()
def sleep(at: Running, time: int, unit: Unit = "SECONDS") -> None:
    at.log(f"Sleeping for {time} {unit.lower()}")
    at.wait(time * UNITS[unit])


@step()
def milestone(at: Running, ordinal: int | None = None, label: str = "") -> None:
    at.log("Trying to pass milestone" + (f" {ordinal}" if ordinal is not None else ""))
