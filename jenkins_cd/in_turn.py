"""Changes on a server, one after the other: a failure half way says what was done before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jenkins_cd.errors import JenkinsCdError, Refused


def require_allowed(refused: Iterable[tuple[str, str]], why: str, hint: str) -> None:
    """Raise Refused before the first change where there is one that is refused: each by its name, and what is amiss."""
    if lines := [f"{name}: {note}" for name, note in refused]:
        raise Refused(f"nothing was changed, as {why}\n" + "\n".join(lines), hint)


def carry_out(steps: Iterable[tuple[str, Callable[[], object]]], tell: Callable[[str], None]) -> None:
    """Do each step; `tell` hears what it was once it is done. Raises what a step does, with what was done before it."""
    done: list[str] = []
    for said, send in steps:
        try:
            send()
        except JenkinsCdError as error:
            error.message += f"\ndone before: {', '.join(done) or 'nothing'}"
            error.hint = f"{error.hint + '; then ' if error.hint else ''}run it again: it completes what is missing"
            raise
        done.append(said)
        tell(said)
