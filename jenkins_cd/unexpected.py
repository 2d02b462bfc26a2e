"""What nobody expected: every exception becomes an error with a next step, and what is no known one leaves a log."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from jenkins_cd import os_failures
from jenkins_cd.errors import BadInput, JenkinsCdError, Unexpected


def as_error(error: Exception, arguments: Sequence[str] = ()) -> JenkinsCdError:
    """Return any exception as an error for people.

    One that is no known failure is a fault of ours: it is written to a log that can be sent, which the error names.
    """
    if isinstance(error, JenkinsCdError):
        return error
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):  # as pathlib says it until Python 3.12
        error = OSError(errno.ELOOP, str(error), str(error).partition("'")[2].rpartition("'")[0] or None)
    if isinstance(error, (OSError, UnicodeError, MemoryError)):
        return os_failures.explain(error)
    if isinstance(error, (ImportError, SyntaxError)):
        return BadInput(f"this installation of jenkins-cd is not whole: {error}", "install it again")
    file = None
    with contextlib.suppress(Exception):  # what is told must not fail over what cannot be kept
        file = write_log(error, arguments)
    sent = f"send {file} to who maintains jenkins-cd" if file else "no folder is writable for a log of it"
    return Unexpected(
        f"a fault of jenkins-cd itself: {type(error).__name__}: {_words(error)} (at {_place(error)})",
        f"{sent}; what was done so far is kept, so running it again may help",
    )


def write_log(error: BaseException, arguments: Sequence[str] = ()) -> Path | None:
    """Write what is known of an exception into the first place that is writable; returns the file, None where none is.

    Secrets are masked, and the values of variables are not in it.
    """
    import time

    name = f"crash-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getpid()}.log"
    content = _content(error, arguments).encode("utf-8", "backslashreplace")
    for folder in _places():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(folder / name, flags, 0o600), "wb") as stream:
                stream.write(content)
        except OSError:
            continue
        return folder / name
    return None


def _places() -> Iterator[Path]:
    """Yield where a log may go: with the results of this checkout, which Jenkins keeps; the cache; elsewhere."""
    import tempfile

    from jenkins_cd.tools.lock import cache_folder

    if os_failures.folder_is_there() and Path(".jenkins-cd").is_dir() and not Path(".jenkins-cd").is_symlink():
        yield Path.cwd() / ".jenkins-cd"
    with contextlib.suppress(JenkinsCdError):
        yield cache_folder() / "crashes"
    with contextlib.suppress(OSError):
        yield Path(tempfile.gettempdir())


def _content(error: BaseException, arguments: Sequence[str]) -> str:
    import platform
    import shlex
    import traceback

    from jenkins_cd import __version__
    from jenkins_cd.masking import mask

    lines = [
        f"jenkins-cd {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"$ {shlex.join(['jenkins-cd', *arguments])}",
        f"in {Path.cwd() if os_failures.folder_is_there() else 'a folder that is gone'}",
        f"encodings: {sys.getfilesystemencoding()}, {getattr(sys.stdout, 'encoding', None)}",
        "",
        *traceback.format_exception(type(error), error, error.__traceback__),
    ]
    return mask("\n".join(lines))


def _words(error: BaseException) -> str:
    from jenkins_cd.masking import mask

    return " ".join(mask(str(error)).split())[:300] or "no reason given"


def _place(error: BaseException) -> str:
    """Return the file and line of ours that it came through last."""
    from traceback import extract_tb

    frames = extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "jenkins_cd" in frame.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
