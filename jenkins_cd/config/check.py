"""Check a file against its type: every problem at once, each with file, line, layer, and what was expected."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from jenkins_cd.config import Origin
from jenkins_cd.config.shape import Shape, keys, of
from jenkins_cd.config.yaml import Problem, compose
from jenkins_cd.errors import BadInput
from jenkins_cd.suggest import nearest

T = TypeVar("T")
NODE_LIMIT = 20_000  # values after aliases are expanded
_TAG = "tag:yaml.org,2002:"
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "nothing",
          "map": "keys and values", "seq": "a list", "timestamp": "a time"}  # fmt: skip
_PLAIN = frozenset(_TAG + name for name in _WORDS)


@dataclass
class Checked:
    """What a file holds, as far as it is right, and what is wrong with it."""

    file: str
    layer: str
    partial: bool = False  # keys that must be there may be missing: another layer has them
    foreign: Mapping[str, str] = field(default_factory=dict)  # keys of another file → what to say of them
    data: Any = None
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    visited: int = 0

    def problem(self, node: yaml.Node, key: str, text: str) -> Any:
        """Keep a problem with the place of `node`; returns None, which stands for the value that is not there."""
        self.problems.append(
            Problem(self.file, node.start_mark.line + 1, self.layer, f"{_short(key)}: {text}" if key else text)
        )
        return None


class _TooMany(Exception):
    pass


def parse(text: str, type_: type[T], file: str, layer: str) -> tuple[T, dict[str, Origin]]:
    """Return the typed value of a text and the origin of each of its keys. Raises BadInput with every problem."""
    checked = check(text, type_, file, layer)
    if checked.problems:
        raise refusal(checked.problems)
    return build(type_, checked.data), checked.origins


def refusal(problems: list[Problem]) -> BadInput:
    """Return the error that lists `problems`, ordered by place."""
    lines = [str(one) for one in sorted(problems, key=lambda one: (one.file, one.line))]
    count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
    return BadInput(
        f"the configuration has {count}", "jenkins-cd schema app|platform --markdown lists every key", lines
    )


def check(
    text: str,
    type_: type,
    file: str,
    layer: str,
    *,
    partial: bool = False,
    foreign: Mapping[str, str] | None = None,
) -> Checked:
    """Return what `text` holds for `type_`, and every problem. Nothing is raised."""
    checked = Checked(file, layer, partial, foreign or {})
    node = compose(text, file, layer)
    if isinstance(node, Problem):
        checked.problems.append(node)
        return checked
    try:
        checked.data = _value(node, of(type_), "", checked)
    except _TooMany:
        checked.problem(node, "", f"its aliases expand to more than {NODE_LIMIT:,} values")
    return checked


def build(type_: type[T], data: Mapping[str, Any]) -> T:
    """Return the dataclass that checked data stands for; what is left out takes its default."""
    known = keys(type_)
    values = {key.attribute: _built(key.shape, data[name], key.default) for name, key in known.items() if name in data}
    return type_(**values)


def _built(shape: Shape, value: Any, default: Any) -> Any:
    if value is None or shape.base is Any:
        return value
    if dataclasses.is_dataclass(shape.base):
        # A part that is given keeps the defaults of its owner for what it leaves out, as `gate` of dead-code does.
        if default is not None:
            given = {key.attribute: (key, name) for name, key in keys(type(default)).items() if name in value}
            return dataclasses.replace(
                default,
                **{
                    attribute: _built(key.shape, value[name], getattr(default, attribute))
                    for attribute, (key, name) in given.items()
                },
            )
        return build(shape.base, value)  # type: ignore[arg-type]
    if shape.origin is tuple:
        return tuple(_built(of(shape.arguments[0]), one, None) for one in value)
    if isinstance(value, Mapping):
        return {name: _built(of(shape.arguments[1]), one, None) for name, one in value.items()}
    return value


def _value(node: yaml.Node, shape: Shape, key: str, checked: Checked) -> Any:
    checked.visited += 1
    if checked.visited > NODE_LIMIT or key.count(".") > 60:
        raise _TooMany
    if key:
        checked.origins[key] = Origin(checked.layer, checked.file, node.start_mark.line + 1)
    if node.tag not in _PLAIN:
        return checked.problem(node, key, f"the tag {_quoted(node.tag.removeprefix(_TAG))} is not read")
    if shape.optional and node.tag == f"{_TAG}null":
        return None
    if dataclasses.is_dataclass(shape.base):
        return _section(node, shape.base, key, checked)
    if shape.base is Any:
        return _anything(node, key, checked)
    if shape.origin is tuple:
        return _items(node, shape, key, checked)
    if shape.origin is not None and shape.origin is not Literal:
        return _named(node, shape, key, checked)
    return _scalar(node, shape, key, checked)


def _pairs(node: yaml.Node, key: str, checked: Checked) -> list[tuple[str, yaml.Node, yaml.Node]]:
    """Return (name, key node, value node) of a mapping; what is no mapping, and keys twice, are problems."""
    if not isinstance(node, yaml.MappingNode):
        checked.problem(node, key, f"expected keys and values, found {_found(node)}")
        return []
    seen: dict[str, int] = {}
    pairs: list[tuple[str, yaml.Node, yaml.Node]] = []
    for name_node, value in node.value:
        if not isinstance(name_node, yaml.ScalarNode):
            checked.problem(name_node, key, f"expected a name as key, found {_found(name_node)}")
        elif name_node.tag == f"{_TAG}merge":
            checked.problem(name_node, key, "merge keys (<<) are not read; write the keys out")
        elif name_node.value in seen:
            text = f"the key stands twice, first in line {seen[name_node.value]}"
            checked.problem(name_node, _join(key, name_node.value), text)
        else:
            seen[name_node.value] = name_node.start_mark.line + 1
            pairs.append((name_node.value, name_node, value))
    return pairs


def _section(node: yaml.Node, type_: Any, key: str, checked: Checked) -> dict[str, Any]:
    known = keys(type_)
    data = {}
    pairs = _pairs(node, key, checked)
    for name, name_node, value in pairs:
        if name in known:
            data[name] = _value(value, known[name].shape, _join(key, name), checked)
        elif not key and name in checked.foreign:
            checked.problem(name_node, name, checked.foreign[name])
        else:
            hint = nearest(name, known) or f" (expected one of {', '.join(known)})"
            checked.problem(name_node, _join(key, name), f"unknown key{hint}")
    if isinstance(node, yaml.MappingNode) and not checked.partial:
        present = {name for name, _, _ in pairs}
        for name, one in known.items():
            if one.required and name not in present:
                checked.problem(node, _join(key, name), f"missing; expected {_expected(one.shape)}")
    return data


def _named(node: yaml.Node, shape: Shape, key: str, checked: Checked) -> dict[str, Any]:
    names, values = (of(argument) for argument in shape.arguments)
    data = {}
    for name, name_node, value in _pairs(node, key, checked):
        if names.meta("pattern") and (wrong := _mismatch(name, names)):
            checked.problem(name_node, _join(key, name), wrong)
        data[name] = _value(value, values, _join(key, name), checked)
    return data


def _items(node: yaml.Node, shape: Shape, key: str, checked: Checked) -> tuple[Any, ...]:
    if not isinstance(node, yaml.SequenceNode):
        checked.problem(node, key, f"expected a list, found {_found(node)}")
        return ()
    inner = of(shape.arguments[0])
    return tuple(_value(one, inner, f"{key}[{index}]", checked) for index, one in enumerate(node.value))


def _anything(node: yaml.Node, key: str, checked: Checked) -> Any:
    anything = Shape(Any, True, ())
    if isinstance(node, yaml.MappingNode):
        return {
            name: _value(value, anything, _join(key, name), checked) for name, _, value in _pairs(node, key, checked)
        }
    if isinstance(node, yaml.SequenceNode):
        return [_value(one, anything, f"{key}[{index}]", checked) for index, one in enumerate(node.value)]
    if node.tag == f"{_TAG}timestamp":
        return node.value
    return _construct(node, key, checked)


def _scalar(node: yaml.Node, shape: Shape, key: str, checked: Checked) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        return checked.problem(node, key, f"expected {_expected(shape)}, found {_found(node)}")
    if shape.origin is Literal:
        if node.value not in shape.arguments:
            hint = nearest(node.value, [str(one) for one in shape.arguments])
            return checked.problem(node, key, f"expected {_expected(shape)}, found {_quoted(node.value)}{hint}")
        return node.value
    tag = node.tag.removeprefix(_TAG)
    if shape.base is str:
        return _text(node, tag, shape, key, checked)
    if tag != shape.base.__name__ and not (shape.base is float and tag == "int"):
        return checked.problem(node, key, f"expected {_expected(shape)}, found {_found(node)}")
    value = _construct(node, key, checked)
    low, high = shape.meta("minimum"), shape.meta("maximum")
    if value is not None and ((low is not None and value < low) or (high is not None and not value <= high)):
        checked.problem(node, key, f"expected {_expected(shape)}, found {_quoted(node.value)}")
    return value


def _text(node: yaml.ScalarNode, tag: str, shape: Shape, key: str, checked: Checked) -> Any:
    if tag not in ("str", "timestamp"):
        hint = f'; to mean the text, quote it: "{node.value}"' if node.value and tag in _WORDS else ""
        return checked.problem(node, key, f"expected {_expected(shape)}, found {_found(node)}{hint}")
    if wrong := _mismatch(node.value, shape):
        return checked.problem(node, key, wrong)
    return str(node.value)


def _mismatch(value: str, shape: Shape) -> str:
    """Return what is wrong with a text, or an empty string. Every pattern among the annotations must match."""
    longest = shape.meta("max_length")
    fits = all(re.fullmatch(meta.pattern, value) for meta in shape.metas if meta.pattern)
    if fits and (not longest or len(value) <= longest):
        return ""
    length = f" ({len(value)} characters)" if longest and len(value) > longest else ""
    return f"expected {_expected(shape)}, found {_quoted(value)}{length}"


def _construct(node: yaml.Node, key: str, checked: Checked) -> Any:
    try:
        return SafeConstructor().construct_object(node)
    except (ConstructorError, ValueError, OverflowError):
        return checked.problem(node, key, f"{_quoted(str(node.value))} cannot be read as {_found(node)}")


def _expected(shape: Shape) -> str:
    if shape.meta("expected"):
        return str(shape.meta("expected"))
    if shape.origin is Literal:
        return "one of " + ", ".join(str(one) for one in shape.arguments)
    if dataclasses.is_dataclass(shape.base) or shape.origin is not None:
        return "a list" if shape.origin is tuple else "keys and values"
    low, high = shape.meta("minimum"), shape.meta("maximum")
    limits = f" from {low:g} to {high:g}" if high is not None else f" of at least {low:g}" if low is not None else ""
    return _WORDS[shape.base.__name__] + limits


def _found(node: yaml.Node) -> str:
    word = _WORDS.get(node.tag.removeprefix(_TAG), "something else")
    return f"{word} {_quoted(node.value)}" if isinstance(node, yaml.ScalarNode) and node.value else word


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def _join(key: str, name: str) -> str:
    name = _short(name)
    return f"{key}.{name}" if key else name


def _short(key: str) -> str:
    return key if len(key) <= 200 else f"{key[:60]}…"
