"""`jenkins-cd render`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options, outcome

if TYPE_CHECKING:
    from jenkins_cd.argocd_setup.change import Change
    from jenkins_cd.argocd_setup.plan import Plan
    from jenkins_cd.argocd_setup.setup import Setup
    from jenkins_cd.cluster.rbac import Grant


@click.group()
def render() -> None:
    """Print what the platform team applies, made from the platform file and the ledger.

    \b
    Example:
      jenkins-cd render rbac --environment dev | kubectl apply -f -
      jenkins-cd render argocd --check
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
    from jenkins_cd.tools.yaml_writer import dump

    what = ", ".join(grant.apps) or "the common chart: nothing was released yet"
    lines = [f"# {grant.namespace}: {', '.join(grant.environments)}, for {what}"]
    lines += [f"# in the cluster of the context {grant.context}"] if grant.context else []
    lines += [f"# left out: {one}" for one in grant.left_out]
    documents = (f"---\n{dump(one)}" for one in grant.objects)
    return "\n".join(lines) + "\n" + "".join(documents)


@render.command()
@click.option("--project", metavar="NAME", help="One project, which need not have released yet; else all that have.")
@click.option("--environment", metavar="NAME", help="Applications of one environment; else of all of the model argocd.")
@click.option("--apply", "wanted", flag_value="apply", help="Make it so, through Argo CD's API; nothing is deleted.")
@click.option("--check", "wanted", flag_value="check", help="Show what differs from what is there; exit code 1 then.")
@click.option("--adopt", is_flag=True, help="Change also what is there and jenkins-cd has not made.")
@options.folder
@options.platform
@options.as_json
def argocd(
    project: str | None,
    environment: str | None,
    wanted: str | None,
    adopt: bool,
    folder: Path,
    platform: str | None,
    as_json: bool,
) -> int:
    """Print what Argo CD needs: AppProjects with roles and sync windows, Applications, Secrets without credentials.

    --apply says which objects it makes and changes, --check each line of it. Both ask Argo CD itself, with the
    credential in JENKINS_CD_ARGOCD_TOKEN, or in JENKINS_CD_ARGOCD_USERNAME and JENKINS_CD_ARGOCD_PASSWORD.

    \b
    Example:
      jenkins-cd render argocd --project shop
      jenkins-cd render argocd --check
      jenkins-cd render argocd --apply
    """
    from datetime import datetime, timezone

    from jenkins_cd.argocd.site import server_of
    from jenkins_cd.argocd_setup import plan as plans
    from jenkins_cd.argocd_setup import setup
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.tools import process

    with process.interruptible():
        rules = load_platform(platform, folder)
        found = setup.render(rules, project, environment, datetime.now(timezone.utc))
        if not wanted:
            if not options.report(found, as_json):
                click.echo(setup.text(found), nl=False)
            return 0
        work = plans.plan(server_of(rules), rules, found, adopt=adopt)
        if wanted == "apply":
            plans.require_allowed(work.plan)
            if not as_json:
                _changes(work.plan)
            done = plans.apply(work, lambda text: click.echo(f"argocd: {text}", err=True))
            if not options.report(done, as_json):
                click.echo(f"\n{_counted(done)}")
                _unreleased(found)
            return 0
    if not options.report(work.plan, as_json):
        _differences(work.plan)
        _table(work.plan)
    if work.plan.differs:
        outcome.fail(f"{work.plan.url} is not set up as the platform file says", _told(work.plan), _NEXT)
    return 1 if work.plan.differs else 0


_NEXT = "jenkins-cd render argocd --apply makes it so"


def _differences(plan: Plan) -> None:
    from jenkins_cd.report.text import clean

    for change in plan.changes:
        if change.diff:
            click.echo(clean(change.diff))


def _changes(plan: Plan) -> None:
    """Show what is about to be done: a line an object, of one that is there the fields. --check shows each line."""
    _rows(plan, [one for one in plan.changes if one.action != "unchanged"])


def _table(plan: Plan) -> None:
    """Show what becomes of each object."""
    _rows(plan, plan.changes)
    click.echo(f"\n{_counted(plan)}")


def _rows(plan: Plan, changes: Sequence[Change]) -> None:
    from jenkins_cd.report import console

    click.echo(plan.url)
    if changes:
        click.echo()
        notes = ["; ".join(filter(None, (one.note, ", ".join(one.fields)))) for one in changes]
        rows = [(one.kind, one.name, one.action, note) for one, note in zip(changes, notes, strict=True)]
        console.table(("kind", "name", "what", "note"), rows)
    for one in plan.others:
        click.echo(f"there, and not in the platform file: {one}")


def _counted(plan: Plan) -> str:
    """Return how many objects become what, as `1 created, 12 unchanged`."""
    words = {one: f"{one}d" if plan.applied else f"to {one}" for one in ("create", "update")}
    counted = ", ".join(f"{number} {words.get(action, action)}" for action, number in plan.counts.items())
    return counted if plan.differs else f"nothing to do: all is as the platform file says ({counted or 'nothing'})"


def _unreleased(found: Setup) -> None:
    """Say what comes later, where nothing was released that could be delivered."""
    if not any(one.kind in ("Application", "ApplicationSet") for one in found.entries):
        click.echo("\nno app of it is released yet: run this again after jenkins-cd ci, for its Applications")


def _told(plan: Plan) -> str:
    return "\n".join(f"{one.title}: {one.note or one.action}" for one in plan.changes if one.action != "unchanged")
