"""Hold YAML against the types: every problem with its place, what was expected, what was found, the nearest name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, TypeVar

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from jenkins_cd.config import Origin, tree
from jenkins_cd.config.problem import SHOWN, Problem, bad_input
from jenkins_cd.config.record import record
from jenkins_cd.config.shape import Shape, keys_of, shape_of
from jenkins_cd.config.tree import INVALID
from jenkins_cd.config.words import NUMBERS, TRUE, expected, found, short
from jenkins_cd.config.yaml import TAG, Malformed, compose, line_of

T = TypeVar("T")
# Plain decimal numbers: YAML 1.1 also reads 010 as eight and 1:30 as ninety, which nobody means.
_INTEGER = r"[-+]?(0|[1-9][0-9]{0,17})"
_FLOAT = _INTEGER + r"(\.[0-9]*)?([eE][-+]?[0-9]{1,2})?"
_FALSE = ("no", "false", "off")
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]"
_PLAIN = frozenset(
    TAG + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "merge", "value")
)


@record(frozen=True)
class Checked:
    """What one document says: plain values under the keys of the file, their origins, and what is wrong with it."""

    value: Any
    origins: Mapping[str, Origin]
    problems: tuple[Problem, ...]


def parse(text: str, type_: type[T], file: str, layer: str) -> tuple[T, dict[str, Origin]]:
    """Return YAML text as a checked dataclass, and the origin of each key that it sets.

    `file` and `layer` say in messages where the text is from. Raises BadInput with every problem.
    """
    checked = check(text, type_, file, layer)
    problems = [*checked.problems, *absent(checked, type_, Origin(layer, file, 1))]
    if problems:
        raise bad_input(problems, "")
    return tree.build(type_, checked.value), dict(checked.origins)


def check(text: str, type_: type, file: str, layer: str, elsewhere: Mapping[str, str] | None = None) -> Checked:
    """Return what YAML text says under the keys of `type_`; keys may be missing.

    `elsewhere` holds keys that belong in another file, and what to say of them.
    """
    try:
        return check_node(compose(text), type_, Origin(layer, file), elsewhere)
    except Malformed as error:
        return Checked(INVALID, {}, (Problem(Origin(layer, file, error.line), "", error.message),))


def check_node(node: Node, type_: type, origin: Origin, elsewhere: Mapping[str, str] | None = None) -> Checked:
    """Return what a YAML node says, as `check`; `origin` names the file and layer."""
    checker = _Checker(origin, elsewhere or {})
    value = checker.value(node, shape_of(type_), "")
    return Checked(value, checker.origins, tuple(checker.problems))


def absent(checked: Checked, type_: type, top: Origin) -> Iterator[Problem]:
    """Yield the keys that must be there and are not, at the place of the mapping that lacks them, or at `top`."""
    for parent, key, shape in tree.absent(type_, checked.value):
        yield Problem(checked.origins.get(parent, top), key, f"is missing: expected {expected(shape)}")


class _Checker:
    """Walks one document. What is wrong becomes a problem and INVALID, and the walk goes on."""

    def __init__(self, origin: Origin, elsewhere: Mapping[str, str]) -> None:
        self.origin = origin
        self.elsewhere = elsewhere
        self.problems: list[Problem] = []
        self.origins: dict[str, Origin] = {}

    def value(self, node: Node, shape: Shape, key: str) -> Any:
        """Return what the node holds, where it is what `shape` allows."""
        if node.tag not in _PLAIN:
            return self.wrong(node, key, f"the tag `{short(node.tag)}` is not allowed: expected {expected(shape)}")
        if shape.optional and node.tag == f"{TAG}null":
            return None
        if shape.kind is Any:
            return self.anything(node, key)
        if shape.table:
            return self.table(node, shape, key)
        read = {tuple: self.items, Mapping: self.named}.get(shape.kind)
        return read(node, shape, key) if read else self.scalar(node, shape, key)

    def wrong(self, node: Node, key: str, message: str) -> Any:
        """Note a problem at a node; returns INVALID. After many, one that says so."""
        if len(self.problems) < SHOWN:
            self.problems.append(Problem(self.at(node), key, message))
        elif len(self.problems) == SHOWN:
            self.problems.append(Problem(self.at(node), "", "there are more problems: these come first"))
        return INVALID

    def at(self, node: Node) -> Origin:
        """Return where a node stands."""
        return Origin(self.origin.layer, self.origin.file, line_of(node) if self.origin.file else 0)

    def entries(self, node: MappingNode, key: str) -> Iterator[tuple[str, str, Node, Node]]:
        """Yield each key of a mapping once: its name, its dotted name, its node and its value's."""
        seen: dict[str, Node] = {}
        for name, value in node.value:
            if not isinstance(name, ScalarNode):
                self.wrong(name, key, f"{found(name)} cannot be a key")
                continue
            dotted = f"{key}.{short(name.value)}" if key else short(name.value)
            if name.tag == f"{TAG}merge":
                self.wrong(name, dotted, "merge keys are not read: write the keys out")
            elif name.tag not in (f"{TAG}str", f"{TAG}value"):
                self.wrong(name, dotted, f"the key is {found(name)}: put it in quotes")
            elif name.value in seen:
                self.wrong(name, dotted, f"is given twice: first in line {line_of(seen[name.value])}")
            else:
                seen[name.value] = name
                self.origins[dotted] = self.at(name)
                yield name.value, dotted, name, value

    def table(self, node: Node, shape: Shape, key: str) -> Any:
        if not isinstance(node, MappingNode):
            names = ", ".join(keys_of(shape.kind))
            return self.wrong(node, key, f"expected keys and values ({names}), found {found(node)}")
        known = keys_of(shape.kind)
        read = {}
        for name, dotted, where, value in self.entries(node, key):
            if name in known:
                read[name] = self.value(value, known[name].shape, dotted)
            else:
                self.unknown(where, dotted, name, known)
        return read

    def unknown(self, node: Node, dotted: str, name: str, known: Mapping[str, Any]) -> None:
        if "." not in dotted and name in self.elsewhere:
            self.wrong(node, dotted, self.elsewhere[name])
        elif len(self.problems) <= SHOWN:
            from jenkins_cd.suggest import nearest

            hint = nearest(name, known) or f": expected one of {', '.join(known)}"
            self.wrong(node, dotted, f"no such key{hint}")

    def named(self, node: Node, shape: Shape, key: str) -> Any:
        if not isinstance(node, MappingNode) or shape.item is None or shape.name is None:
            return self.wrong(node, key, f"expected keys and values, found {found(node)}")
        read = {}
        for name, dotted, where, value in self.entries(node, key):
            self.text(where, shape.name, dotted)
            read[name] = self.value(value, shape.item, dotted)
        return read

    def items(self, node: Node, shape: Shape, key: str) -> Any:
        if isinstance(node, ScalarNode) and shape.item and any(meta.single for meta in shape.metas):
            return (self.value(node, shape.item, key),)
        if not isinstance(node, SequenceNode) or shape.item is None:
            return self.wrong(node, key, f"expected a list such as [a, b], found {found(node)}")
        for index, one in enumerate(node.value):
            self.origins[f"{key}[{index}]"] = self.at(one)
        return tuple(self.value(one, shape.item, f"{key}[{index}]") for index, one in enumerate(node.value))

    def anything(self, node: Node, key: str) -> Any:
        if isinstance(node, MappingNode):
            return {
                name: self.value(value, shape_of(Any), dotted) for name, dotted, _, value in self.entries(node, key)
            }
        if isinstance(node, SequenceNode):
            return [self.value(one, shape_of(Any), f"{key}[{index}]") for index, one in enumerate(node.value)]
        if node.tag == f"{TAG}null":
            return None
        kind = {f"{TAG}bool": bool, f"{TAG}int": int, f"{TAG}float": float}.get(node.tag, str)
        return self.scalar(node, shape_of(kind), key)

    def scalar(self, node: Node, shape: Shape, key: str) -> Any:
        read: Callable[[Node, Shape, str], Any] = {
            bool: self.boolean,
            int: self.number,
            float: self.number,
        }.get(shape.kind, self.text)
        if not isinstance(node, ScalarNode):
            return self.wrong(node, key, f"expected {expected(shape)}, found {found(node)}")
        return read(node, shape, key)

    def text(self, node: Node, shape: Shape, key: str) -> Any:
        if node.tag in (*NUMBERS, f"{TAG}bool"):
            quoted = f'put it in quotes: "{short(node.value)}"'
            return self.wrong(node, key, f"expected {expected(shape)}, found {found(node)}; if it is meant, {quoted}")
        if node.tag == f"{TAG}null":
            return self.wrong(node, key, f"expected {expected(shape)}, found nothing")
        control = not node.value.isprintable() and re.search(_CONTROL, node.value)
        if control:
            return self.wrong(node, key, f"holds the control character U+{ord(control[0]):04X}: remove it")
        if shape.kind is Literal and node.value not in shape.choices:
            from jenkins_cd.suggest import nearest

            close = nearest(node.value, shape.choices)
            return self.wrong(node, key, f"expected {expected(shape)}, found {found(node)}{close}")
        for meta in shape.metas:
            too_long = meta.max_length and len(node.value) > meta.max_length  # first: a pattern may be slow on it
            if too_long or (meta.pattern and not re.fullmatch(meta.pattern, node.value)):
                return self.wrong(node, key, f"expected {meta.expected or 'other text'}, found {found(node)}")
        return node.value

    def boolean(self, node: Node, _shape: Shape, key: str) -> Any:
        if node.tag != f"{TAG}bool" or node.value.lower() not in (*TRUE, *_FALSE):
            return self.wrong(node, key, f"expected true or false, found {found(node)}")
        return node.value.lower() in TRUE

    def number(self, node: Node, shape: Shape, key: str) -> Any:
        pattern = _INTEGER if shape.kind is int else _FLOAT
        if node.tag not in NUMBERS or not re.fullmatch(pattern, node.value):
            other = "; text belongs in quotes" if node.tag in NUMBERS else ""
            return self.wrong(node, key, f"expected {expected(shape)}, found {found(node)}{other}")
        number = shape.kind(node.value)
        for meta in shape.metas:
            low, high = meta.minimum, meta.maximum
            if (low is not None and number < low) or (high is not None and number > high):
                return self.wrong(node, key, f"expected {expected(shape)}, found {found(node)}")
        return number
