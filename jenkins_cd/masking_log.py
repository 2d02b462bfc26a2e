"""A log that other programs write line by line, and that never has a secret in it, not even one over several lines."""

from __future__ import annotations

import re
from typing import IO

from jenkins_cd.masking import known, mask

HELD = 65_536  # bytes that are kept back at most
_MAY_GO_ON = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}\s*\Z")  # base64 that is broken over lines
_TAIL = 200  # bytes of a line that are looked at


class MaskedLog:
    """What is written is masked and goes to `sink`. A line that may be the beginning of base64 waits for the next."""

    def __init__(self, sink: IO[bytes]) -> None:
        """Write to `sink`, which stays open."""
        self._sink = sink
        self._held = bytearray()

    def write(self, line: bytes) -> None:
        """Add a line, with its end."""
        self._held += line
        if len(self._held) > HELD or not (known() and _MAY_GO_ON.search(line[-_TAIL:])):
            self.flush()

    def flush(self) -> None:
        """Write what is held back."""
        self._sink.write(mask(self._held.decode("utf-8", "replace")).encode())
        self._sink.flush()
        self._held.clear()
