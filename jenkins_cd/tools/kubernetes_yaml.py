"""YAML as Kubernetes and Helm read it, which is not quite as Python's parser does.

They turn YAML into JSON first (https://pkg.go.dev/sigs.k8s.io/yaml): keys are text, whatever they look like; neither
dates nor figures to the base of 60 are known; `y` and `n` are truth values as `yes` and `no` are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"y", "yes", "true", "on"})
_PATTERNS: Mapping[str, tuple[re.Pattern[str], str]] = {  # in order; with the first letters that such text may have
    "bool": (
        re.compile(r"(?:[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"),
        "yYnNtTfFoO",
    ),
    "int": (re.compile(r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$"), "-+0123456789"),
    "float": (
        re.compile(r"[-+]?(?:\._*[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9_]*[0-9][0-9_]*)?$"),
        "-+.0123456789",
    ),
    "null": (re.compile(r"(?:~|null|Null|NULL|)$"), "~nN"),
    "merge": (re.compile(r"<<$"), "<"),
}


def load_all(text: str) -> list[Any]:
    """Return the documents of a text, None for an empty one. Raises ValueError for what is no YAML."""
    import yaml

    try:
        return list(yaml.load_all(text, Loader=loader()))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error


@functools.cache
def loader() -> type[Any]:
    """Return the loader for PyYAML that knows plain text by these rules, also for its tokens, events and nodes."""
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: Mapping[str, Any] = {}

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            self.flatten_mapping(node)
            return {_key(self.construct_object(key, True)): self.construct_object(one, deep) for key, one in node.value}

    for kind, (pattern, letters) in _PATTERNS.items():
        Loader.add_implicit_resolver(_TAG + kind, pattern, [*letters, *([""] if kind == "null" else [])])
    Loader.add_constructor(f"{_TAG}bool", lambda loader, node: loader.construct_scalar(node).lower() in _TRUE)
    return Loader


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return f"{key:g}" if isinstance(key, float) else str(key)
