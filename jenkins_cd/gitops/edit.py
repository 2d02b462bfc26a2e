"""Change values in a YAML file and leave every other byte as it is: comments, quotes, line ends, anchors, all of it.

The file is parsed only to find where a value stands; the text there is replaced, the result is parsed again and
compared. What would change anything else is an error, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.yaml_nodes import BOM, STRING, decoded, mapping, plain
from jenkins_cd.gitops.yaml_nodes import LARGEST as LARGEST
from jenkins_cd.gitops.yaml_nodes import Path as Path
from jenkins_cd.gitops.yaml_nodes import load as load
from jenkins_cd.gitops.yaml_nodes import show as show
from jenkins_cd.tools import yaml_writer
from jenkins_cd.tools.kubernetes_yaml import loader

_END_OF_VALUE = (
    yaml.KeyToken,
    yaml.BlockEndToken,
    yaml.FlowEntryToken,
    yaml.FlowMappingEndToken,
    yaml.FlowSequenceEndToken,
    yaml.StreamEndToken,
    yaml.DocumentStartToken,
    yaml.DocumentEndToken,
)


def change(content: bytes, values: Mapping[Path, str], file: str) -> bytes:
    """Return the file with the scalars at the given paths set to these strings; each must be there already.

    Raises BadInput where a path is not there or not a scalar, where the file cannot be read, and where the change
    would reach further than the paths, through an anchor.
    """
    text = decoded(content, file)
    root = mapping(text, file)
    for path in values:
        _place(text, root, path, file)
    wanted = plain(root, file)
    for path, value in values.items():
        wanted = _with(wanted, path, value)
    after = _edited(text, values, file)
    if after is None or plain(mapping(after, file), file) != wanted:
        raise BadInput(
            f"{file}: {' and '.join(map(show, values))} cannot be set without changing something else",
            "write each value out in its own place, on one line, without an anchor that other places use",
        )
    return encoded(after, content)


def encoded(text: str, before: bytes) -> bytes:
    """Return a changed text as bytes, with a byte order mark where the file had one."""
    return (BOM if before.startswith(BOM.encode()) else "").encode() + text.encode()


def _edited(text: str, values: Mapping[Path, str], file: str) -> str | None:
    """Return a text with its values changed, None where it cannot be read any more then."""
    try:
        for aliases in (False, True):  # an alias of what was changed is right by then
            for path, value in values.items():
                text = _changed(text, path, value, file, aliases)
        mapping(text, file)
    except BadInput:
        return None
    return text


def _changed(text: str, path: Path, value: str, file: str, aliases: bool) -> str:
    root = mapping(text, file)
    start, end, old = _place(text, root, path, file)
    if _is_set(root, path, value):
        return text
    if isinstance(old, yaml.AliasToken) and not aliases:
        return text
    written = _written(value, old.style if isinstance(old, yaml.ScalarToken) else None)
    return text[:start] + (written if old is not None or start < end else f" {written}") + text[end:]


def _place(text: str, root: yaml.Node, path: Path, file: str) -> tuple[int, int, yaml.Token | None]:
    """Return where the value at `path` stands, and its token: None where nothing stands yet."""
    key = _key(root, path, file)
    tokens = (token for token in yaml.scan(text, Loader=loader()) if token.start_mark.index >= key.end_mark.index)
    end = key.end_mark.index
    for token in tokens:
        if isinstance(token, yaml.ValueToken | yaml.AnchorToken | yaml.TagToken):
            end = token.end_mark.index
        elif isinstance(token, yaml.AliasToken | yaml.ScalarToken) and getattr(token, "style", "") not in ("|", ">"):
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
        entry = next(entries(node, part, file, path[: depth + 1]), None)
        if entry is None:
            raise BadInput(f"{file}: there is no {show(path[: depth + 1])}", f"add {show(path)} to it")
        key, node = entry
    if key is None or not isinstance(path[-1], str):
        raise ValueError(f"{path} does not end with a key")
    return key


def entries(node: yaml.Node, part: str | int, file: str, path: Path) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Yield key and value of what `part` names in a node, if anything. Raises BadInput where a key is there twice."""
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


def _is_set(root: yaml.Node, path: Path, value: str) -> bool:
    """Tell whether the value at `path` is this string already, not a number that looks the same."""
    node = root
    for part in path:
        node = next(entries(node, part, "", path))[1]
    return bool(node.tag == STRING and node.value == value)


def _written(value: str, style: str | None) -> str:
    """Return a string as YAML, in the quotes that the old value had, or bare where it can only be read as a string."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return yaml_writer.quoted(value) if style == '"' else yaml_writer.scalar(value)


def _with(values: Any, path: Path, value: str) -> Any:
    """Return plain values with the one at `path` set to a string."""
    if not path:
        return STRING, value
    part, rest = path[0], path[1:]
    if isinstance(part, int):
        return [_with(item, rest, value) if index == part else item for index, item in enumerate(values)]
    return [(key, _with(item, rest, value) if key[1] == part else item) for key, item in values]
