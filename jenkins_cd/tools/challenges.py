"""What a server asks for with a 401: the challenges of WWW-Authenticate (RFC 9110, section 11.6.1).

There may be several, in one header or in several (which then are one, joined by commas), in any order. A comma also
stands between the parameters of one challenge: a name with `=` after it is a parameter, one without begins the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, section 5.6.2
_BLANK = re.compile(r"[ \t,]*")
_SCHEME = re.compile(rf"({_TOKEN})(?=[ \t,]|$)[ \t]*")
# A value that has to be quoted, as an address, is also taken as it is: some servers forget the quotes.
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",=][^\s",]*))(?=[ \t,]|$)')
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)")
_REST = re.compile(r'(?:"(?:[^"\\]|\\.)*"?|[^,"])*')  # up to the next comma outside of quotes


@dataclass(frozen=True)
class Challenge:
    """One way to log in. Scheme and names are in lower case: both are told apart without regard to it."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse(header: str) -> list[Challenge]:
    """Return the challenges of a header, in its order. What is none is passed over; nothing is raised."""
    found: list[tuple[str, dict[str, str]]] = []
    at = _end(_BLANK, header, 0)
    while at < len(header):
        if parameter := _PARAMETER.match(header, at):
            if found:
                quoted, plain = parameter[2], parameter[3]
                value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                found[-1][1].setdefault(parameter[1].lower(), value)
            at = parameter.end()
        elif scheme := _SCHEME.match(header, at):
            found.append((scheme[1].lower(), {}))
            at = scheme.end()
            if not _PARAMETER.match(header, at):
                at = _end(_TOKEN68, header, at)
        else:
            at = max(_end(_REST, header, at), at + 1)
        at = _end(_BLANK, header, at)
    return [Challenge(scheme, parameters) for scheme, parameters in found]


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at
