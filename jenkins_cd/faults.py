"""Where a failure must not end the work: whatever is raised becomes a reason in words. An interrupt stays one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from jenkins_cd.errors import Interrupted, JenkinsCdError

T = TypeVar("T")


def caught(work: Callable[[], T], otherwise: Callable[[str], T]) -> T:
    """Return what `work` returns, or what `otherwise` makes of the reason where it raises. Raises only Interrupted."""
    try:
        return work()
    except Interrupted:
        raise
    except Exception as error:
        return otherwise(reason(error))


def reason(error: Exception) -> str:
    """Return in a sentence why something failed, also where nobody thought of it."""
    if isinstance(error, JenkinsCdError):
        return error.message
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
