"""The nearest valid name, for messages about a name that is not one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean x?)` for the known name that is most like `name`, or an empty string."""
    import difflib

    close = difflib.get_close_matches(name[:100], list(known), n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""
