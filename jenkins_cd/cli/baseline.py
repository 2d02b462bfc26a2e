"""`jenkins-cd baseline`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.ratchet import Update


def _stage_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from jenkins_cd.ratchet import STAGES

    return [name for name in STAGES if name.startswith(incomplete)]


@click.command()
@click.argument("stages", nargs=-1, metavar="[STAGE]...", shell_complete=_stage_names)
@click.option("--accept", is_flag=True, help="Also add the findings that are new.")
@options.folder
@options.platform
@options.overrides
@options.as_json
def baseline(
    stages: tuple[str, ...],
    accept: bool,
    folder: Path,
    platform: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
) -> int:
    """Record the findings that are known: those that `gate.new` does not count.

    Reads what the last `jenkins-cd ci` of this commit found in compiler-warnings, dead-code and code-standard. What
    is no longer found leaves the baseline; what is new enters it with --accept only. Commit the file.

    \b
    Example:
      jenkins-cd ci dead-code; jenkins-cd baseline dead-code --accept
      jenkins-cd baseline
    """
    from jenkins_cd import ratchet
    from jenkins_cd.config.load import load

    workspace = folder.resolve()
    update = ratchet.update(workspace, load(workspace, platform, overrides), stages, accept=accept)
    if not options.report(update, as_json):
        _show(update)
    return 0


def _show(update: Update) -> None:
    from jenkins_cd.report import console

    rows = [
        (change.stage, str(change.known), str(change.removed), str(change.added), str(change.new))
        for change in update.stages
    ]
    console.table(("stage", "known", "removed", "added", "new, not added"), rows)
    click.echo(f"{update.file}: {'written, commit it' if update.written else 'unchanged'}")
    if any(change.new for change in update.stages):
        click.echo("new findings stay out of the baseline; --accept adds them")
