"""A log that comes in pieces, and that never shows a secret, not even one over two pieces or several lines."""

from __future__ import annotations

import re
from collections.abc import Callable

from jenkins_cd.masking import known, mask

HELD = 65_536  # characters of a line without end that are kept back before any of it is shown
REACH = 8_192  # characters of it that are looked at together wherever it is cut: no secret is found over more
_MAY_GO_ON = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}\s*\Z")  # base64 that is broken over lines
_TAIL = 200  # characters of a line that are looked at


class MaskedLog:
    """What is written is masked and shown, whole lines at a time.

    A line waits for its end, and one that may be the beginning of base64 for the next: half a secret is not found.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        """Give what may be shown to `show`."""
        self._show = show
        self._held = ""

    def write(self, piece: str) -> None:
        """Add a piece, which may end anywhere."""
        held = self._held + piece
        end = len(held)
        if known():
            end = held.rfind("\n") + 1
            end = 0 if _MAY_GO_ON.search(held[max(end - _TAIL, 0) : end]) else end
            end = end or _place_to_cut(held)
        self._held = held[end:]
        if end:
            self._show(mask(held[:end]))

    def flush(self) -> None:
        """Show what is held back."""
        held, self._held = self._held, ""
        if held:
            self._show(mask(held))


def _place_to_cut(held: str) -> int:
    """Return where a line that is too long may be cut so that no secret is cut in two; 0 where it is not so long yet.

    One that is at its end, or may go on after it, stays whole: what is beyond the place is kept back.
    """
    for end in range(len(held) - REACH, HELD - REACH, -REACH):
        around = held[end - REACH : end + REACH]
        if mask(around) == mask(around[:REACH]) + mask(around[REACH:]):
            return end
    return len(held) - REACH if len(held) > 2 * HELD else 0
