"""Paths of a checkout, whichever way a tool writes them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from urllib.parse import quote


@dataclass(frozen=True)
class Checkout:
    """A folder by all its names: as it was given, and without links."""

    given: str
    real: Path
    folder: re.Pattern[str]  # the folder in a text, with the slash behind it where there is one
    known: dict[str, str] = field(default_factory=dict)  # paths that were looked up

    @classmethod
    def at(cls, folder: Path) -> Checkout:
        """Return the checkout in a folder."""
        given, real = os.path.abspath(folder), folder.resolve()  # noqa: PTH100 - links stay
        names = {name for path in (given, str(real)) for name in (path, quote(path)) if path != "/"}
        words = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or "(?!)"
        return cls(given, real, re.compile(rf"(?:{words})(?:/|(?![\w@+~%-]|\.\w))"))

    def relative(self, file: str) -> str:
        """Return a path relative to the checkout, with forward slashes; one outside of it stays as it is."""
        if file not in self.known:
            self.known[file] = self._relative(file)
        return self.known[file]

    def without_folder(self, text: str) -> str:
        """Return a text in which paths of the checkout are relative to it."""
        return self.folder.sub("", text) if "/" in text else text

    def _relative(self, file: str) -> str:
        path = os.path.normpath(self._posix(file))
        if path == "." or not file:
            return ""
        if not path.startswith(("/", "..")):
            return path
        whole = os.path.normpath(os.path.join(self.given, path))  # noqa: PTH118 - what is there does not matter
        for root in (self.given, str(self.real)):
            if whole == root:
                return ""
            if whole.startswith(f"{root.rstrip('/')}/"):
                return whole[len(root.rstrip("/")) + 1 :]
        return self._by_another_name(path) if path.startswith("/") else path

    def _posix(self, file: str) -> str:
        """Return a path with forward slashes: a backslash is one of Windows, unless a file here has it in its name."""
        if "\\" not in file or os.path.lexists(os.path.join(self.given, file)):  # noqa: PTH118
            return file
        return PureWindowsPath(file).as_posix()

    def _by_another_name(self, path: str) -> str:
        """Return the relative path where an absolute one leads into the checkout by other links, else itself."""
        try:
            return Path(path).resolve().relative_to(self.real).as_posix()
        except (OSError, ValueError, RuntimeError):
            return path
