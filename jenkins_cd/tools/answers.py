"""What foreign servers and programs answer: read up to a limit, and checked against its shape before anybody looks in.

A shape is what the protocol promises of the parts that are read here: a TypedDict, a msgspec.Struct, or a type built of
such (https://jcristharif.com/msgspec/supported-types.html). What else an answer has is left as it is.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from jenkins_cd.errors import ExternalFailure

if TYPE_CHECKING:
    import requests

LARGEST = 128 * 1024 * 1024  # bytes of a document, a log or a line, unpacked
SAID = 256 * 1024  # bytes that are read of a refusal
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


@contextlib.contextmanager
def printed(program: str, what: str) -> Iterator[None]:
    """Let the reading of what a program printed fail as one ExternalFailure; `what` completes "cannot …"."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError) as error:
        why = str(error) if isinstance(error, Malformed) else type(error).__name__
        raise ExternalFailure(
            f"cannot {what}: {program} prints something else than it should ({why})",
            f"run it again; if it stays so, check which {program} is in PATH",
        ) from error


def whole_number(text: str) -> int:
    """Return the number that a text of digits is, 0 where it is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def moment(text: object) -> datetime | None:
    """Return a time of RFC 3339, in UTC where it names no zone; None where it is none."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
    return found.replace(tzinfo=timezone.utc) if found and found.tzinfo is None else found


def bounded(answer: requests.Response, **how: Any) -> requests.Response:
    """Read the body of an answer up to LARGEST: a hook for the `response` of requests.

    Of a refusal no more than SAID is read; a stream is left alone. Raises requests.RequestException for what is larger,
    or breaks off, or cannot be unpacked.
    """
    import requests

    if how.get("stream"):
        return answer
    data, most = bytearray(), LARGEST if answer.ok else SAID
    for piece in answer.iter_content(_PIECE):
        data += piece
        if len(data) > most:
            answer.close()
            break
    if answer.ok and len(data) > LARGEST:
        raise requests.exceptions.ContentDecodingError(f"the answer is larger than {LARGEST:,} bytes")
    answer._content = bytes(data[:most])  # what `content` would have read, however much there was
    answer.encoding = answer.encoding or "utf-8"  # else `text` guesses, for seconds where there is much of it
    return answer


def refusal(answer: requests.Response) -> requests.Response:
    """Return the refusal of a stream, its body read as far as there is one."""
    import requests

    try:
        return bounded(answer)
    except requests.RequestException:
        answer._content = b""
        return answer


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the lines of what comes in pieces, without their ends (LF or CRLF), the last also without one.

    Raises Malformed for one that is longer than LARGEST.
    """
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if b"\n" in piece:  # else what there is need not be looked through again
            *whole, last = rest.split(b"\n")
            rest = bytearray(last)
            yield from (bytes(line).removesuffix(b"\r") for line in whole)
        if len(rest) > LARGEST:
            raise Malformed(f"a line is longer than {LARGEST:,} bytes")
    if rest:
        yield bytes(rest)
