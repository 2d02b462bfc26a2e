"""`jenkins-cd drift`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options, outcome

if TYPE_CHECKING:
    from jenkins_cd.drift import AppDrift, Change, Drift


@click.command()
@click.option("--app", metavar="NAME", help="Only this app; every app that was deployed there where left out.")
@click.option("--environment", required=True, metavar="NAME", help="An environment of the model helm or argocd.")
@options.folder
@options.platform
@options.as_json
def drift(app: str | None, environment: str, folder: Path, platform: str | None, as_json: bool) -> int:
    """Compare what lives in the cluster with what was deployed, and show who changed it.

    For the model argocd all of it is asked of Argo CD, without an account in the cluster. What a commit wants that was
    not synced yet is told, and is no drift.

    Exit code 1 where something differs, 3 where it cannot be known. Values of Secrets are not shown.

    \b
    Example:
      jenkins-cd drift --environment prod
      jenkins-cd drift --app storefront --environment prod --json
    """
    from jenkins_cd import results
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.drift.environment import check
    from jenkins_cd.names import check_app, check_environment
    from jenkins_cd.report import console
    from jenkins_cd.report import drift as page
    from jenkins_cd.tools import process

    name, place = check_app(app) if app else None, check_environment(environment)
    with process.interruptible(), console.progress() as progress:
        found = check(load_platform(platform, folder), place, name, progress)
    out = results.prepare(folder.resolve())
    results.save(out, "drift", found)
    written = page.write(out / "report", found)
    if found.exit_code:
        hints = [page.next_step(place, one) for one in found.of("drifted")]
        hint = hints[0] if hints else "mend what the reason names, and look again"
        outcome.fail(f"{place}: {page.sentence(found)}", _evidence(found), hint)
    if not options.report(found, as_json):
        _show(found, written)
    return found.exit_code


def _show(found: Drift, written: Path) -> None:
    from jenkins_cd.report import console
    from jenkins_cd.report.drift import next_step, sentence, worst_first
    from jenkins_cd.report.text import clean

    click.echo(f"{found.environment}: {sentence(found)}\n")
    if found.apps:
        rows = [
            (one.app, one.version or "–", str(one.revision or "–"), one.state, one.reason) for one in worst_first(found)
        ]
        console.table(("app", "version", "revision", "state", "what"), rows)
    for one in found.of("drifted"):
        click.echo(f"\n{clean(one.app)}, in the namespace {one.namespace}:")
        console.table(("object", "field", "what", "wanted", "live", "by", "when"), [_row(each) for each in one.changes])
        click.echo(f"\nnext: {clean(next_step(found.environment, one))}")
    if unseen := sorted({kind for one in found.apps for kind in one.unseen}):
        click.echo(f"\nnot looked through for objects of no release, as the account may not: {', '.join(unseen)}")
    here = Path.cwd()
    click.echo(f"\nreport: {written.relative_to(here) if written.is_relative_to(here) else written}")


def _row(change: Change) -> tuple[str, ...]:
    from jenkins_cd.report.drift import NOBODY
    from jenkins_cd.report.text import one_line, shown

    values = [shown(one_line(value), 160) or "–" for value in (change.wanted, change.live)]
    when = f"{change.at:%Y-%m-%d %H:%M:%S}Z" if change.at else "–"
    return change.object, change.field or "–", change.kind, *values, change.by or NOBODY, when


def _evidence(found: Drift) -> str:
    """Return what differs, a line each: what the build says of it."""
    return "\n".join(line for one in found.apps for line in _lines(one))


def _lines(app: AppDrift) -> list[str]:
    from jenkins_cd.report.text import clean

    if app.state == "unknown":
        return [clean(f"{app.app}: {app.reason}")]
    return [
        clean(" ".join((f"{app.app}:", each.object, each.field, each.kind, f"by {each.by}" if each.by else "")).strip())
        for each in app.changes
    ]
