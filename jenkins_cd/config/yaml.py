"""YAML text → nodes that know their line; whatever is wrong with it as a problem in plain words.

PyYAML reads (YAML 1.1, https://yaml.org/spec/1.1/); its libyaml binding where it is there, being ten times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

SIZE_LIMIT = 1 << 20  # bytes
DEPTH_LIMIT = 60  # levels of nesting
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, with its place."""

    file: str
    line: int  # 1-based
    layer: str
    text: str

    def __str__(self) -> str:
        """Return it as messages show it."""
        return f"{self.file}:{self.line} ({self.layer}): {self.text}"


def read(path: Path, shown: str, layer: str) -> str | Problem:
    """Return the text of a file that is small enough and UTF-8, or what is wrong with it."""
    try:
        with path.open("rb") as stream:
            data = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        return Problem(shown, 1, layer, f"cannot be read: {error.strerror}")
    return decode(data, shown, layer)


def decode(data: bytes, shown: str, layer: str) -> str | Problem:
    """Return `data` as text, or what is wrong with it."""
    if len(data) > SIZE_LIMIT:
        return Problem(shown, 1, layer, f"larger than {SIZE_LIMIT >> 20} MiB; a file of settings is expected")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(shown, line, layer, f"byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8")


def compose(text: str, shown: str, layer: str) -> yaml.MappingNode | Problem:
    """Return the mapping that a text holds, or what is wrong with it."""
    if (line := _too_deep(text)) is not None:
        return Problem(shown, line, layer, f"nested more than {DEPTH_LIMIT} levels deep")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        return _syntax(error, text, shown, layer)
    if node is None:
        return Problem(shown, 1, layer, "the file is empty; expected keys and values (jenkins-cd init writes one)")
    if not isinstance(node, yaml.MappingNode):
        kind = "a list" if isinstance(node, yaml.SequenceNode) else "a single value"
        return Problem(shown, node.start_mark.line + 1, layer, f"expected keys and values at the top, found {kind}")
    return node


def _too_deep(text: str) -> int | None:
    """Return the line where nesting gets absurd: libyaml's composer recurses, and would use up the stack."""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip(" -"))
        depth = max(depth + line.count("[") + line.count("{") - line.count("]") - line.count("}"), 0)
        if depth > DEPTH_LIMIT or indent > 4 * DEPTH_LIMIT:
            return number
    return None


def _syntax(error: yaml.YAMLError, text: str, shown: str, layer: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else text.count("\n", 0, max(getattr(error, "position", 0), 0)) + 1
    lines = text.splitlines()
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\t" in source[: len(source) - len(source.lstrip())] or source[mark.column if mark else 0 :].startswith("\t"):
        return Problem(shown, line, layer, "a tab; YAML is indented with spaces")
    if "\0" in text:
        return Problem(shown, text.count("\n", 0, text.index("\0")) + 1, layer, "a NUL character; expected text")
    cause = getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML"
    context = getattr(error, "context", None)
    return Problem(shown, line, layer, f"not valid YAML: {cause}{f' ({context})' if context else ''}")
