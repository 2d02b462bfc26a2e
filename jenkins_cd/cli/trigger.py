"""`jenkins-cd trigger deploy`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from jenkins_cd.cli import options

if TYPE_CHECKING:
    from jenkins_cd.jobs.trigger import Triggered


@click.group()
def trigger() -> None:
    """Start the shared jobs of Jenkins from another job, or from a laptop.

    \b
    Example:
      jenkins-cd trigger deploy --app storefront --version 1.4.0 \\
        --environment dev --wait
    """


@trigger.command()
@click.option("--app", required=True, metavar="NAME", help="The app.")
@click.option("--version", required=True, metavar="VERSION", help="A version that CI published.")
@click.option("--environment", required=True, metavar="NAME", help="Where to.")
@click.option("--wait", is_flag=True, help="Follow the build: its log, and its result as exit code.")
@click.option("--timeout", default="30m", show_default=True, metavar="TIME", help="How long all of it may take.")
@click.option(
    "--on-timeout",
    type=click.Choice(["abort", "leave"]),
    default="leave",
    show_default=True,
    help="What happens to the build then.",
)
@click.option("--job", metavar="FOLDER/NAME", help="The job; jenkins.deploy_job of the platform file where left out.")
@click.option("--url", metavar="URL", help="The Jenkins; jenkins.url of the platform file where left out.")
@options.platform
@options.folder
@options.as_json
def deploy(
    app: str,
    version: str,
    environment: str,
    wait: bool,
    timeout: str,
    on_timeout: Literal["abort", "leave"],
    job: str | None,
    url: str | None,
    platform: str | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Start the shared deploy job, and with --wait take its result.

    User and API token are read from JENKINS_USER and JENKINS_TOKEN (or JENKINS_TOKEN_FILE). A restart of Jenkins is
    waited for. Exit code 1: the build failed, was aborted or cancelled; 3: the time is over, or Jenkins is away.

    \b
    Example:
      jenkins-cd trigger deploy --app storefront --version 1.4.0 \\
        --environment dev --wait --timeout 20m --on-timeout abort
    """
    import contextlib
    import dataclasses
    from functools import partial

    from jenkins_cd.jobs import trigger as room
    from jenkins_cd.masking_log import MaskedLog
    from jenkins_cd.report.progress import Lines, emit
    from jenkins_cd.tools import jenkins, process

    seconds = _seconds(timeout)
    place = _place(url, job, platform, folder.resolve(), environment)
    request = room.checked(app, version, environment, place[1])
    # One attempt a look: the waiting is done, and told, by the room.
    connection = dataclasses.replace(
        jenkins.connect(place[0]), attempts=1, timeout=max(min(seconds, jenkins.TIMEOUT), 1)
    )
    lines, log = Lines(sys.stderr), MaskedLog(partial(emit, sys.stderr if as_json else sys.stdout))
    with process.interruptible(), contextlib.ExitStack() as stack:
        stack.callback(log.flush)
        done = room.deploy(
            connection,
            request,
            wait=wait,
            timeout=seconds,
            on_timeout=on_timeout,
            tell=lambda text: lines.note("trigger", text),
            show=log.write,
        )
    if not options.report(done, as_json):
        _show(done)
    if wait:
        room.require_success(done)


def _show(done: Triggered) -> None:
    if done.result is None:
        click.echo(f"{done.job}: queue item {done.queue_item} {done.url}")
        return
    name = f" ({done.display_name})" if done.display_name != f"#{done.number}" else ""
    click.echo(f"{done.job} #{done.number}{name}: {done.result} {done.url}")


def _seconds(timeout: str) -> float:
    import re

    from jenkins_cd.config.types import DURATION, seconds
    from jenkins_cd.errors import BadInput
    from jenkins_cd.masking import excerpt

    if not re.fullmatch(DURATION.pattern, timeout):
        raise BadInput(f"--timeout: {excerpt(timeout, 80)!r} is not {DURATION.expected}")
    return seconds(timeout)


def _place(url: str | None, job: str | None, platform: str | None, folder: Path, environment: str) -> tuple[str, str]:
    """Return the address of the controller and the job's full name: as given, else as the platform file says."""
    import re

    from jenkins_cd.config import platform as places
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.config.types import URL, Jenkins
    from jenkins_cd.deploy import known_environment
    from jenkins_cd.errors import BadInput
    from jenkins_cd.masking import excerpt

    if url and not re.fullmatch(URL.pattern, url):
        raise BadInput(f"--url: {excerpt(url, 80)!r} is not {URL.expected}")
    if url and (job or not places.locate(platform, folder)):
        return url, job or Jenkins().deploy_job
    rules = load_platform(platform, folder)
    known_environment(rules, environment)
    if not (url or rules.jenkins.url):
        raise BadInput("the platform file names no Jenkins", "give --url, or set jenkins.url in the platform file")
    return url or rules.jenkins.url or "", job or rules.jenkins.deploy_job
