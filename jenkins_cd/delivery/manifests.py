"""What Helm renders, object by object: taken apart, compared, and shown without the values of Secrets."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from jenkins_cd.errors import BadInput
from jenkins_cd.lines import split_lines
from jenkins_cd.tools.helm_release import Rendered
from jenkins_cd.tools.kubernetes_yaml import load_all
from jenkins_cd.tools.yaml_writer import dump

Object = Mapping[str, Any]
HIDDEN = "(hidden)"
_SEPARATOR = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
_COMMENT = re.compile(r"^#.*\n?", re.MULTILINE)


def objects(*texts: str) -> list[dict[str, Any]]:
    """Return the objects of YAML documents, those of a List each by itself. Raises BadInput for what is none."""
    return [one for text in texts for document in _documents(text) for one in _unlisted(_loaded(document))]


def of(rendered: Rendered) -> list[dict[str, Any]]:
    """Return the objects of a chart, hooks included."""
    return objects(rendered.manifest, *rendered.hooks)


def name(item: Object) -> str:
    """Return what an object is called, as `Deployment/web`."""
    metadata = item.get("metadata") or {}
    return f"{item.get('kind', '?')}/{metadata.get('name') or metadata.get('generateName') or '?'}"


def same(one: Rendered, other: Rendered) -> bool:
    """Tell whether two renderings are the same text, but for comments and empty lines."""
    return _texts(one) == _texts(other)


def parted(text: str) -> Rendered:
    """Return what `helm template` prints, hooks apart from the rest."""
    documents = list(_documents(text))
    hooks = [one for one in documents if _hook(_loaded(one))]
    return Rendered(manifest="---\n".join(one for one in documents if one not in hooks), hooks=tuple(hooks))


def diff(before: Rendered | None, after: Rendered) -> str:
    """Return the unified diff of two renderings, one file an object. Values of Secrets are hidden."""
    old, new = _shown(before) if before else {}, _shown(after)
    parts = []
    for path in sorted({*old, *new}):
        was, will = old.get(path, ("", "")), new.get(path, ("", ""))
        if was[0] != will[0]:
            parts.append(_diff(path, *_hidden(was, will)))
    return "".join(parts)


def _diff(path: str, before: str, after: str) -> str:
    names = f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null"
    return "".join(
        difflib.unified_diff(split_lines(before, keep_ends=True), split_lines(after, keep_ends=True), *names)
    )


def _shown(rendered: Rendered) -> dict[str, tuple[str, str]]:
    """Return each object's text, and what may be shown of it, by a path for people."""
    shown: dict[str, tuple[str, str]] = {}
    for folder, texts in (("", [rendered.manifest]), ("hooks/", rendered.hooks)):
        for document in (one for text in texts for one in _documents(text)):
            for item in _unlisted(_loaded(document)):
                namespace = (item.get("metadata") or {}).get("namespace")
                path = f"{folder}{f'{namespace}/' if namespace else ''}{name(item)}.yaml"
                secret = item.get("kind") == "Secret" or "\nkind: List" in document
                shown[path] = document, dump(_veiled(item)) if secret else document
    return shown


def _hidden(was: tuple[str, str], will: tuple[str, str]) -> tuple[str, str]:
    """Return what is shown of an object before and after; where all that differs is hidden, that is said."""
    if was[1] != will[1]:
        return was[1], will[1]
    return was[1], will[1].replace(HIDDEN, f"{HIDDEN}, changed")


def _veiled(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("kind") != "Secret":
        return item
    hidden = {
        key: dict.fromkeys(item[key], HIDDEN) for key in ("data", "stringData") if isinstance(item.get(key), dict)
    }
    return {**item, **hidden}


def _texts(rendered: Rendered) -> list[list[str]]:
    return [
        sorted(one for text in texts for one in _documents(text)) for texts in ([rendered.manifest], rendered.hooks)
    ]


def _documents(text: str) -> Iterable[str]:
    """Yield the documents, without comment lines at their start and empty lines around them."""
    for part in _SEPARATOR.split(text):
        bare = _COMMENT.sub("", part).strip("\n").rstrip()
        if bare:
            yield f"{bare}\n"


def _loaded(document: str) -> dict[str, Any]:
    try:
        found = load_all(document)
    except ValueError as error:
        raise BadInput(f"the chart renders something that is no YAML: {error}", "look at its templates") from error
    item = found[0] if found else None
    if item is None and len(found) < 2:
        return {}
    if len(found) > 1 or not isinstance(item, dict) or not item.get("kind"):
        raise BadInput(f"the chart renders something that is no object: {str(item)[:60]}", "look at its templates")
    return item


def _hook(item: Object) -> bool:
    return "helm.sh/hook" in ((item.get("metadata") or {}).get("annotations") or {})


def _unlisted(item: dict[str, Any]) -> list[dict[str, Any]]:
    if not item:
        return []
    if str(item["kind"]).endswith("List") and isinstance(item.get("items"), list):
        return [inner for one in item["items"] if isinstance(one, dict) for inner in _unlisted({"kind": "?", **one})]
    return [item]
