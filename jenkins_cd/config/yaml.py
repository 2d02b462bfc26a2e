"""Read YAML that anybody may have written: bounded in size, depth and aliases, told in plain words where it is wrong.

PyYAML reads (YAML 1.1, https://yaml.org/spec/1.1/); its libyaml binding where it is there, being ten times faster.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from jenkins_cd import files

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 20_000  # with every alias written out
TAG = "tag:yaml.org,2002:"
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML 1.1 counts lines (section 4.1.4)
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Malformed(Exception):
    """A text that is no YAML, or not such as we take. `line` is 1-based; 0: the file as a whole."""

    def __init__(self, line: int, message: str) -> None:
        """Keep where it is and what is wrong."""
        super().__init__(message)
        self.line = line
        self.message = message


def read(file: Path) -> str:
    """Return a file's text. Raises Malformed where it cannot be read, is too large, or is not UTF-8."""
    try:
        if not file.is_file():
            raise Malformed(0, "is not a file" if file.exists() else "there is no such file")
        if file.stat().st_size > MAX_BYTES:
            raise _too_large(file.stat().st_size)
        return decode(files.read(file, MAX_BYTES))
    except files.Unfit as error:
        raise Malformed(0, error.why) from error
    except (OSError, ValueError) as error:  # ValueError: a name that can be none, as one with NUL in it
        raise Malformed(0, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def decode(data: bytes) -> str:
    """Return bytes as text. Raises Malformed where they are too many, or not UTF-8."""
    if len(data) > MAX_BYTES:
        raise _too_large(len(data))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(line, f"byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8") from error


def compose(text: str) -> Node:
    """Return the one document of a text as nodes with line numbers. Raises Malformed."""
    try:
        check_depth(text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise _in_plain_words(error, text) from error
    if node is None:
        raise Malformed(1, "is empty: expected keys and values")
    _count(node, {})
    return node


def line_of(node: Node) -> int:
    """Return a node's line, 1-based; 0 for one that stands in no file."""
    return node.start_mark.line + 1 if node.start_mark else 0


def check_depth(text: str) -> None:
    """Walk the events first: the composer of libyaml's binding recurses, and deep nesting would crash the process.

    Raises Malformed for what is nested deeper than MAX_DEPTH, YAMLError for what is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            mark = event.start_mark
            raise _too_deep(mark.line + 1 if mark else 1)


def _count(node: Node, sizes: dict[int, int]) -> int:
    """Return how many values a node is with every alias written out, which is not done. Raises Malformed for too many.

    `sizes` holds what was counted, by id; 0 for a node that is being counted.
    """
    if sizes.get(id(node)) == 0:
        raise Malformed(line_of(node), "holds itself: an alias (`*name`) stands within what it names")
    if id(node) not in sizes:
        sizes[id(node)] = 0
        children = node.value if isinstance(node, SequenceNode) else ()
        if isinstance(node, MappingNode):
            children = [part for pair in node.value for part in pair]
        sizes[id(node)] = 1 + sum(_count(child, sizes) for child in children)
    if sizes[id(node)] > MAX_NODES:
        raise Malformed(line_of(node), f"holds more than {MAX_NODES:,} values, aliases written out")
    return sizes[id(node)]


def _in_plain_words(error: yaml.YAMLError, text: str) -> Malformed:
    if isinstance(error, yaml.reader.ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        line = text.count("\n", 0, text.find(chr(code))) + 1  # the error's own position is in bytes or in characters
        return Malformed(line, f"holds the control character U+{code:04X}: remove it")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = mark.line + 1 if mark else 1
    rows = _LINE_END.split(text)
    source = rows[min(line, len(rows)) - 1]
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent:
        return Malformed(line, "is indented with a tab: YAML takes only spaces")
    said = [getattr(error, "context", None), getattr(error, "problem", None)]
    if said[1] == "exceeded maximum nesting depth":  # libyaml has a limit of its own, and reads ahead of its events
        return _too_deep(line)
    if said[1] == "but found another document":
        return Malformed(line, "holds a second document (`---`): expected one")
    return Malformed(line, f"is not valid YAML: {', '.join(part for part in said if part)}")


def _too_deep(line: int) -> Malformed:
    return Malformed(line, f"is nested deeper than {MAX_DEPTH} levels")


def _too_large(size: int) -> Malformed:
    return Malformed(0, f"has {size / MAX_BYTES:,.1f} MiB: expected at most 1 MiB")
