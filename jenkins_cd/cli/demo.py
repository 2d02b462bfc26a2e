"""`jenkins-cd demo`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything up afterwards, to play with, until Ctrl-C.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is put: a new or empty folder, which stays. A temporary one where left out.",
)
def demo(keep: bool, folder: Path | None) -> int:
    """Take an example app from its commit to staging, on this machine, with everything that this needs.

    Starts a registry, a deploy repository and an agent that stands in for a cluster, then runs the commands that a
    user would type. The reports are kept in .jenkins-cd/demo/.

    \b
    Example:
      jenkins-cd demo
      jenkins-cd demo --keep
    """
    from jenkins_cd.demo import story
    from jenkins_cd.tools import process

    with process.interruptible():
        story.play(folder, keep)
    return 0
