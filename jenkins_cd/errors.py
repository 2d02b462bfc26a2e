"""One class a category of failure: its exit code, whether a retry can help, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class JenkinsCdError(Exception):
    """A failure with a message for people.

    `message` says what happened, to what and why; `hint` says what to do next. A raised one ends the command with
    `exit_code`; no traceback is shown.
    """

    exit_code = 1
    retryable = False
    phase = ""  # of a deployment, where it was raised in one

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the sentence that says what happened and the one that says what to do next, secrets masked.

        From here on nobody can cut them through the middle of a secret.
        """
        from jenkins_cd.masking import mask

        self.message = mask(message)
        self.hint = mask(hint)
        super().__init__(self.message)

    @property
    def sentence(self) -> str:
        """Return what happened and what to do next on one line, for where a failure is part of a result."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


class GateFailed(JenkinsCdError):
    """A check, a gate or a verdict failed, or could not be known."""

    exit_code = 1


class UnreadableReport(GateFailed):
    """A report of findings, tests or coverage is missing, or is not what it should be: nothing is known."""


class BadInput(JenkinsCdError):
    """An argument, a file or the configuration is wrong. `problems` holds every one that was found, a line each."""

    exit_code = 2

    def __init__(self, message: str, hint: str = "", problems: Sequence[str] = ()) -> None:
        """Keep the summary and each problem, already worded for people."""
        from jenkins_cd.masking import mask

        super().__init__(message, hint)
        self.problems = tuple(map(mask, problems))


class MissingTool(BadInput):
    """A program that is needed is not on this machine."""

    def __init__(self, tool: str, hint: str = "") -> None:
        """Name the program; `hint` is the command that installs it."""
        super().__init__(
            f"{tool} is not installed, or not in PATH", hint or "jenkins-cd doctor names what each missing tool needs"
        )
        self.tool = tool


class ExternalFailure(JenkinsCdError):
    """A server or a program that we depend on failed: worth a retry."""

    exit_code = 3
    retryable = True


class Unexpected(ExternalFailure):
    """A fault of ours: nobody thought of it. `unexpected.as_error` makes it, and leaves a log."""


class Refused(JenkinsCdError):
    """Policy does not allow it."""

    exit_code = 4


class Interrupted(JenkinsCdError):
    """Somebody stopped the run (Ctrl-C, SIGTERM, SIGHUP)."""

    exit_code = 130


class Stopped(Interrupted):
    """A program was ended because the run it belongs to is ending."""
