"""Files that anybody may have put there: read within bounds, and written where no link leads elsewhere.

What is read must be a regular file: a pipe would be waited for without end, a device read without end. What is written
goes into folders that are folders, and a file that is a link is replaced or refused, never followed.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from jenkins_cd.errors import BadInput

LARGEST = 64_000_000  # bytes
MOST_FILES = 100_000  # of a folder that is copied
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class Unfit(BadInput):
    """A file that is not there, or is not what it should be; `why` says it without the file's name."""

    def __init__(self, file: Path | str, why: str, hint: str = "") -> None:
        """Name the file, and say what is wrong with it."""
        super().__init__(f"{file} {why}", hint)
        self.why = why


def read(file: Path, largest: int = LARGEST) -> bytes:
    """Return what is in a file. Raises Unfit where there is no regular one, or it has more than `largest` bytes.

    A link is followed: who may have put it there is for the caller to know.
    """
    try:
        # Without O_NONBLOCK the opening of a pipe waits for somebody who writes.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unfit(file, f"is {kind(os.fstat(descriptor).st_mode)}, not a file")
            data = stream.read(largest + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that can be none, as one with NUL in it
        raise Unfit(file, f"cannot be read: {_reason(error)}") from error
    if len(data) > largest:
        raise Unfit(file, f"is larger than {_size(largest)}")
    return data


def read_if_there(file: Path, largest: int = LARGEST) -> bytes | None:
    """Return what is in a file, or None where there is none. Raises Unfit as `read` does."""
    return read(file, largest) if os.path.lexists(file) else None


def read_text(file: Path, largest: int = LARGEST) -> str:
    """Return the text of a file. Raises Unfit as `read` does, and where it is not UTF-8, with the line."""
    data = read(file, largest).removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unfit(
            f"{file}:{line}", f"is not UTF-8: it holds the byte 0x{data[error.start]:02x}", "save the file as UTF-8"
        ) from error


def write(file: Path, data: bytes) -> None:
    """Write a file at once or not at all: a reader sees the old one or the new one, and a link is replaced.

    Raises OSError that names the file.
    """
    write_pieces(file, [data])


def write_pieces(file: Path, pieces: Iterable[bytes]) -> None:
    """Write a file as `write` does, piece by piece as they are made."""
    import tempfile

    file.parent.mkdir(parents=True, exist_ok=True)
    with named(file, instead=True):
        _refuse_device(file)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.writelines(pieces)
            Path(name).chmod(0o644)
            Path(name).replace(file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def appending(file: Path) -> BinaryIO:
    """Open a file to append to, made where there is none. Raises OSError where it is a link, or no regular file."""
    with named(file):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(file, flags, 0o644)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unfit(file, "is no regular file", "remove it")
        return os.fdopen(descriptor, "ab")


def fresh(file: Path) -> None:
    """Make an empty file in the place of whatever stands there, which a link is itself and not what it names."""
    with named(file):
        file.unlink(missing_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))


def own_folder(root: Path, *names: str) -> Path:
    """Return the folder `names`, one in the other, below `root`; made where need be.

    Raises Unfit where one of them is a link or no folder: what we write would land elsewhere.
    """
    folder = root
    for name in names:
        folder /= name
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        mode = folder.lstat().st_mode
        if not stat.S_ISDIR(mode):
            raise Unfit(folder, f"is {kind(mode)}, not a folder: nothing is written there", "remove it")
    return folder


def empty_folder(root: Path, *names: str) -> Path:
    """Return the folder `names` below `root` with nothing in it. Raises Unfit as `own_folder` does."""
    folder = own_folder(root, *names)
    remove(folder)
    folder.mkdir()
    return folder


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, however deep it is nested and whatever it forbids its owner.

    A link is removed itself. Nothing need be there. Raises OSError where the system refuses it.
    """
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    prefix = os.urandom(8).hex()
    names = (path / f"{prefix}-{number}" for number in itertools.count())
    emptied, folders = [], [_opened_up(path)]
    while folders:
        folder = folders.pop()
        for entry in [*folder.iterdir()]:
            if entry.is_dir() and not entry.is_symlink():
                folders.append(_opened_up(entry).rename(next(names)))  # no path is too long then, and no stack too deep
            else:
                entry.unlink()
        emptied.append(folder)
    for folder in reversed(emptied):
        folder.rmdir()


def _opened_up(folder: Path) -> Path:
    """Let the owner do everything in a folder, as far as that is us; returns the folder."""
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)
    return folder


def copy_tree(source: Path, into: Path, within: Path, skip: Collection[Path] = ()) -> None:
    """Copy a folder of the checkout `within`, with what its links name in their place, but for what is in `skip`.

    Raises Unfit that names the first that cannot be copied: a link to nowhere, into itself or out of `within`, or what
    is neither a file nor a folder; also where there are more than MOST_FILES, as links that multiply make of a few.
    """
    import shutil

    root, left = within.resolve(), itertools.count(MOST_FILES, -1)

    def copy(folder: Path, to: Path, above: tuple[Path, ...]) -> None:
        above = (*above, folder.resolve())
        to.mkdir()
        for file in sorted(folder.iterdir()):
            if file in skip:
                continue
            if next(left) <= 0:
                raise Unfit(source, f"holds more than {MOST_FILES:,} files, counting what its links name")
            shown = file.relative_to(within)
            real = _real(file, shown)
            if not real.is_relative_to(root):
                raise Unfit(f"the link {shown}", "leads out of the checkout", "put a copy of what it names there")
            if any(place.is_relative_to(real) for place in above):
                raise Unfit(f"the link {shown}", "leads into itself", "remove it")
            if real.is_dir():
                copy(file, to / file.name, above)
            else:
                shutil.copy2(file, to / file.name)

    copy(source, into, ())


def home() -> Path | None:
    """Return the user's home folder, or None where neither HOME nor the user database names one."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def is_own(path: Path, *, folder: bool) -> bool:
    """Tell whether a folder, else a regular file, stands there itself, and not a link to one."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)


def kind(mode: int) -> str:
    """Return in words what the mode of a file says that it is."""
    if stat.S_ISLNK(mode):
        return "a link"
    return _KINDS.get(stat.S_IFMT(mode), "a file" if stat.S_ISREG(mode) else "no regular file")


@contextlib.contextmanager
def named(file: Path, *, instead: bool = False) -> Iterator[None]:
    """Put the name of `file` into an OSError of the block that has none, as those of write(2) have none.

    `instead`: also where it has the name of a file that is only on the way to this one.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None or instead:
            error.filename, error.filename2 = str(file), None
        raise


def _refuse_device(file: Path) -> None:
    """Raise OSError for a file that is a device, or among them as /dev/stdout: nobody wants that replaced by a file."""
    device = os.path.lexists(file) and stat.S_IFMT(file.lstat().st_mode) in (stat.S_IFCHR, stat.S_IFBLK)
    if device or file.parent == Path("/dev"):
        raise OSError(errno.EPERM, "it is a device, and would be replaced by a file", str(file))


def _real(file: Path, shown: Path) -> Path:
    """Return the file or folder that a path comes to in the end. Raises Unfit, calling it `shown`, where it is none."""
    try:
        real = file.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # Python 3.12 and older raise RuntimeError for a loop
        gone = isinstance(error, FileNotFoundError)
        why = f"leads to {file.readlink()}, which is not there" if gone else "leads into itself"
        raise Unfit(f"the link {shown}", why, "remove it, or make what it leads to") from error
    if not real.is_dir() and not real.is_file():
        raise Unfit(shown, f"is {kind(real.stat().st_mode)}, which cannot be copied", "remove it")
    return real


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)


def _size(largest: int) -> str:
    return f"{largest / 1024 / 1024:.0f} MiB" if largest % 1_000_000 else f"{largest // 1_000_000} MB"
