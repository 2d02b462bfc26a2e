"""What a finding is, without where it is: its message as long as only lines and folders move.

A fingerprint is made of tool, rule, file, message and the source line's words, and of a count where these are equal. So
numbers go out of a message only where they tell a place; two findings that differ in any other number stay two.
"""

from __future__ import annotations

import re

_TO = r" ?[-–—] ?"
_COLUMN = r"(?:,? \(?(?:col(?:umn)?s?|char(?:acter)?s?)\.?:? ?\d+(?:-\d+)?)?"
_PLACE = re.compile(
    rf"\b(?:line(?:s|no|\(s\))?|ln\.?)(?: no\.?| number)?[ \xa0:=]{{1,2}}"
    rf"(?:#|(?<=\bline )\()?\d+(?::\d+)?(?:{_TO}\d+(?::\d+)?)?{_COLUMN}"
    r"(?:(?:,| and| to|, and| through)(?= \d+(?:-\d+)?(?:[,.;:)\]]|$| and| to)) \d+(?:-\d+)?)*"  # lines 12, 14 and 20
    rf"|\b\d+{_TO}\d+(?= lines?\b)"  # 10-20 lines
    r"|(?:(?<![\w.:])\d+)?:\d+(?:[:,]\d+)*"  # a.c:12:3, 12:3
    r"(?:(?:\.\d+)?(?:[-–—]|\.\.)\d+(?:[:.]\d+)*| [-–—] \d+:\d+)?"  # the end of a range: a.c:12:3-14, [10:1 - 20:5]
    r"|(?<=[^\W_])\.[a-z]\w{0,7}\(\d+(?:[,:] ?\d+|-\d+)*\)"  # a.cs(12,3)
    r"|(?<!\w)\(\d+[,:] ?\d+(?:-\d+)?\)"  # (12,3)
    r"|(?<=:)\[\d+,\d+\]"  # a.java:[12,3]
    r"|\brow \d+, col(?:umn)? \d+"
    r"|#(?:L|lines-)\d+(?:C\d+)?(?:[-:]L?\d+(?:C\d+)?)?"  # a.c#L12-L20
    rf"|\bL\d+(?:{_TO}L?\d+|:C?\d+)|(?:\(|\b(?:at|on|see|from) )L\d+\b|^L\d+(?=:)",  # L12-L20, (L12)
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d+")


def without_places(message: str) -> str:
    """Return a message with `#` for each number that says where something is."""
    if not any(character.isdigit() for character in message):
        return message
    return _PLACE.sub(lambda place: _NUMBER.sub("#", place[0]), message)
