"""Put keys into a YAML file that people keep, without touching what stands there.

As with `edit`, the result is parsed and compared: whatever is not exactly the file with these keys is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit
from jenkins_cd.gitops.yaml_nodes import NULL, decoded, document, plain, values_of
from jenkins_cd.tools import yaml_writer

Keys = tuple[str, ...]


def fill(content: bytes, values: Mapping[str, Any], file: str) -> bytes:
    """Return the file with those of the values that it does not have; what it says itself stays. Raises as `add`."""
    for where, key, value in list(_missing(values, values_of(content, file), ())):
        content = add(content, where, {key: value}, file)
    return content


def add(content: bytes, where: Keys, values: Mapping[str, Any], file: str) -> bytes:
    """Return the file with these keys in the mapping at `where`, which is made where it is not there.

    The keys must not be there yet. Raises BadInput where they cannot be put in without changing something else.
    """
    text = decoded(content, file)
    for key, value in reversed(list(values.items())):
        text = _added(text, (*where, key), value, file)
    return edit.encoded(text, content)


def _missing(values: Mapping[str, Any], there: Mapping[str, Any], where: Keys) -> Iterator[tuple[Keys, str, Any]]:
    """Yield the outermost entries that are not there: the mapping that they belong into, their key and value."""
    for key, value in values.items():
        if key not in there:
            yield where, key, value
        elif isinstance(value, dict) and isinstance(there[key], dict | None):
            yield from _missing(value, there[key] or {}, (*where, key))


def _added(text: str, path: Keys, value: Any, file: str) -> str:
    root = document(text, file)
    key, parent, depth = _deepest(root, path, file)
    inner = value
    for name in reversed(path[depth + 1 :]):
        inner = {name: inner}
    before = _without(root, (), file)
    for after in _candidates(text, key, parent, {path[depth]: inner}):
        if _is(after, path[: depth + 1], inner, before, file):
            return after
    raise BadInput(
        f"{file}: {edit.show(path)} cannot be added without changing something else",
        f"add {edit.show(path)} to it, with any value: a deployment sets it",
    )


def _deepest(root: yaml.Node | None, path: Keys, file: str) -> tuple[yaml.Node | None, yaml.Node | None, int]:
    """Return the key of the last mapping on a path that is there, that mapping, and how deep it lies."""
    key, node = None, root
    for depth, part in enumerate(path[:-1]):
        entry = next(edit.entries(node, part, file, path[: depth + 1]), None) if node is not None else None
        if entry is None:
            return key, node, depth
        key, node = entry
    return key, node, len(path) - 1


def _candidates(text: str, key: yaml.Node | None, parent: yaml.Node | None, added: Mapping[str, Any]) -> Iterator[str]:
    """Yield texts with an entry added to a mapping, those first that people would write."""
    if key is None and isinstance(parent, yaml.MappingNode) and not parent.value:  # `{}`, as empty files often are
        rest = text[parent.end_mark.index :].removeprefix("\r").removeprefix("\n")
        bare = text[: parent.start_mark.index] + rest
        yield _block(bare, len(bare), added, 0)
    if isinstance(parent, yaml.MappingNode) and parent.flow_style:
        at = parent.start_mark.index + 1
        yield f"{text[:at]}{_entries(added)}{', ' if parent.value else ''}{text[at:]}"
        return
    if key is None:
        yield _block(text, len(text), added, 0)
    if isinstance(parent, yaml.MappingNode):
        first = parent.value[0][0].start_mark
        places = [_next_line(text, key.end_mark.index)] if key is not None else []
        for at in (*places, first.index - first.column):
            yield _block(text, at, added, first.column)
    elif key is not None:
        yield _block(text, _next_line(text, key.end_mark.index), added, key.start_mark.column + 2)


def _block(text: str, at: int, added: Mapping[str, Any], indent: int) -> str:
    """Return a text with an entry as lines of its own, ended as the file's lines are."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [f"{' ' * indent}{line}{end}" for line in yaml_writer.dump(added).removesuffix("\n").split("\n")]
    head = text[:at] if text[:at].endswith("\n") or not at else f"{text[:at]}{end}"
    return f"{head}{''.join(lines)}{text[at:]}"


def _entries(values: Mapping[str, Any]) -> str:
    """Return entries as they stand between braces."""
    return ", ".join(f"{yaml_writer.scalar(key)}: {_flow(value)}" for key, value in values.items())


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{_entries(value)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return yaml_writer.scalar(value) if isinstance(value, str) else yaml_writer.dump(value).strip()


def _next_line(text: str, index: int) -> int:
    return text.find("\n", index) + 1 or len(text)


def _is(after: str, path: Keys, inner: Any, before: Any, file: str) -> bool:
    """Tell whether a text is what it was `before`, with `inner` at `path` and nothing else."""
    try:
        found: Any = values_of(after.encode(), file)
        for part in path:
            found = found[part]
        return bool(found == inner and _without(document(after, file), path, file) == before)
    except (BadInput, LookupError, TypeError):
        return False


def _without(root: yaml.Node | None, path: Keys, file: str) -> Any:
    """Return the plain values of a document without the entry at `path`; what holds nothing is the same as nothing."""
    return _left(plain(root, file), path) if root is not None else []


def _left(values: Any, path: Keys) -> Any:
    if values == (NULL, "") or not isinstance(values, list):
        return [] if values == (NULL, "") else values
    kept = [entry for entry in values if not (len(path) == 1 and isinstance(entry, tuple) and entry[0][1] == path[0])]
    return [
        (entry[0], _left(entry[1], path[1:] if path and entry[0][1] == path[0] else ()))
        if isinstance(entry, tuple) and isinstance(entry[0], tuple)
        else entry
        for entry in kept
    ]
