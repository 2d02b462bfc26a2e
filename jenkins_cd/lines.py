"""Lines of text as programs write them, and text without what steers a terminal.

`str.splitlines` is not used in this house: it also breaks lines at form feeds, U+2028 and seven more characters that
stand inside the lines of a diff, a source file or a message.
"""

from __future__ import annotations

import re

# ECMA-48 (5th edition, 5.3 to 5.6): control sequences, control strings with their end (BEL where xterm has it so), and
# what else an ESC begins. None reaches over a line: a string without an end must not swallow the rest.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]?"
)


def split_lines(text: str, *, keep_ends: bool = False) -> list[str]:
    """Return the lines of `text`: ended by LF or CR LF (POSIX.1-2017, 3.206 "Line"), and by nothing else.

    With `keep_ends` each has its end, whatever it is; joined they are `text` again.
    """
    *whole, rest = text.split("\n")
    if keep_ends:
        return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]
    return [line.rstrip("\r") for line in (*whole, *([rest] if rest else []))]


def without_escapes(text: str) -> str:
    """Return `text` without escape sequences of terminals, such as colours and links."""
    return _ESCAPES.sub("", text) if "\x1b" in text or "\x9b" in text else text
