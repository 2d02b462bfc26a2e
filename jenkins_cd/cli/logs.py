"""`jenkins-cd logs`."""

from __future__ import annotations

from pathlib import Path

import click

from jenkins_cd.cli import options

TAIL = 100


@click.command()
@click.option("--app", required=True, metavar="NAME", help="The app.")
@click.option("--environment", required=True, metavar="NAME", help="Where it runs.")
@click.option(
    "--follow", is_flag=True, help="Go on with what comes, also from pods that start later; ends with Ctrl-C."
)
@click.option("--previous", is_flag=True, help="The run before a container was restarted.")
@click.option(
    "--tail",
    type=click.IntRange(min=-1),
    default=TAIL,
    show_default=True,
    metavar="N",
    help="The last lines of each container; -1: all.",
)
@options.folder
@options.platform
def logs(
    app: str, environment: str, follow: bool, previous: bool, tail: int, folder: Path, platform: str | None
) -> None:
    """Show the logs of an app's pods, each line after the pod's name; secrets are masked.

    It reads as the account of the environment's namespace that only reads, where the kubeconfig (JENKINS_CD_KUBECONFIG,
    KUBECONFIG, ~/.kube/config) may make a token for it, else with the kubeconfig as it is.

    \b
    Example:
      jenkins-cd logs --app storefront --environment dev --follow
      jenkins-cd logs --app storefront --environment prod --previous --tail 30
    """
    from jenkins_cd.cluster import pod_logs
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.names import check_app, check_environment
    from jenkins_cd.tools import process

    if follow and previous:
        raise click.UsageError("a run that has ended cannot be followed: give --follow or --previous")
    wanted, number = (check_app(app), check_environment(environment)), None if tail < 0 else tail
    with process.interruptible():
        place = pod_logs.locate(load_platform(platform, folder), *wanted)
        if follow:
            for line in pod_logs.follow(place, tail=number, tell=_tell):
                click.echo(f"{line.source} │ {line.text}")
            return
        with pod_logs.opened(place) as cluster:
            for line in pod_logs.show(cluster, place, tail=number, previous=previous):
                click.echo(f"{line.source} │ {line.text}")


def _tell(text: str) -> None:
    click.echo(f"jenkins-cd: {text}", err=True)
