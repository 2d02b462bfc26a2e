"""Runs of CI that meet in one checkout: those that would be in each other's way wait, others go on side by side.

A stage has its files to itself while it runs, and what the stages before it have made stays as it is meanwhile. So
`ci unit-tests` and `ci dead-code` run at once, as Jenkins starts them; two whole runs do so one after the other.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from jenkins_cd import files, results
from jenkins_cd.model import STAGES
from jenkins_cd.stages import Build, Stage
from jenkins_cd.tools import lock


@contextlib.contextmanager
def of_stages(build: Build, stages: Mapping[str, Stage]) -> Iterator[None]:
    """Hold what a run of these stages needs: each of them alone, and those that they build on beside other readers.

    All runs take them in the same order, so that no two wait for one another. A `jenkins-cd ci` that a stage starts is
    part of the run. Raises Stopped where the run is ended while it waits.
    """
    if os.environ.get(results.WITHIN) == str(build.workspace):
        yield
        return
    needed = {need for stage in stages.values() for need in stage.NEEDS}
    with contextlib.ExitStack() as held:
        for name in STAGES:
            if name in stages or name in needed:
                held.enter_context(_of_stage(build, name, shared=name not in stages))
        yield


def of_report(out: Path) -> contextlib.AbstractContextManager[None]:
    """Hold the report of a checkout while it is made anew of what all runs have recorded."""
    return lock.held(files.own_folder(out, results.LOCKS) / "report.lock")


def _of_stage(build: Build, name: str, *, shared: bool) -> contextlib.AbstractContextManager[None]:
    def tell(holder: str) -> None:
        build.progress.note(name, f"waiting for another run in this checkout: {holder}")

    return lock.held(files.own_folder(build.out, results.LOCKS) / f"{name}.lock", tell, shared=shared)
