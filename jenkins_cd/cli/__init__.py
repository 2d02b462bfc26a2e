"""The command line: arguments in, exit code out. A command's file is loaded when the command is used."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

import click

from jenkins_cd.errors import Interrupted, JenkinsCdError

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

    What Jenkins needs to know of it goes into the file that JENKINS_CD_RESULT names.
    """
    from jenkins_cd import masking
    from jenkins_cd.cli import outcome

    masking.register_all(os.environ)
    arguments = list(given)
    code: int
    error: Exception | None
    try:
        try:
            arguments = outcome.arguments(given)
        except JenkinsCdError as failure:
            code, error = _tell(failure), failure
        else:
            code, error = _run(arguments)
        outcome.write(arguments, code, error)
    except JenkinsCdError as failure:
        return _tell(failure)
    except Exception as failure:
        outcome.write(arguments, 1, failure)
        raise
    return code


def _run(arguments: Sequence[str]) -> tuple[int, Exception | None]:
    try:
        result = main(args=list(arguments), prog_name="jenkins-cd", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2, error
    except (click.Abort, KeyboardInterrupt):
        click.echo("jenkins-cd: interrupted", err=True)
        return 130, Interrupted("interrupted")
    except JenkinsCdError as error:
        return _tell(error), error
    except BrokenPipeError:  # whoever read our output has gone away: nothing is wrong
        sys.stderr.close()
        return 141, None
    return result if isinstance(result, int) else 0, None


def _tell(error: JenkinsCdError) -> int:
    from jenkins_cd.report import console

    console.error(error)
    return error.exit_code
