"""What was expected and what was found, in words for people. None longer than a line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from yaml.nodes import MappingNode, Node, ScalarNode

from jenkins_cd.config.shape import Shape
from jenkins_cd.config.yaml import TAG

NUMBERS = (f"{TAG}int", f"{TAG}float")
TRUE = ("yes", "true", "on")  # YAML 1.1, https://yaml.org/type/bool.html
LONGEST = 60  # characters of a name or value that are shown
_WORDS: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list",
    Any: "a value",
}


def expected(shape: Shape) -> str:
    """Return in words what a value may be."""
    if words := shape.meta("expected"):
        return str(words)
    if shape.kind is Literal:
        return "one of " + ", ".join(f"`{choice}`" for choice in shape.choices)
    low, high = shape.meta("minimum"), shape.meta("maximum")
    limits = [f"at least {low:g}"] if low is not None else []
    limits += [f"at most {high:g}"] if high is not None else []
    return _WORDS.get(shape.kind, "keys and values") + ("" if not limits else f" of {' and '.join(limits)}")


def found(node: Node) -> str:
    """Return in words what stands in the file, shortened, secrets masked."""
    if not isinstance(node, ScalarNode):
        return "keys and values" if isinstance(node, MappingNode) else "a list"
    if node.tag == f"{TAG}null":
        return "nothing"
    text = repr(_masked(node.value)[:LONGEST]) + (
        "" if len(node.value) <= LONGEST else f"… ({len(node.value)} characters)"
    )
    if node.tag == f"{TAG}bool":
        return f"{text}, which YAML reads as {str(node.value.lower() in TRUE).lower()}"
    return f"the number {text[1:-1]}" if node.tag in NUMBERS and len(node.value) <= LONGEST else text


def short(name: str) -> str:
    """Return a key for a message: control characters as escapes."""
    text = name if len(name) <= LONGEST else f"{_masked(name)[:LONGEST]}…"
    return text if text.isprintable() else repr(text)[1:-1]


def _masked(text: str) -> str:
    """Return text without registered secrets, and without the user of a URL, where a token may stand."""
    from jenkins_cd.masking import mask

    return re.sub(r"(?<=://)[^/@\s]+(?=@)", "****", mask(text))
