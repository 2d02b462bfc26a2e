"""What is wrong with the configuration, one thing at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jenkins_cd.config import Origin
from jenkins_cd.config.record import record
from jenkins_cd.errors import BadInput

SHOWN = 100  # problems of one file; more would hide them


@record(frozen=True)
class Problem:
    """Something wrong, and where. `key` is dotted; empty for a whole file."""

    origin: Origin
    key: str
    message: str

    def __str__(self) -> str:
        """Return it as one line: `cd.yaml:3 (app): ci.build.timeout: expected …, found …`."""
        return f"{self.origin}: {self.key}: {self.message}" if self.key else f"{self.origin}: {self.message}"


HINT = "mend them and run jenkins-cd validate; jenkins-cd schema app|platform --markdown says what each key may hold"


def bad_input(problems: Sequence[Problem], hint: str = HINT) -> BadInput:
    """Return the error that lists every problem, file by file and line by line."""
    files = list(dict.fromkeys(one.origin.file or f"the {one.origin.layer}" for one in problems))
    count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'}"
    return BadInput(
        f"{count} in {' and '.join(files)}",
        hint,
        [str(one) for one in in_order(problems)],
    )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems sorted by file (in the order they were read) and line, each once."""
    unique = list(dict.fromkeys(problems))
    files = list(dict.fromkeys(one.origin.file for one in unique))
    return sorted(unique, key=lambda one: (files.index(one.origin.file), one.origin.line))
