"""The text of a build's log as people read it, from what a controller tells piece by piece.

Since core 2.510 the pieces hold console notes, serialised objects that Jenkins draws links and colours from
(https://javadoc.jenkins.io/hudson/console/ConsoleNote.html): `ESC[8mha:`, Base64, `ESC[0m`. Lines end with CRLF. A
piece may end anywhere: in a line, in a note, in a letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LONGEST = 1024 * 1024  # bytes of a line that are waited for
_NOTE = re.compile(rb"\x1b\[8mha:[A-Za-z0-9+/=]*\x1b\[0m")


def clean(data: bytes) -> str:
    """Return what is whole in itself as text: without console notes, its lines ended by LF."""
    return _NOTE.sub(b"", data).replace(b"\r\n", b"\n").decode("utf-8", "replace")


@dataclass
class Console:
    """Takes the pieces of one log, in their order."""

    _rest: bytes = field(default=b"", repr=False)

    def feed(self, data: bytes) -> str:
        """Return the text that is whole with this piece: lines, or what there is of one that does not end."""
        self._rest += data
        end = self._rest.rfind(b"\n") + 1
        if not end and len(self._rest) > LONGEST:
            end = _before_note(self._rest)
        whole, self._rest = self._rest[:end], self._rest[end:]
        return clean(whole)

    def end(self) -> str:
        """Return what is left: no more will come."""
        whole, self._rest = self._rest, b""
        return clean(whole)


def _before_note(data: bytes) -> int:
    """Return where a line can be cut: in no note, unless that has no end either, and in no letter."""
    start = data.rfind(b"\x1b")
    if start > 0 and len(data) - start < LONGEST:
        return start
    letter = next(place for place in range(len(data) - 1, -1, -1) if data[place] & 0xC0 != 0x80)
    return letter or len(data)
