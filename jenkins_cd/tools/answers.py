"""What foreign servers and programs answer: read up to a limit, and checked against its shape before anybody looks in.

A shape is what the protocol promises of the parts that are read here: a TypedDict, a msgspec.Struct, or a type built of
such (https://jcristharif.com/msgspec/supported-types.html). What else an answer has is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

LARGEST = 128 * 1024 * 1024  # bytes of a document, a log or a line, unpacked
_BOM = b"\xef\xbb\xbf"
_PIECE = 64 * 1024


class Malformed(ValueError):
    """An answer is not what its protocol says; the message says where, never what stands there."""


def document(data: bytes | str, shape: Any) -> Any:
    """Return the JSON document, as it is, once it fits `shape`. Raises Malformed."""
    import msgspec

    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    try:
        found = msgspec.json.decode(raw.removeprefix(_BOM))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON: {error}" if raw.strip() else "it is empty") from error
    return checked(found, shape)


def checked(found: Any, shape: Any) -> Any:
    """Return what was decoded, as it is, once it fits `shape`. Raises Malformed, which says where it does not."""
    converted(found, shape)
    return found


def converted(found: Any, shape: Any) -> Any:
    """Return what was decoded as an object of `shape`. Raises Malformed, which says where it does not fit."""
    import msgspec

    try:
        return msgspec.convert(found, shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error


def record(data: bytes | str, shape: Any) -> Any:
    """Return the JSON document as an object of `shape`. Raises Malformed."""
    return converted(document(data, Any), shape)


def bounded(answer: requests.Response, **how: Any) -> requests.Response:
    """Read the body of an answer up to LARGEST: a hook for the `response` of requests.

    A stream is left alone. Raises requests.RequestException for what is larger, or breaks off, or cannot be unpacked.
    """
    import requests

    if how.get("stream"):
        return answer
    data = bytearray()
    for piece in answer.iter_content(_PIECE):
        data += piece
        if len(data) > LARGEST:
            answer.close()
            raise requests.exceptions.ContentDecodingError(f"the answer is larger than {LARGEST:,} bytes")
    answer._content = bytes(data)  # what `content` would have read, without an end
    return answer


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, without their ends (LF or CRLF), the last also without one.

    Raises Malformed for one that is longer than LARGEST.
    """
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if len(rest) > LARGEST:
            raise Malformed(f"a line is longer than {LARGEST:,} bytes")
        *whole, last = rest.split(b"\n")
        rest = bytearray(last)
        yield from (bytes(line).removesuffix(b"\r") for line in whole)
    if rest:
        yield bytes(rest)
