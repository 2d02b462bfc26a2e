"""`jenkins-cd logs`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.cluster.log_streams import Line
    from jenkins_cd.config.types import PlatformFile

TAIL = 100
_CLUSTER = "jenkins_cd.cluster.pod_logs"
_READERS: Mapping[str, str] = {"argocd": "jenkins_cd.argocd.app_logs"}  # by model; the others deploy with charts


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

    In an environment of the model argocd they are read through Argo CD, with the right `logs, get`. Else it reads as
    the account of the environment's namespace that only reads, where the kubeconfig (JENKINS_CD_KUBECONFIG, KUBECONFIG,
    ~/.kube/config) may make a token for it, else with the kubeconfig as it is.

    \b
    Example:
      jenkins-cd logs --app storefront --environment dev --follow
      jenkins-cd logs --app storefront --environment prod --previous --tail 30
    """
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.names import check_app, check_environment
    from jenkins_cd.tools import process

    if follow and previous:
        raise click.UsageError("a run that has ended cannot be followed: give --follow or --previous")
    names, number = (check_app(app), check_environment(environment)), None if tail < 0 else tail
    with process.interruptible():
        loaded = load_platform(platform, folder)
        read = _reader(loaded, names[1])
        for line in read(loaded, *names, tail=number, previous=previous, follows=follow, tell=_tell):
            click.echo(f"{line.source} │ {line.text}")


def _reader(platform: PlatformFile, environment: str) -> Callable[..., Iterator[Line]]:
    """Return what reads the logs in an environment: through Argo CD where that delivers, else from the cluster."""
    from jenkins_cd.deploy import known_environment

    model = known_environment(platform, environment).model
    found: Callable[..., Iterator[Line]] = importlib.import_module(_READERS.get(model, _CLUSTER)).lines
    return found


def _tell(text: str) -> None:
    click.echo(f"jenkins-cd: {text}", err=True)
