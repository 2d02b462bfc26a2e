"""Secrets never reach a log, a report, a remote: they are registered once and masked in whatever is written."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.errors import BadInput

MASK = "****"
LARGEST = 1_000_000  # bytes of a file with a secret
SHORTEST = 4  # a shorter value would blank out ordinary text

_SECRET = re.compile(r"JENKINS_CD_\w*(PASSWORD|TOKEN|SSH_KEY|KUBECONFIG)(_FILE)?|JENKINS_TOKEN(_FILE)?")
_forms: set[str] = set()
_pattern: re.Pattern[str] | None = None
_URL_USERINFO = re.compile(r"(?<=://)[^/@\s:]*:[^/@\s]+(?=@)")


def register(secret: str) -> str:
    """Mask `secret` from now on, and return it.

    It is known raw, URL-encoded, as in JSON, and in base64 (alone and as the end of `user:secret`).
    """
    global _pattern
    import base64  # only who has a secret pays for these
    import json
    from urllib.parse import quote, quote_plus

    if len(secret) >= SHORTEST and secret not in _forms:
        raw = secret.encode()
        _forms.update({secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]})
        # In the base64 of "user:secret" the secret starts at any of three offsets within a group.
        for offset in range(3):
            encoded = base64.b64encode(b"\0" * offset + raw).decode()
            _forms.add(encoded[(0, 2, 3)[offset] :].rstrip("=")[: -1 if (len(raw) + offset) % 3 else None])
        _pattern = None  # made anew when something is masked
    return secret


def mask(text: str) -> str:
    """Return `text` with every registered secret, and every password inside a URL, replaced by `****`."""
    text = _URL_USERINFO.sub(MASK, text) if "@" in text else text
    pattern = _compiled()
    return pattern.sub(MASK, text) if pattern else text


def _compiled() -> re.Pattern[str] | None:
    global _pattern
    if _pattern is None and _forms:
        longest_first = sorted(filter(None, _forms), key=len, reverse=True)
        _pattern = re.compile("|".join(re.escape(form) for form in longest_first))
    return _pattern


def register_all(environment: Mapping[str, str]) -> None:
    """Mask from now on every secret of ours that an environment holds, whether it is used or not."""
    for name, value in environment.items():
        if _SECRET.fullmatch(name) and value and not name.endswith(("_FILE", "_SSH_KEY", "KUBECONFIG")):
            register(value)


def secrets_given() -> set[str]:
    """Return the variables of our environment that hold our secrets, or name the files that do."""
    return {name for name, value in os.environ.items() if value and _SECRET.fullmatch(name)}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that hold our secrets, or name the files that do."""
    return {name: value for name, value in environment.items() if not _SECRET.fullmatch(name)}


def from_environment(name: str) -> str | None:
    """Return the secret in variable `name`, or in the file that `name`_FILE points to; it is masked from then on.

    Raises BadInput where the file cannot be read.
    """
    value = read(name)
    return register(value) if value else None


def read(name: str) -> str | None:
    """Return what goes with a secret and is none, as a user name, from where `from_environment` looks."""
    value = os.environ.get(name)
    file = os.environ.get(f"{name}_FILE")
    if not value and file:
        try:
            value = files.read_text(Path(file), LARGEST).strip()
        except files.Unfit as error:
            why = "it is no text" if "UTF-8" in error.why else error.why.removeprefix("cannot be read: ")
            raise BadInput(
                f"{name}_FILE names {file}, which cannot be read: {why}", f"write it first, or set {name} instead"
            ) from error
    return value or None
