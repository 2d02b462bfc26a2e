"""What the operating system says when it refuses something, told as what it means and what to do next."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError


@dataclass(frozen=True)
class Known:
    """An error number that has a known remedy. An empty meaning is the system's own words."""

    meaning: str
    hint: str
    error: type[JenkinsCdError] = BadInput


_MAKE_ROOM = "make room there, then run it again; nothing is half written"
_OTHER_PLACE = "give this user the right to it, or name a place that is its own"
_LIMIT = "raise the limit of this user or container, or run less beside it"

KNOWN: Mapping[int, Known] = {
    errno.ENOSPC: Known("the disk is full", _MAKE_ROOM, ExternalFailure),
    errno.EDQUOT: Known("this user's quota of the disk is used up", _MAKE_ROOM, ExternalFailure),
    errno.EFBIG: Known("the file would be larger than this process may write", _LIMIT, ExternalFailure),
    errno.EROFS: Known("it is on a file system that is read-only", "mount it writable, or name a place that is"),
    errno.EACCES: Known("", _OTHER_PLACE),
    errno.EPERM: Known("", _OTHER_PLACE),
    errno.ENOENT: Known("it is not there", "make it, or name one that is there"),
    errno.ENOTDIR: Known("a part of the path is no folder", "remove what stands in its way, or name another place"),
    errno.EISDIR: Known("it is a folder, not a file", "remove it, or name another place"),
    errno.EEXIST: Known("it is there already", "remove it, or name another place"),
    errno.ENOTEMPTY: Known("something writes into it at the same time", "see what does, then run it again"),
    errno.ELOOP: Known("it is a link that leads into itself, or one where none is allowed", "remove the link"),
    errno.ENAMETOOLONG: Known("its name is too long for the file system", "use a shorter name or folder"),
    errno.EMFILE: Known("too many files are open in this process", _LIMIT, ExternalFailure),
    errno.ENFILE: Known("too many files are open on this machine", _LIMIT, ExternalFailure),
    errno.ENOMEM: Known("there is no memory left", _LIMIT, ExternalFailure),
    errno.EAGAIN: Known("no more processes or threads may be started", _LIMIT, ExternalFailure),
    errno.EBADF: Known("it is closed", "leave it open, or lead it to a file or /dev/null"),
    errno.EIO: Known("the disk or the terminal does not work", "look at the disk, and at dmesg", ExternalFailure),
    errno.ESTALE: Known("the file server has lost it", "run it again; look at the NFS server", ExternalFailure),
}
_OTHER = Known("", "see that it is there and that this user may use it, then run it again", ExternalFailure)


def explain(error: OSError | UnicodeError | MemoryError) -> JenkinsCdError:
    """Return the error for people: what the operating system refused, which file it is about, what to do next.

    BadInput where somebody has to change something first, ExternalFailure where it may go by itself.
    """
    if isinstance(error, UnicodeError):
        return _not_utf8(error)
    if isinstance(error, MemoryError):
        return ExternalFailure("there is no memory left", _LIMIT)
    known = KNOWN.get(error.errno or 0, _OTHER)
    said = known.meaning or _said(error)
    if not error.filename and not folder_is_there():
        return BadInput("the folder that this was started in is not there any more", "change to one that is: cd")
    if str(error).find("No usable temporary directory") >= 0:
        return BadInput("there is no folder for temporary files", "set TMPDIR to one that this user can write to")
    return known.error(f"{_subject(error)}: {said}", _hint(error, known))


def folder_is_there() -> bool:
    """Tell whether the folder that this process is in still exists."""
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd does the same, and is to be asked no more than this
    except OSError:
        return False
    return True


def _subject(error: OSError) -> str:
    """Return the file that it is about, or both of a rename."""
    names = [shown(name) for name in (error.filename, error.filename2) if name is not None]
    return " → ".join(names) or "a file, a pipe or a connection"


def _said(error: OSError) -> str:
    words = error.strerror or str(error) or type(error).__name__
    return words[:1].lower() + words[1:]


def _hint(error: OSError, known: Known) -> str:
    """Return what to do next; which variable names another place, where one does."""
    import tempfile

    name = shown(error.filename) if error.filename is not None else ""
    if (cache := _cache()) and name.startswith(cache):
        return f"{known.hint}; XDG_CACHE_HOME names another place"
    if os.path.dirname(name) == tempfile.gettempdir():  # noqa: PTH120 - a name need be no path
        return f"{known.hint}; TMPDIR names another place"
    return known.hint


def _cache() -> str:
    from jenkins_cd.files import home

    base = os.environ.get("XDG_CACHE_HOME") or (home() and str(home()))
    return str(base or "")


def shown(name: object) -> str:
    """Return a file's name such that any terminal can show it."""
    text = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else f"descriptor {name}"
    return re.sub("[\ud800-\udfff]", lambda odd: f"\\x{ord(odd[0]) & 0xFF:02x}", text)


def _not_utf8(error: UnicodeError) -> BadInput:
    what = "a file, an argument or a variable"
    if isinstance(error, UnicodeEncodeError):
        near = shown(error.object[max(error.start - 40, 0) : error.end + 20])
        return BadInput(f"a name or a text cannot be written as {error.encoding}: {near!r}", "use UTF-8 for it")
    if isinstance(error, UnicodeDecodeError):
        near = repr(bytes(error.object[max(error.start - 40, 0) : error.end + 20]))[1:]
        return BadInput(f"{what} is not {error.encoding}: {near}", "save or set it as UTF-8")
    return BadInput(f"{what} is not UTF-8: {error}", "save or set it as UTF-8")
