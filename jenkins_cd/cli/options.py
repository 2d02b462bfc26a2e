"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jenkins_cd.pipelines import PipelinePlan

platform = click.option(
    "--platform",
    metavar="FILE|git+URL@REF:PATH",
    help="The platform file. Else JENKINS_CD_PLATFORM, else platform.yaml beside cd.yaml.",
)
overrides = click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value of cd.yaml. Repeatable."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
dry_run = click.option("--dry-run", is_flag=True, help="Show what would change, and stop.")
only_plan = click.option("--plan", "only_plan", is_flag=True, help="Show the steps and what each needs; run none.")
folder = click.option(
    "-C",
    "--directory",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="this folder",
    help="The app's checkout.",
)


def report(value: Any, as_json: bool) -> bool:
    """Keep what a command reports for whoever started it, and print it as JSON where that is wanted; returns that.

    The one way to print JSON: a command that has --json leaves its document also where nobody gave that.
    """
    from jenkins_cd.cli import outcome

    outcome.keep(value)
    if as_json:
        from jenkins_cd.results import json_pieces

        for piece in json_pieces(value):
            click.echo(piece, nl=False)
    return as_json


def report_pipeline(plan: PipelinePlan, as_json: bool) -> int:
    """Report the steps of a pipeline; on a terminal the command of each and the credentials that it is given."""
    from jenkins_cd.pipelines import rows
    from jenkins_cd.report import console

    if not report(plan, as_json):
        click.echo(f"{plan.title}\n")
        console.table(("step", "command", "credentials"), rows(plan.steps))
    return 0
