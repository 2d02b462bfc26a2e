"""An image's name in a chart's values: whole in `repository`, or with its host apart in `registry`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jenkins_cd.errors import BadInput

_NOTHING = (None, "", "~", "null")  # `registry` is there, and says nothing


def keys(repository: str, there: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys that name an image in values whose `image` is `there` now: `registry` where that has one."""
    host, slash, path = repository.partition("/")
    if there.get("registry") in _NOTHING or not slash:
        return {"repository": repository}
    return {"registry": host, "repository": path}


def of(there: Mapping[str, Any]) -> str:
    """Return the name of the image that values with such an `image` stand for."""
    parts = [there.get("registry"), there.get("repository")]
    return "/".join(str(part) for part in parts if part not in _NOTHING)


def check(repository: str, manifests: str) -> None:
    """Raise BadInput where manifests put something before the image's name, as a chart's own `registry` does."""
    found = re.search(rf"[\w.:-]+/{re.escape(repository)}(?=[:@\"'\s])", manifests)
    if found:
        raise BadInput(
            f"the chart makes {found[0]} of the image {repository}: it puts a registry of its own before it",
            'add `registry: ""` beside image.repository in the values, or the key that the chart has for it',
        )
