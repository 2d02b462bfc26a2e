"""`jenkins-cd common-chart`."""

from __future__ import annotations

from pathlib import Path

import click

from jenkins_cd.cli import options


@click.group()
def common_chart() -> None:
    """The Helm chart with the templates, that every app's chart depends on.

    \b
    Example:
      jenkins-cd common-chart publish
      helm show values "$(jenkins-cd common-chart path)"
    """


@common_chart.command()
def path() -> None:
    """Print the folder of the chart that ships with jenkins-cd.

    \b
    Example:
      helm lint "$(jenkins-cd common-chart path)"
    """
    from jenkins_cd.common_chart import FOLDER

    click.echo(FOLDER)


@common_chart.command()
@options.platform
@options.folder
@options.only_plan
@options.as_json
def publish(platform: str | None, folder: Path, only_plan: bool, as_json: bool) -> int:
    """Push it to the chart registry of the platform file.

    The same content under its version is left alone; other content is refused.

    \b
    Example:
      jenkins-cd common-chart publish --platform platform.yaml
    """
    from jenkins_cd import common_chart as chart
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.tools import process

    if only_plan:
        return _plan(platform, folder.resolve(), as_json)
    with process.interruptible():
        done = chart.publish(load_platform(platform, folder.resolve()))
    if not options.report(done, as_json):
        how = "published" if done.published else "is there already, nothing was changed"
        click.echo(f"{done.repository}/{done.name} {done.version} {how} ({done.digest})")
    return 0


def _plan(platform: str | None, folder: Path, as_json: bool) -> int:
    """Show the one step there is, for Jenkins."""
    from jenkins_cd import common_chart as chart
    from jenkins_cd import pipelines, results
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.config.platform import locate

    rules = load_platform(platform, folder)
    snapshot = pipelines.snapshot(locate(platform, folder), results.prepare(folder))
    return options.report_pipeline(chart.steps(rules, snapshot), as_json)
