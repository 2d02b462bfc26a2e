"""`jenkins-cd completion`: click brings the scripts."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    Example:
      eval "$(jenkins-cd completion bash)"        # in ~/.bashrc
      eval "$(jenkins-cd completion zsh)"         # in ~/.zshrc
      jenkins-cd completion fish > ~/.config/fish/completions/jenkins-cd.fish
    """
    from click.shell_completion import get_completion_class

    from jenkins_cd.cli import main

    script = get_completion_class(shell)
    if script is None:
        raise click.ClickException(f"no completion for {shell}")
    click.echo(script(main, {}, "jenkins-cd", "_JENKINS_CD_COMPLETE").source())
