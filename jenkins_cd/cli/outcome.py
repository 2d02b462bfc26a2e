"""What a command leaves for the program that started it: the file that JENKINS_CD_RESULT names.

The shared library reads it after each step: what a person reads goes to the log, what Groovy needs goes here.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.free_text import FreeText
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask

RESULT = "JENKINS_CD_RESULT"
ARGUMENTS = "JENKINS_CD_ARGUMENTS"  # a JSON list of strings, for callers that would have to go through a shell
EVIDENCE = 20  # lines


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended. `document` is what --json would have printed."""

    arguments: tuple[FreeText, ...]
    exit_code: int
    message: FreeText = ""
    hint: FreeText = ""
    problems: tuple[FreeText, ...] = ()
    evidence: FreeText = ""
    document: Any = None
    schema: str = "jenkins_cd/result/v1"


@dataclass
class _Kept:
    """What the command at work has said so far."""

    document: Any = None
    message: str = ""
    hint: str = ""
    evidence: str = ""


_kept = _Kept()


def keep(document: Any) -> None:
    """Keep what the command reports."""
    _kept.document = document


def fail(message: str, evidence: str = "", hint: str = "") -> None:
    """Keep why a command ends with a verdict that is not good; errors that are raised say it themselves."""
    _kept.message, _kept.hint = message, hint
    _kept.evidence = "\n".join(split_lines(mask(evidence).strip("\n"))[:EVIDENCE])


def awaited() -> bool:
    """Tell whether the program that started us tells itself why we fail."""
    return bool(os.environ.get(RESULT))


def arguments(given: Sequence[str]) -> list[str]:
    """Return the arguments of the command line, or where it has none those of JENKINS_CD_ARGUMENTS.

    Those are shown on standard error as a person would type them. Raises BadInput where they are no list of strings.
    """
    text = os.environ.get(ARGUMENTS)
    if given or not text:
        return list(given)
    import json
    import shlex

    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{ARGUMENTS} is no JSON: {error}", 'give a list of strings, as ["ci", "--plan"]') from error
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise BadInput(f"{ARGUMENTS} is no JSON list of strings", 'as ["ci", "--plan"]')
    if any("\0" in word or _has_surrogate(word) for word in found):
        raise BadInput(
            f"{ARGUMENTS} holds a character that no command line can", "take it out: NUL or half a character"
        )
    import click

    from jenkins_cd.report.text import clean

    click.echo(f"$ {clean(shlex.join(['jenkins-cd', *found]))}", err=True)
    return found


def write(given: Sequence[str], exit_code: int, error: Exception | None = None) -> None:
    """Write the file that JENKINS_CD_RESULT names, if it names one.

    Raises BadInput where that is not possible, ExternalFailure where it may be later, as on a disk that is full.
    """
    name = os.environ.get(RESULT)
    if not name:
        return
    from jenkins_cd import files, os_failures, results

    message = _message(error) if error else _kept.message
    ended = Ended(
        arguments=tuple(given),
        exit_code=exit_code,
        message=message,
        hint=error.hint if isinstance(error, JenkinsCdError) else _kept.hint,
        problems=error.problems if isinstance(error, BadInput) else (),
        evidence=_kept.evidence,
        document=_kept.document,
    )
    file = Path(name)
    try:
        if not file.is_absolute():
            files.own_folder(Path(), *file.parent.parts)  # in the checkout, which somebody may have prepared
        files.write_pieces(file, (piece.encode() for piece in results.json_pieces(ended)))
    except OSError as failure:
        why = os_failures.explain(failure)
        raise type(why)(
            f"the result cannot be written to {name}: {why.message}", f"{why.hint}; see {RESULT}"
        ) from failure


def _message(error: Exception) -> str:
    """Return what a terminal shows of an error."""
    import click

    if isinstance(error, click.ClickException):
        return error.format_message()
    return getattr(error, "message", "") or f"{type(error).__name__}: {error}"


def _has_surrogate(word: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in word)
