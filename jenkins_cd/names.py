"""Names that come from outside, checked before they reach a path, a ref or a command line."""

from __future__ import annotations

import re

from jenkins_cd.config.types import NAME, PERSON, Meta
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import excerpt, spare


def check_app(app: str) -> str:
    """Return an app's name, given alone or as `project/app`. Raises BadInput."""
    for part in app.split("/", 1):
        _check(part, NAME, "app")
    spare(app.split("/", 1))
    return app


def check_environment(name: str) -> str:
    """Return an environment's name. Raises BadInput."""
    return _check(name, NAME, "environment")


def check_person(name: str) -> str:
    """Return the name of a user or group. Raises BadInput."""
    return _check(name, PERSON, "user")


def _check(value: str, meta: Meta, what: str) -> str:
    if not re.fullmatch(meta.pattern, value) or len(value) > meta.max_length:
        raise BadInput(f"{excerpt(value, 100)!r} names no {what}: expected {meta.expected}")
    return value
