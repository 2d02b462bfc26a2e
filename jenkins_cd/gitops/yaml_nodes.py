"""Read a YAML file of a repository as nodes, which know where they stand: what plain text means is Helm's to say."""

from __future__ import annotations

from typing import Any

import yaml

from jenkins_cd.config.yaml import Malformed, check_depth
from jenkins_cd.errors import BadInput
from jenkins_cd.tools.kubernetes_yaml import load_all, loader

Path = tuple[str | int, ...]  # ("dependencies", 0, "version")
STRING, NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
LARGEST = 1_000_000  # bytes
NODES = 100_000  # aliases followed: a small file can stand for billions
BOM = "\ufeff"
_MEND = "correct it in the deploy repository"


def show(path: Path) -> str:
    """Return a path as people write it: `dependencies[0].version`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def load(content: bytes, file: str) -> Any:
    """Return what a YAML file holds, every scalar as its text: `1.10` stays `1.10`. `file` names it in messages.

    Raises BadInput where it is not one YAML document in UTF-8, or larger than a values file can be.
    """
    return _untyped(document(decoded(content, file), file), {})


def values_of(content: bytes, file: str) -> dict[str, Any]:
    """Return the values of a file, read as Helm does. Raises BadInput where it holds none."""
    try:
        text = decoded(content, file)
        root = document(text, file)  # refuses what is too deep, and what is more than one document
        if root is not None:
            plain(root, file)  # refuses what stands for too much
        loaded = load_all(text)
    except BadInput as error:
        raise BadInput(error.message, f"correct {file}", error.problems) from error
    except ValueError as error:
        raise BadInput(f"{file}: {error}", f"correct {file}") from error
    values = loaded[0] if loaded else None
    if not isinstance(values, dict | None):
        raise BadInput(f"{file} holds no values, but a {type(values).__name__}", f"correct {file}")
    return values or {}


def decoded(content: bytes, file: str) -> str:
    """Return a file as text, without a byte order mark: libyaml does not count it, Python does."""
    if len(content) > LARGEST:
        raise BadInput(f"{file} has {len(content)} bytes; at most {LARGEST} are expected", "is it the right file?")
    try:
        return content.decode("utf-8").removeprefix(BOM)
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not UTF-8 (byte {error.start})", "save it as UTF-8") from error


def document(text: str, file: str) -> yaml.Node | None:
    """Return the document of a text, None for an empty one; a closing `---` begins no other. Raises BadInput."""
    try:
        check_depth(text)
        found = list(yaml.compose_all(text, Loader=loader()))
    except Malformed as error:
        raise BadInput(f"{file}:{error.line}: {error.message}", _MEND) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _unreadable(file, error) from error
    for other in found[1:]:
        if other.tag != NULL:
            line = other.start_mark.line + 1
            raise BadInput(f"{file}:{line}: expected a single document, and here is another one", _MEND)
    return found[0] if found else None


def mapping(text: str, file: str) -> yaml.MappingNode:
    """Return the document of a text. Raises BadInput where it has no keys."""
    root = document(text, file)
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(f"{file}: expected keys and values", "it should look like: key: value")
    return root


def plain(root: yaml.Node, file: str) -> Any:
    """Return a document as plain values with their types, aliases followed, to compare it with another."""
    left = NODES

    def values(node: yaml.Node) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise BadInput(f"{file}: it stands for more than {NODES} values", "write fewer aliases")
        if isinstance(node, yaml.MappingNode):
            return [(values(key), values(value)) for key, value in node.value]
        if isinstance(node, yaml.SequenceNode):
            return [values(item) for item in node.value]
        return node.tag, node.value

    try:
        return values(root)
    except RecursionError as error:
        raise _unreadable(file, error) from error


def _untyped(node: yaml.Node | None, known: dict[int, Any]) -> Any:
    """Return what a node holds, every scalar as its text; `known` has what was read, as aliases come back to it."""
    if node is not None and id(node) in known:
        return known[id(node)]
    if isinstance(node, yaml.MappingNode):
        entries: dict[str, Any] = known.setdefault(id(node), {})
        entries.update((str(key.value), _untyped(value, known)) for key, value in node.value)
        return entries
    if isinstance(node, yaml.SequenceNode):
        items: list[Any] = known.setdefault(id(node), [])
        items.extend(_untyped(item, known) for item in node.value)
        return items
    return node.value if node else None


def _unreadable(file: str, error: Exception) -> BadInput:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return BadInput(f"{file}:{error.problem_mark.line + 1}: {error.problem}", _MEND)
    return BadInput(f"{file}: {str(error).partition(chr(10))[0]}", _MEND)
