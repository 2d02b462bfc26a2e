"""The JSON Schemas of the two files, from the types (draft 2020-12, https://json-schema.org/draft/2020-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from jenkins_cd.config import tree
from jenkins_cd.config.shape import Key, Shape, keys_of
from jenkins_cd.config.types import AppFile, PlatformFile
from jenkins_cd.lines import split_lines

FILES: Mapping[str, type] = {"app": AppFile, "platform": PlatformFile}
TITLES: Mapping[str, str] = {"app": "cd.yaml", "platform": "platform.yaml"}
SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema(file: str) -> dict[str, Any]:
    """Return the JSON Schema of `app` (cd.yaml) or `platform` (platform.yaml)."""
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"{TITLES[file]} of jenkins_cd"}
    return {**title, **_object(FILES[file])}


def _object(type_: type) -> dict[str, Any]:
    known = keys_of(type_)
    schema: dict[str, Any] = {
        "type": "object",
        "description": split_lines(type_.__doc__ or "")[0],
        "additionalProperties": False,
        "properties": {name: _property(key) for name, key in known.items()},
    }
    required = [name for name, key in known.items() if key.default is None]
    return {**schema, "required": required} if required else schema


def _property(key: Key) -> dict[str, Any]:
    schema = _schema(key.shape)
    if text := key.shape.meta("description"):
        schema["description"] = text
    if example := key.shape.meta("example"):
        schema["examples"] = [example]
    default = default_of(key)
    return schema if default in (None, {}, []) else {**schema, "default": default}


def default_of(key: Key) -> Any:
    """Return what a key holds where it is left out, as it would stand in the file; None where it holds nothing."""
    value = key.default() if key.default else None
    if key.shape.table and value is not None:
        return _differing(tree.plain(key.shape.kind, value), tree.plain(key.shape.kind, key.shape.kind()))
    return list(value) if isinstance(value, tuple) else value


def _differing(value: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `value` has other than `usual`, which has the same keys."""
    pairs = {name: (one, usual[name]) for name, one in value.items() if one != usual[name]}
    return {
        name: _differing(one, other) if isinstance(one, Mapping) and isinstance(other, Mapping) else one
        for name, (one, other) in pairs.items()
    }


def _schema(shape: Shape) -> dict[str, Any]:
    schema = _bare(shape)
    if shape.optional and "enum" in schema:
        schema["enum"] = [*schema["enum"], None]
    elif shape.optional:
        schema["type"] = [schema["type"], "null"]
    return schema


def _bare(shape: Shape) -> dict[str, Any]:
    if shape.table:
        return _object(shape.kind)
    if shape.kind is Any:
        return {}
    if shape.kind is Literal:
        return {"enum": list(shape.choices)}
    if shape.kind is tuple and shape.item:
        several = {"type": "array", "items": _schema(shape.item)}
        single = any(meta.single for meta in shape.metas)
        return {"anyOf": [_schema(shape.item), several]} if single else several
    if shape.name and shape.item:
        names = _limits(shape.name)
        inner = {"type": "object", "additionalProperties": _schema(shape.item)}
        return {**inner, "propertyNames": names} if names else inner
    return {"type": SCALARS[shape.kind], **_limits(shape)}


def _limits(shape: Shape) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    patterns = [f"^(?:{meta.pattern})$" for meta in shape.metas if meta.pattern]
    if len(patterns) == 1:
        limits["pattern"] = patterns[0]
    elif patterns:
        limits["allOf"] = [{"pattern": pattern} for pattern in patterns]
    longest = [meta.max_length for meta in shape.metas if meta.max_length]
    bounds = {
        "maxLength": min(longest, default=None),
        "minimum": shape.meta("minimum"),
        "maximum": shape.meta("maximum"),
    }
    return limits | {name: bound for name, bound in bounds.items() if bound is not None}
