"""The command line: arguments in, exit code out. A command's file is loaded when the command is used."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from jenkins_cd.errors import BadInput, Interrupted, JenkinsCdError

READER_GONE = 141  # 128 + SIGPIPE, as a shell says it of other programs
COMPLETION = "_JENKINS_CD_COMPLETE"  # set by the shell's completion script

COMMANDS: Mapping[str, tuple[str, str]] = {  # name → where it is defined, and the one line of --help
    "init": ("config:init", "Write a commented cd.yaml for the toolchain that is found."),
    "validate": ("config:validate", "Check cd.yaml and platform.yaml; list every problem."),
    "explain": ("config:explain", "Show a value, and the file and line it came from."),
    "schema": ("config:schema", "Print the JSON Schema of cd.yaml or platform.yaml."),
    "doctor": ("doctor:doctor", "Check the tools, servers and credentials that are needed."),
    "ci": ("ci:ci", "Build, test, check, package and upload a commit."),
    "baseline": ("baseline:baseline", "Record the findings that are known and allowed."),
    "common-chart": ("common_chart:common_chart", "Publish the common Helm chart."),
    "deploy": ("deploy:deploy", "Deploy a release to one environment."),
    "deliver": ("deploy:deliver", "Deploy a release to each automatic environment in turn."),
    "promote": ("promote:promote", "Bring a proven release to the next environment."),
    "approve": ("promote:approve", "Record that somebody approves a promotion."),
    "trigger": ("trigger:trigger", "Start the shared deploy job in Jenkins, and follow it."),
    "jobs": ("jobs:jobs", "Create and update the deploy and promote jobs in Jenkins."),
    "status": ("ledger:status", "Show what runs where."),
    "history": ("ledger:history", "Show the releases and deployments of an app."),
    "logs": ("logs:logs", "Show what the pods of an app say."),
    "diff": ("diff:diff", "Show what a deployment would change on what runs."),
    "drift": ("drift:drift", "Compare what runs in a cluster with what was released."),
    "render": ("render:render", "Write what a cluster needs, from the platform file."),
    "argocd": ("argocd:argocd", "Make and revoke tokens of Argo CD for a build."),
    "completion": ("completion:completion", "Print the completion script of a shell."),
    "demo": ("demo:demo", "Run the whole way on this machine, with everything it needs."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports only the one that is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the way from a commit to production."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"jenkins_cd.cli.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for; for an unknown one say the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from jenkins_cd.suggest import nearest

            ctx.fail(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of --help without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from jenkins_cd import __version__

        click.echo(f"jenkins-cd {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 passed, 1 a gate or verdict failed, 2 bad input or configuration, 3 an external system "
    "failed, 4 refused by policy, 130 interrupted.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show it.")
def main() -> None:
    """From a commit to production: the same steps in Jenkins and on a laptop.

    \b
    Example:
      jenkins-cd ci
      jenkins-cd deliver --app storefront --version 1.4.0
      jenkins-cd promote --app storefront --version 1.4.0 --to staging
    """


def run(given: Sequence[str]) -> int:
    """Run a command line and return its exit code; a failure is told on standard error, without a traceback.

    Whatever is raised ends here: what no other place has thought of leaves a log, and ends with 3. What Jenkins needs
    to know of it goes into the file that JENKINS_CD_RESULT names.
    """
    from jenkins_cd import masking
    from jenkins_cd.cli import outcome, streams

    streams.mend()
    arguments, code, error = list(given), 0, None
    astray = _watch_threads()
    try:
        masking.register_all(os.environ)
        arguments = outcome.arguments(given)
        code = _run(arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as failure:
        code, error = _failed(failure, arguments)
    code = code or max((stray.exit_code for stray in astray), default=0)
    try:
        outcome.write(arguments, code, error)
    except Exception as failure:
        unwritten, _ = _failed(failure, arguments)
        code = code or unwritten  # why the command failed stays what its exit code says
    streams.settle()
    return code


def _run(arguments: Sequence[str]) -> int:
    if COMPLETION in os.environ:
        main(prog_name="jenkins-cd")
    _refuse_odd(arguments)
    try:
        # What click's own main does beside this is to end with 1 where any pipe is broken.
        with main.make_context("jenkins-cd", list(arguments)) as context:
            result = main.invoke(context)
    except click.exceptions.Exit as ending:
        result = ending.exit_code
    return result if isinstance(result, int) else 0


def _refuse_odd(arguments: Sequence[str]) -> None:
    """Raise BadInput where an argument holds bytes that are no text in the encoding of this process."""
    from jenkins_cd.os_failures import shown

    for argument in arguments:
        if any("\ud800" <= letter <= "\udfff" for letter in argument):
            raise BadInput(f"the argument {shown(argument)!r} is not UTF-8", "write it, and the names in it, in UTF-8")


def _failed(failure: BaseException, arguments: Sequence[str]) -> tuple[int, Exception | None]:
    """Tell of what was raised; returns the exit code, and the error for who started us."""
    from jenkins_cd.cli import streams

    if isinstance(failure, click.ClickException):
        with contextlib.suppress(OSError):
            failure.show()
        return 2, failure
    if isinstance(failure, (click.Abort, EOFError, KeyboardInterrupt)):
        return _tell(Interrupted("interrupted")), Interrupted("interrupted")
    if isinstance(failure, BrokenPipeError) and streams.reader_is_gone():  # nothing is wrong
        return READER_GONE, None
    from jenkins_cd.unexpected import as_error

    assert isinstance(failure, Exception)  # noqa: S101 - nothing else is caught
    error = as_error(failure, arguments)
    return _tell(error), error


def _watch_threads() -> list[JenkinsCdError]:
    """Tell of what ends a thread as of any failure; returns the list that what is told goes into."""
    import threading

    seen: list[JenkinsCdError] = []

    def tell(ended: threading.ExceptHookArgs) -> None:
        from jenkins_cd.unexpected import as_error

        if isinstance(ended.exc_value, Exception):
            seen.append(as_error(ended.exc_value))
            _tell(seen[-1])

    threading.excepthook = tell
    return seen


def _tell(error: JenkinsCdError) -> int:
    with contextlib.suppress(OSError):  # nobody listens
        try:
            from jenkins_cd.report import console

            console.error(error)
        except Exception:  # an installation that is not whole
            click.echo(f"jenkins-cd: {error.message}\n  next: {error.hint}", err=True)
    return error.exit_code
