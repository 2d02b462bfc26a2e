"""The JSON Schemas of the two files (draft 2020-12, https://json-schema.org) and their reference, from the types."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from jenkins_cd.config.shape import Key, Shape, keys, of
from jenkins_cd.config.types import AppFile, PlatformFile

FILES: Mapping[str, type] = {"app": AppFile, "platform": PlatformFile}
TITLES: Mapping[str, str] = {"app": "cd.yaml", "platform": "platform.yaml"}
_SCALARS: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def json_schema(file: str) -> dict[str, Any]:
    """Return the JSON Schema of `app` (cd.yaml) or `platform` (platform.yaml)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{TITLES[file]} of jenkins_cd",
        **_object(FILES[file]),
    }


def markdown(file: str) -> str:
    """Return the reference of a file: a table of its keys, what each holds, its default and what it means."""
    doc = (FILES[file].__doc__ or "").strip()
    lines = [
        f"# {TITLES[file]}",
        "",
        doc.splitlines()[0],
        "",
        "| key | holds | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{key}` | {holds} | {default} | {meaning} |" for key, holds, default, meaning in _rows(FILES[file], "")
    ]
    return "\n".join(lines) + "\n"


def _object(type_: type) -> dict[str, Any]:
    known = keys(type_)
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _described(key) for name, key in known.items()},
    }
    required = [name for name, key in known.items() if key.required]
    return {**schema, "required": required} if required else schema


def _described(key: Key) -> dict[str, Any]:
    schema = _schema(key.shape)
    if text := key.shape.meta("description"):
        schema["description"] = text
    if example := key.shape.meta("example"):
        schema["examples"] = [example]
    if not key.required and isinstance(key.default, str | int | float | bool):
        schema["default"] = key.default
    return schema


def _schema(shape: Shape) -> dict[str, Any]:
    schema = _bare(shape)
    if shape.optional and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _bare(shape: Shape) -> dict[str, Any]:
    if dataclasses.is_dataclass(shape.base):
        return _object(shape.base)  # type: ignore[arg-type]
    if shape.base is Any:
        return {}
    if shape.origin is Literal:
        return {"enum": list(shape.arguments) + ([None] if shape.optional else [])}
    if shape.origin is tuple:
        return {"type": "array", "items": _schema(of(shape.arguments[0]))}
    if shape.origin is not None:
        names, values = (of(argument) for argument in shape.arguments)
        inner: dict[str, Any] = {"type": "object", "additionalProperties": _schema(values)}
        return {**inner, "propertyNames": _limits(names)} if _limits(names) else inner
    return {"type": _SCALARS[shape.base], **_limits(shape)}


def _limits(shape: Shape) -> dict[str, Any]:
    patterns = [f"^(?:{meta.pattern})$" for meta in shape.metas if meta.pattern]
    limits: dict[str, Any] = {"pattern": patterns[0]} if len(patterns) == 1 else {}
    if len(patterns) > 1:
        limits["allOf"] = [{"pattern": pattern} for pattern in patterns]
    if longest := shape.meta("max_length"):
        limits["maxLength"] = longest
    limits.update({name: shape.meta(name) for name in ("minimum", "maximum") if shape.meta(name) is not None})
    return limits


def _rows(type_: type, prefix: str) -> Iterator[tuple[str, str, str, str]]:
    for name, key in keys(type_).items():
        path = f"{prefix}{name}"
        shape, inner = key.shape, _inner(key.shape)
        yield path, _holds(shape), _default(key), shape.meta("description")
        if inner:
            suffix = "." if inner is shape.base else "[]." if shape.origin is tuple else ".<name>."
            yield from _rows(inner, f"{path}{suffix}")


def _inner(shape: Shape) -> type | None:
    """Return the dataclass that a key holds, or holds many of."""
    candidates = [
        shape.base,
        *(of(argument).base for argument in shape.arguments if shape.origin is not Literal and argument is not ...),
    ]
    return next((one for one in candidates if dataclasses.is_dataclass(one) and isinstance(one, type)), None)


def _holds(shape: Shape) -> str:
    if shape.meta("expected"):
        text = str(shape.meta("expected"))
    elif shape.origin is Literal:
        text = ", ".join(f"`{one}`" for one in shape.arguments)
    elif shape.origin is tuple:
        text = f"list of {_holds(of(shape.arguments[0]))}"
    elif dataclasses.is_dataclass(shape.base) or shape.origin is not None:
        text = "keys and values"
    else:
        text = "anything" if shape.base is Any else {"string": "text"}.get(_SCALARS[shape.base], _SCALARS[shape.base])
    return text.replace("|", "\\|")


def _default(key: Key) -> str:
    if key.required:
        return "**required**"
    if key.default is None or dataclasses.is_dataclass(key.default) or key.default in ((), {}):
        return ""
    return f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"
