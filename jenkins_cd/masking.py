"""Secrets never reach a log, a report, a remote: they are registered once and masked in whatever people read.

Free text is masked, what a later step reads as a name, a path or a digest is not: `free_text` tells them apart. What is
cut is masked before: `excerpt`. What is too ordinary to be masked is announced: `weak`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jenkins_cd import files
from jenkins_cd.errors import BadInput
from jenkins_cd.lines import split_lines

if TYPE_CHECKING:
    from jenkins_cd.secret_forms import Forms

MASK = "****"
LARGEST = 1_000_000  # bytes of a file with a secret

_SECRET = re.compile(r"JENKINS_CD_\w*(PASSWORD|TOKEN|SSH_KEY|KUBECONFIG)(_FILE)?|JENKINS_TOKEN(_FILE)?")
_HOLDS = re.compile(r"(JENKINS_CD_\w*(?:PASSWORD|TOKEN)|JENKINS_TOKEN)(_FILE)?")  # or names a file with nothing else
_forms: set[Forms] = set()
_spared: frozenset[str] = frozenset()
# The last @ before a slash ends the user's part (RFC 3986, section 3.2.1, as curl and browsers read it). A name alone
# is masked where it is so long that it must be a token.
_URL_USERINFO = re.compile(r"(?<=://)(?:[^/@\s:]*:[^/\s\"<>]+|[^/@\s:]{20,})(?=@)")


def register(secret: str) -> str:
    """Mask `secret` from now on, in every form that text may have it in, and return it.

    One that ordinary text would have anyway is not masked: `weak` tells of it.
    """
    from jenkins_cd.ordinary import weakness  # only who has a secret pays for these
    from jenkins_cd.secret_forms import forms

    if not weakness(secret.strip(), _spared):
        _forms.update(form for form in forms(secret.strip()) if not weakness(form.secret))
    return secret


def spare(names: Iterable[str]) -> None:
    """Mask no secret that is the name of an app, a project or an environment: all that is told would have holes."""
    global _spared
    _spared |= {name.casefold() for name in names}
    _forms.difference_update([form for form in _forms if form.secret.casefold() in _spared])


def mask(text: str) -> str:
    """Return `text` with every registered secret, and every password inside a URL, replaced by `****`.

    Text that is to be cut is masked first (`excerpt`): half a secret is not found.
    """
    if _forms:
        text = _without(text, list(_found(text)))
    # Last: what is secret may have an @ in it, at which this rule would cut it in two.
    return _URL_USERINFO.sub(MASK, text) if "@" in text and "://" in text else text


def excerpt(text: str, limit: int) -> str:
    """Return the first `limit` characters of `text`, masked before it is cut."""
    return mask(text)[:limit]


def last_lines(text: str, limit: int) -> list[str]:
    """Return the last `limit` lines of `text`, masked before it is cut."""
    return split_lines(mask(text).strip())[-limit:]


def known() -> bool:
    """Tell whether there is any secret to mask."""
    return bool(_forms)


@contextlib.contextmanager
def hiding(secrets: Iterable[str]) -> Iterator[None]:
    """Mask these too for the time of the block: values that are secret, but not ours, and ordinary elsewhere."""
    from jenkins_cd.secret_forms import forms

    added = {form for secret in secrets for form in forms(secret)} - _forms
    _forms.update(added)
    try:
        yield
    finally:
        _forms.difference_update(added)


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Yield where any of the secrets stands in `text`."""
    from jenkins_cd.secret_forms import has_percent_encoding

    percent = has_percent_encoding(text)
    for form in tuple(_forms):
        if form.may_be_in(text, percent):
            yield from form.spans(text)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return `text` with a mask for each run of overlapping or touching spans."""
    parts: list[str] = []
    end = 0
    for first, last in sorted(spans):
        if first > end or not parts:
            parts += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*parts, text[end:]])


def register_all(environment: Mapping[str, str]) -> None:
    """Mask from now on every secret of ours that an environment holds, whether it is used or not."""
    for _, value in _held(environment):
        register(value)


def weak(environment: Mapping[str, str], names: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return the variables whose secret cannot be masked, and why; `names` are those of apps and environments.

    One that cannot be read, or that no protocol could carry, cannot be masked either.
    """
    from jenkins_cd.ordinary import weakness

    found = []
    for name in sorted(environment):
        if environment[name] and (kind := _HOLDS.fullmatch(name)):
            try:
                value = _content(kind[1], environment[name]) if kind[2] else _checked(environment[name], name)
            except BadInput as error:
                found.append((name, error.message))
            else:
                found.append((name, weakness(value.strip(), names)))
    return [(name, why) for name, why in found if why]


def _held(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in sorted(environment.items()):
        if (kind := _HOLDS.fullmatch(name)) and not kind[2] and value:
            yield name, value


def secrets_given() -> set[str]:
    """Return the variables of our environment that hold our secrets, or name the files that do."""
    return {name for name, value in os.environ.items() if value and _SECRET.fullmatch(name)}


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that hold our secrets, or name the files that do."""
    return {name: value for name, value in environment.items() if not _SECRET.fullmatch(name)}


def from_environment(name: str) -> str | None:
    """Return the secret in variable `name`, or in the file that `name`_FILE points to; it is masked from then on.

    Raises BadInput where the file cannot be read, and where there is something in it that no secret has.
    """
    value = read(name)
    return register(value) if value else None


def read(name: str) -> str | None:
    """Return what goes with a secret and is none, as a user name, from where `from_environment` looks."""
    value = os.environ.get(name)
    file = os.environ.get(f"{name}_FILE")
    if value:
        return _checked(value, name)
    return _content(name, file) if file else None


def _content(name: str, file: str) -> str:
    try:
        value = files.read_text(Path(file), LARGEST).strip()
    except files.Unfit as error:
        why = "it is no text in UTF-8" if "UTF-8" in error.why else error.why.removeprefix("cannot be read: ")
        raise BadInput(
            f"{name}_FILE names {file}, which cannot be read: {why}", f"write it first, or set {name} instead"
        ) from error
    return _checked(value, f"{name}_FILE", f" names {file}, which")


def _checked(value: str, name: str, where: str = "") -> str:
    """Return a value that can be sent: a password with a line break, say, no protocol carries."""
    value = value.rstrip("\r\n")
    if not value.strip():
        raise BadInput(f"{name}{where} is empty, or only white space", "put the value into it, or unset it")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise BadInput(f"{name}{where} has bytes that are no UTF-8", "write it in UTF-8")
    if odd := next((letter for letter in value if letter != "\t" and (ord(letter) < 0x20 or ord(letter) == 0x7F)), ""):
        raise BadInput(
            f"{name}{where} has a control character in it (U+{ord(odd):04X})",
            "put the value into it on one line, and nothing else",
        )
    return value
