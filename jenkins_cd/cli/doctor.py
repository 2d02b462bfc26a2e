"""`jenkins-cd doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from jenkins_cd.cli import options


@click.command()
@options.folder
@options.platform
@options.as_json
def doctor(folder: Path, platform: str | None, as_json: bool) -> int:
    """Check each tool, server and credential that the configuration needs, and say what mends what is missing.

    \b
    Example:
      jenkins-cd doctor
      jenkins-cd doctor --json
    """
    from jenkins_cd import doctor as room
    from jenkins_cd.config.load import load_any
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    app, rules = load_any(folder, platform)
    with process.interruptible():
        diagnosis = room.diagnose(folder.resolve(), app, rules)
    if options.report(diagnosis, as_json):
        return 0 if diagnosis.ok else 2
    rows = [(check.name, check.wanted, check.found, "passed" if check.ok else "failed") for check in diagnosis.checks]
    console.table(("needed", "wanted", "found", "status"), rows)
    for check in diagnosis.checks:
        if check.mend:
            click.echo(f"{check.name}: {check.mend}")
    return 0 if diagnosis.ok else 2
