"""`jenkins-cd ci`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options, outcome

if TYPE_CHECKING:
    from jenkins_cd.ci_plan import CiPlan
    from jenkins_cd.model import CiResult
    from jenkins_cd.stages import Build, Stage


def _stage_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from jenkins_cd.model import STAGES

    return [name for name in STAGES if name.startswith(incomplete)]


@click.command()
@click.argument("stages", nargs=-1, metavar="[STAGE]...", shell_complete=_stage_names)
@click.option("--version", metavar="VERSION", help="The release's version; from Git where left out.")
@options.only_plan
@click.option("--fail-fast", is_flag=True, help="Stop all stages when one fails.")
@options.folder
@options.platform
@options.overrides
@options.as_json
def ci(
    stages: tuple[str, ...],
    version: str | None,
    only_plan: bool,
    fail_fast: bool,
    folder: Path,
    platform: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> int:
    """Build, test, check, package and upload a commit: all stages, or those that are named.

    Stages that do not wait for one another run at the same time. Results are kept in .jenkins-cd/.

    \b
    Example:
      jenkins-cd ci
      jenkins-cd ci unit-tests code-standard
      jenkins-cd ci --plan --json
    """
    from jenkins_cd import ci as runner
    from jenkins_cd.config.load import load
    from jenkins_cd.report import console, html
    from jenkins_cd.tools import process

    workspace = folder.resolve()
    selected = runner.select(stages)
    config = load(workspace, platform, overrides)
    with process.interruptible(), console.progress() as progress:
        build = runner.prepare(workspace, config, version, progress)
        if only_plan:
            return _plan(build, selected, platform, as_json)
        runner.check_source(build, selected)
        threading.Thread(target=html.warm).start()  # while the stages' programs run
        result = runner.run(build, selected, fail_fast=fail_fast)
    return _finish(build, result, as_json)


def _finish(build: Build, result: CiResult, as_json: bool) -> int:
    """Write the page and say how it went."""
    from jenkins_cd import checkout_locks
    from jenkins_cd import ci as runner
    from jenkins_cd.report import console, html
    from jenkins_cd.report.verdict import first_failure
    from jenkins_cd.results import save

    with checkout_locks.of_report(build.out):
        recorded = runner.recorded(build, result)
        save(build.out, "ci", recorded)
        page = html.write(build.out / "report", recorded, ())
    if first := first_failure(result):
        outcome.fail(f"{first.stage}: {first.reason}", first.evidence)
    if not options.report(result, as_json):
        console.ci_summary(result, page)
    return runner.exit_code(result)


def _plan(build: Build, selected: Mapping[str, Stage], platform: str | None, as_json: bool) -> int:
    from jenkins_cd import pipelines, results
    from jenkins_cd.ci_plan import plan
    from jenkins_cd.config.platform import locate

    out = results.prepare(build.workspace)
    planned = plan(build, selected, pipelines.snapshot(locate(platform, build.workspace), out))
    if not options.report(planned, as_json):
        _show_plan(planned)
    return 0


def _show_plan(plan: CiPlan) -> None:
    from jenkins_cd.report import console

    click.echo(f"{plan.app} {plan.version} ({plan.commit[:12]})\n")
    rows = [
        (
            str(step.wave + 1),
            step.stage,
            ", ".join(step.needs) or "–",
            step.skip_reason and f"skipped: {step.skip_reason}",
        )
        for step in sorted(plan.steps, key=lambda step: step.wave)
    ]
    console.table(("wave", "stage", "waits for", ""), rows)
