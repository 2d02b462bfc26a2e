"""`jenkins-cd validate`, `explain`, `schema` and `init`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.config.load import Examined
    from jenkins_cd.config.problem import Problem


@click.command()
@options.folder
@options.platform
@options.overrides
@options.as_json
def validate(folder: Path, platform: str | None, overrides: tuple[str, ...], as_json: bool) -> int:
    """Check cd.yaml and the platform file, or the one that is there; list every problem with its file and line.

    \b
    Example:
      jenkins-cd validate
      jenkins-cd validate --platform ../platform/platform.yaml
      jenkins-cd validate --set ci.unit-tests.coverage.minimum=90 --json
    """
    from jenkins_cd.config.load import examine

    found = examine(folder, platform, overrides)
    options.report(_verdict(found), as_json)
    found.sound()
    if not as_json:
        click.echo(f"{' and '.join(found.files)}: all right{_unchecked(found)}")
    return 0


def _unchecked(found: Examined) -> str:
    """Say what could not be checked, as only one of the files is there."""
    if found.platform is None:
        return "; not checked against a platform file, as there is none (--platform, JENKINS_CD_PLATFORM)"
    return "" if found.app else "; not checked against an app, as there is no cd.yaml"


def _verdict(found: Examined) -> Any:
    from jenkins_cd.config.problem import in_order

    @dataclass(frozen=True, kw_only=True)
    class Verdict:
        valid: bool
        files: tuple[str, ...]
        problems: list[Any]
        schema: Literal["jenkins_cd/validate/v1"] = "jenkins_cd/validate/v1"

    return Verdict(
        valid=not found.problems, files=found.files, problems=[_flat(one) for one in in_order(found.problems)]
    )


def _flat(problem: Problem) -> dict[str, Any]:
    place = problem.origin
    return {
        "file": place.file,
        "line": place.line,
        "layer": place.layer,
        "key": problem.key,
        "message": problem.message,
    }


@click.command()
@click.argument("key", required=False)
@options.folder
@options.platform
@options.overrides
@options.as_json
def explain(key: str | None, folder: Path, platform: str | None, overrides: tuple[str, ...], as_json: bool) -> int:
    """Show the value of KEY, or of all keys, and the layer, file and line that each came from.

    \b
    Example:
      jenkins-cd explain
      jenkins-cd explain ci.dead-code
      jenkins-cd explain environments.prod.after --json
    """
    from jenkins_cd.config import explain as room
    from jenkins_cd.config.load import examine

    found = examine(folder, platform, overrides).sound()
    roots = [root for root in (found.app, found.platform) if root is not None]
    explanation = room.explain(roots, found.origins, key)
    if options.report(explanation, as_json):
        return 0
    lines = [(f"{one.key}: {_shown(one.value)}", one.origin) for one in explanation.values]
    width = min(max(len(left) for left, _ in lines), 60)
    for left, origin in lines:
        click.echo(f"{left:<{width}}  {origin}")
    if len(explanation.values) == 1 and explanation.values[0].meaning:
        click.echo(explanation.values[0].meaning)
    return 0


def _shown(value: Any) -> str:
    import json

    from jenkins_cd.masking import mask

    if isinstance(value, float):
        return f"{value:g}"
    return mask(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


@click.command()
@click.argument("file", type=click.Choice(["app", "platform"]))
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the reference of its keys instead.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file, not the screen.",
)
def schema(file: str, as_markdown: bool, output: Path | None) -> int:
    """Print the JSON Schema (draft 2020-12) of cd.yaml (app) or platform.yaml (platform), for editors.

    \b
    Example:
      jenkins-cd schema app --output cd.schema.json
      jenkins-cd schema platform --markdown
    """
    import json

    from jenkins_cd.config.reference import markdown
    from jenkins_cd.config.schema import json_schema

    text = markdown(file) if as_markdown else json.dumps(json_schema(file), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    from jenkins_cd.results import write

    write(output, text.encode())
    click.echo(f"wrote {output}")
    return 0


@click.command()
@options.folder
@click.option("--app", metavar="NAME", help="The app's name; from the Git remote or the folder where left out.")
@click.option("--project", metavar="NAME", help="The product that it belongs to; likewise.")
@click.option("--toolchain", metavar="NAME", help="go, python or custom; detected where left out.")
def init(folder: Path, app: str | None, project: str | None, toolchain: str | None) -> int:
    """Write a commented cd.yaml for the toolchain that is found. A cd.yaml that is there stays as it is.

    \b
    Example:
      jenkins-cd init
      jenkins-cd init --app storefront --project shop --toolchain go
    """
    from jenkins_cd.config import init as room

    said = room.answers(folder, app, project, toolchain)
    file = room.write(folder, room.render(said))
    click.echo(f"wrote {file}: app {said.app} of project {said.project}, toolchain {said.toolchain}")
    click.echo("next: look through it, then jenkins-cd validate and jenkins-cd ci --plan")
    return 0
