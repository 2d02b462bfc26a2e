"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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
folder = click.option(
    "-C",
    "--directory",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="this folder",
    help="The app's checkout.",
)


def show_json(value: Any) -> None:
    """Print one of the model's values as JSON on standard output."""
    from jenkins_cd.results import to_json

    click.echo(to_json(value))
