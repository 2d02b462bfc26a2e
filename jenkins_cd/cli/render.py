"""`jenkins-cd render`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.cluster.rbac import Grant


@click.group()
def render() -> None:
    """Print what the platform team applies, made from the platform file and the ledger.

    \b
    Example:
      jenkins-cd render rbac --environment dev | kubectl apply -f -
    """


@render.command()
@click.option("--environment", metavar="NAME", help="One environment; else all of the model helm.")
@click.option("--project", metavar="NAME", help="One project, which need not have released yet; else all that have.")
@click.option(
    "--bootstrap",
    metavar="NAMESPACE/NAME",
    help="The service account whose kubeconfig Jenkins holds: it may ask for tokens of the accounts, and nothing else.",
)
@options.folder
@options.platform
@options.as_json
def rbac(
    environment: str | None,
    project: str | None,
    bootstrap: str | None,
    folder: Path,
    platform: str | None,
    as_json: bool,
) -> int:
    """Print the accounts and rights that deploying with Helm needs, as YAML.

    In each namespace: an account that deploys, with no more than Helm needs for the kinds in the charts that were
    released, and one that only reads, without Secrets. No right is for the whole cluster.

    \b
    Example:
      jenkins-cd render rbac --environment dev --bootstrap jenkins/agent \\
        | kubectl apply -f -
      jenkins-cd render rbac --project shop --json
    """
    from jenkins_cd.cluster import rbac as room
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.tools import process

    wanted = room.Wanted(environment=environment, project=project, bootstrap=bootstrap)
    with process.interruptible():
        found = room.render(load_platform(platform, folder), wanted, lambda line: click.echo(line, err=True))
    if not options.report(found, as_json):
        click.echo("".join(text(grant) for grant in found.grants), nl=False)
    return 0


def text(grant: Grant) -> str:
    """Return the objects of a namespace as YAML, with what people should know in comments."""
    import yaml

    what = ", ".join(grant.apps) or "the common chart: nothing was released yet"
    lines = [f"# {grant.namespace}: {', '.join(grant.environments)}, for {what}"]
    lines += [f"# in the cluster of the context {grant.context}"] if grant.context else []
    lines += [f"# left out: {one}" for one in grant.left_out]
    documents = (f"---\n{yaml.safe_dump(one, sort_keys=False)}" for one in grant.objects)
    return "\n".join(lines) + "\n" + "".join(documents)
