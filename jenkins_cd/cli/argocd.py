"""`jenkins-cd argocd token` and `jenkins-cd argocd revoke`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.config.types import PlatformFile
    from jenkins_cd.tools.argocd import Server

_project = click.option("--project", required=True, metavar="NAME", help="The AppProject.")
_role = click.option("--role", default="ci", show_default=True, metavar="NAME", help="The role in it.")


@click.group()
def argocd() -> None:
    """Tokens of Argo CD for a build.

    Who makes them comes from JENKINS_CD_ARGOCD_TOKEN, or JENKINS_CD_ARGOCD_USERNAME and _PASSWORD: it needs the right
    `projects, update` on the project, or to be in a group of the role.

    \b
    Example:
      jenkins-cd argocd token --project shop --output token
      jenkins-cd argocd revoke --project shop --id jenkins-shop-17
    """


@argocd.command()
@_project
@_role
@click.option("--ttl", metavar="DURATION", help="How long it is good for; argocd.session where left out.")
@click.option("--id", "id_", metavar="BUILD", envvar="BUILD_TAG", help="The build; its earlier token is revoked.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to a file that only you can read: one for JENKINS_CD_ARGOCD_TOKEN_FILE.",
)
@click.option("--quiet", is_flag=True, help="Say nothing else.")
@options.folder
@options.platform
@options.as_json
def token(
    project: str,
    role: str,
    ttl: str | None,
    id_: str | None,
    output: Path | None,
    quiet: bool,
    folder: Path,
    platform: str | None,
    as_json: bool,
) -> None:
    """Make a token of a project's role for one build, and print it. Revoke it at the build's end.

    --json tells about the token, never the token itself: that goes to the file of --output.

    \b
    Example:
      jenkins-cd argocd token --project shop --ttl 30m --output token
      export JENKINS_CD_ARGOCD_TOKEN_FILE=token
      TOKEN=$(jenkins-cd argocd token --project shop --quiet)
    """
    from datetime import datetime, timezone

    from jenkins_cd.argocd_setup import tokens
    from jenkins_cd.config.types import seconds
    from jenkins_cd.errors import BadInput
    from jenkins_cd.tools import process

    if as_json and not output:
        raise BadInput("--json does not print the token, and there would be no other place for it", "give --output")
    rules, server = _opened(platform, folder)
    lifetime = seconds(_duration(ttl) if ttl else rules.argocd.session)
    with process.interruptible():
        made = tokens.make(server, project, lifetime, role, id_ or "")
    if output:
        _keep(output, made.text)
    else:
        click.echo(made.text)
    expires = datetime.fromtimestamp(made.expires_at, timezone.utc)
    about = tokens.About(id=made.id, project=project, role=role, expires=expires)
    if not options.report(about, as_json) and not quiet:
        until = f"{expires:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"the token {made.id} of proj:{project}:{role} is good until {until}", err=True)
        click.echo(f"at the end: jenkins-cd argocd revoke --project {project} --role {role} --id {made.id}", err=True)


@argocd.command()
@_project
@_role
@click.option(
    "--id", "id_", required=True, metavar="BUILD", envvar="BUILD_TAG", help="What `token` was given, or said."
)
@options.folder
@options.platform
@options.as_json
def revoke(project: str, role: str, id_: str, folder: Path, platform: str | None, as_json: bool) -> None:
    """Let the token of a build be worthless; those of other builds that have expired are cleaned away.

    \b
    Example:
      jenkins-cd argocd revoke --project shop --id jenkins-shop-17
    """
    from jenkins_cd.argocd_setup import tokens
    from jenkins_cd.tools import process

    _, server = _opened(platform, folder)
    with process.interruptible():
        found = tokens.revoke(server, project, role, id_)
    if options.report(found, as_json):
        return
    click.echo(f"the token of {id_} is {'revoked' if found.found else 'not there: there is nothing to revoke'}")
    if found.expired:
        click.echo(f"cleaned away, as they had expired: {', '.join(found.expired)}")


def _opened(platform: str | None, folder: Path) -> tuple[PlatformFile, Server]:
    from jenkins_cd.argocd.site import server_of
    from jenkins_cd.config.load import load_platform

    rules = load_platform(platform, folder)
    return rules, server_of(rules)


def _duration(text: str) -> str:
    import re

    from jenkins_cd.config.types import DURATION
    from jenkins_cd.errors import BadInput
    from jenkins_cd.masking import excerpt

    if not re.fullmatch(DURATION.pattern, text):
        raise BadInput(f"--ttl: expected {DURATION.expected}, found {excerpt(text, 40)!r}")
    return text


def _keep(file: Path, token: str) -> None:
    """Write a token at once or not at all, for our eyes only from the start. Raises BadInput where it cannot be."""
    import os
    import tempfile

    from jenkins_cd.errors import BadInput

    try:
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(f"{token}\n")
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"the token cannot be written to {file}: {error.strerror}", "see --output") from error
