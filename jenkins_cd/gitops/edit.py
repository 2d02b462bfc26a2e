"""Change values in a YAML file and leave every other byte as it is: comments, quotes, line ends, anchors, all of it.

The file is parsed only to find where a value stands; the text there is replaced, the result is parsed again and
compared. What would change anything else is an error, never a guess. (YAML 1.1, https://yaml.org/spec/1.1/)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jenkins_cd.errors import BadInput
from jenkins_cd.lines import split_lines

Path = tuple[str | int, ...]  # ("dependencies", 0, "version")
LARGEST = 1_000_000  # bytes
NODES = 100_000  # aliases followed: a small file can stand for billions
_BARE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:/@+-]*[A-Za-z0-9])?")
_END_OF_VALUE = (
    yaml.KeyToken,
    yaml.BlockEndToken,
    yaml.FlowEntryToken,
    yaml.FlowMappingEndToken,
    yaml.StreamEndToken,
    yaml.DocumentEndToken,
)


def show(path: Path) -> str:
    """Return a path as people write it: `dependencies[0].version`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def load(content: bytes, file: str) -> Any:
    """Return what a YAML file holds, every scalar as its text. `file` names it in messages.

    Raises BadInput where it is not one YAML document in UTF-8, or larger than a values file can be.
    """
    text = _text(content, file)
    try:
        # BaseLoader makes lists, mappings and strings, nothing else: `1.10` stays `1.10`, and no tag builds an object.
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(file, error) from error


def change(content: bytes, values: Mapping[Path, str], file: str) -> bytes:
    """Return the file with the scalars at the given paths set to these strings; each must be there already.

    Raises BadInput where a path is not there or not a scalar, where the file cannot be read, and where the change
    would reach further than the path, through an anchor.
    """
    text = _text(content, file)
    for path, value in values.items():
        text = _changed(text, path, value, file)
    return text.encode()


def _changed(text: str, path: Path, value: str, file: str) -> str:
    root = _compose(text, file)
    start, end, old = _place(text, root, path, file)
    if old is not None and old.value == value and _is_text(root, path):
        return text
    written = _written(value, old.style if old is not None else None)
    after = text[:start] + (written if old is not None or start < end else f" {written}") + text[end:]
    wanted = _with(_plain(root, file), path, value)
    try:
        reached = _plain(_compose(after, file), file)
    except BadInput:
        reached = None
    if reached != wanted:
        raise BadInput(
            f"{file}: {show(path)} cannot be set without changing something else",
            "write the value out in its own place, on one line, without an anchor that other places use",
        )
    return after


def _place(text: str, root: yaml.Node, path: Path, file: str) -> tuple[int, int, yaml.ScalarToken | None]:
    """Return where the value at `path` stands, and its token: None for an alias, and where nothing stands yet."""
    key = _key(root, path, file)
    tokens = (token for token in yaml.scan(text) if token.start_mark.index >= key.end_mark.index)
    end = key.end_mark.index
    for token in tokens:
        if isinstance(token, yaml.ValueToken | yaml.AnchorToken | yaml.TagToken):
            end = token.end_mark.index
        elif isinstance(token, yaml.AliasToken):
            return token.start_mark.index, token.end_mark.index, None
        elif isinstance(token, yaml.ScalarToken) and token.style not in ("|", ">"):
            return token.start_mark.index, token.end_mark.index, token
        elif isinstance(token, _END_OF_VALUE):
            return end, end, None
        else:
            break
    line = key.start_mark.line + 1
    raise BadInput(f"{file}:{line}: {show(path)} must be a value on one line", "write it as: key: value")


def _key(root: yaml.Node, path: Path, file: str) -> yaml.Node:
    """Return the key of the mapping entry that `path` leads to."""
    node, key = root, None
    for depth, part in enumerate(path):
        entry = next(_entries(node, part, file, path[: depth + 1]), None)
        if entry is None:
            raise BadInput(f"{file}: there is no {show(path[: depth + 1])}", f"add {show(path)} to it")
        key, node = entry
    if key is None or not isinstance(path[-1], str):
        raise ValueError(f"{path} does not end with a key")
    return key


def _entries(node: yaml.Node, part: str | int, file: str, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    if isinstance(part, int):
        if isinstance(node, yaml.SequenceNode) and part < len(node.value):
            yield node.value[part], node.value[part]
        return
    found = [entry for entry in _pairs(node) if isinstance(entry[0], yaml.ScalarNode) and entry[0].value == part]
    if len(found) > 1:
        raise BadInput(f"{file}:{found[1][0].start_mark.line + 1}: {show(path)} is there twice", "remove one of them")
    yield from found


def _pairs(node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _is_text(root: yaml.Node, path: Path) -> bool:
    """Tell whether the value at `path` is a string already, not a number that looks the same."""
    node = root
    for part in path:
        node = next(_entries(node, part, "", path))[1]
    return bool(node.tag == "tag:yaml.org,2002:str")


def _written(value: str, style: str | None) -> str:
    """Return a string as YAML, in the quotes that the old value had, or bare where it can only be read as a string."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not _BARE.fullmatch(value) or _is_other(value):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    return value


def _is_other(value: str) -> bool:
    """Tell whether some YAML reader takes a bare `value` for a number, a date, a boolean or nothing."""
    resolved: str = yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    if resolved != "tag:yaml.org,2002:str":
        return True
    return bool(re.fullmatch(r"0[xob][0-9a-fA-F_]+|[0-9_]*\.?[0-9_]*([eE][+-]?[0-9]+)?|[yYnN]", value))


def _plain(root: yaml.Node, file: str) -> Any:
    """Return a document as plain values with their types, aliases followed, to compare it with another."""
    left = NODES

    def plain(node: yaml.Node) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise BadInput(f"{file}: it stands for more than {NODES} values", "write fewer aliases")
        if isinstance(node, yaml.MappingNode):
            return [(plain(key), plain(value)) for key, value in node.value]
        if isinstance(node, yaml.SequenceNode):
            return [plain(item) for item in node.value]
        return node.tag, node.value

    try:
        return plain(root)
    except RecursionError as error:
        raise _unreadable(file, error) from error


def _with(plain: Any, path: Path, value: str) -> Any:
    """Return plain values with the one at `path` set to a string."""
    if not path:
        return "tag:yaml.org,2002:str", value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        return [_with(item, rest, value) if index == part else item for index, item in enumerate(plain)]
    return [(key, _with(item, rest, value) if key[1] == part else item) for key, item in plain]


def _compose(text: str, file: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(file, error) from error
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(f"{file}: expected keys and values", "it should look like: key: value")
    return root


def _text(content: bytes, file: str) -> str:
    if len(content) > LARGEST:
        raise BadInput(f"{file} has {len(content)} bytes; at most {LARGEST} are expected", "is it the right file?")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error


def _unreadable(file: str, error: Exception) -> BadInput:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        what = error.context if error.context and "single document" in error.context else error.problem
        return BadInput(f"{file}:{error.problem_mark.line + 1}: {what}", "correct it in the deploy repository")
    return BadInput(f"{file}: {split_lines(str(error))[0]}", "correct it in the deploy repository")
