"""What time it is by the servers that we talk to: a second opinion on this machine's clock.

Every answer over HTTP has a Date (RFC 9110, section 6.6.1). What a registry, Argo CD or an API server said last is
kept; what an app itself answers does not count.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

_LATEST = datetime(9000, 1, 1, tzinfo=timezone.utc)  # what is later is no clock, and cannot be counted on from
_seen: tuple[datetime, float] | None = None  # what a server said, and when by the clock that nobody sets


def note(headers: Mapping[str, str]) -> None:
    """Keep the Date of an answer; one that went through a cache says for how long in Age."""
    global _seen
    try:
        said = parsedate_to_datetime(headers["Date"])
        told = said.astimezone(timezone.utc) + timedelta(seconds=max(int(headers.get("Age") or 0), 0))
    except (KeyError, TypeError, ValueError, OverflowError):
        return
    if said.tzinfo is not None and told < _LATEST:
        _seen = told, time.monotonic()


def hook(answer: Any, *_: Any, **__: Any) -> None:
    """Keep the Date of an answer, as a hook of requests."""
    note(answer.headers)


def now() -> datetime | None:
    """Return what the server that answered last would say now (UTC), or None where none has answered yet."""
    if _seen is None:
        return None
    said, at = _seen
    return said + timedelta(seconds=time.monotonic() - at)


def forget() -> None:
    """Forget what servers said."""
    global _seen
    _seen = None
