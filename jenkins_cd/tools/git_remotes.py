"""The remotes of a checkout: their names, and the address under which everybody finds what it is a checkout of.

What an address is: git-clone(1), "Git URLs". A colon before the first slash makes what stands before it a host, which
may be an alias of somebody's SSH configuration, unless it is a drive of Windows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from jenkins_cd.errors import ExternalFailure

Ask = Callable[..., str]  # runs Git in the checkout with these arguments, and returns what it prints
_SSH = ("ssh", "git+ssh", "ssh+git")  # the last two are old names of the first
_WITH_HOST = re.compile(r"(?:([^/@:\[]+)(?::[^/@]*)?@)?(\[[^\]/]+\]|[^/:@\[\]]+):(?!//)(.*)", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


def names(ask: Ask) -> tuple[str, ...]:
    """Return the names of the remotes."""
    said = ask("remote")
    return tuple(said.split("\n")) if said else ()


def source(ask: Ask, top: Path, remotes: tuple[str, ...]) -> str:
    """Return the address of `origin`, or of the only remote, without a password; the checkout itself where it has none.

    It is what stands in the checkout's configuration: a mirror that the user's settings put in its place
    (`url.….insteadOf`) is nobody else's. Only a shorthand of such settings, as `gh:shop/storefront`, is written out.
    """
    if "origin" not in remotes and len(remotes) != 1:
        return top.as_uri()
    name = "origin" if "origin" in remotes else remotes[0]
    written = _configured(ask, name)
    if not written or _DRIVE.match(written):
        return top.as_uri()
    meant = ask("remote", "get-url", name)
    return public(meant if _is_shorthand(written) and "://" not in written else written, top)


def public(address: str, top: Path) -> str:
    """Return an address without password and closing slashes; a path, relative to `top`, as an absolute one."""
    if "://" in address:
        return _without_password(address)
    found = _WITH_HOST.fullmatch(address)
    if found and not _DRIVE.match(address):
        return f"{f'{found[1]}@' if found[1] else ''}{found[2]}:{found[3].rstrip('/') or found[3]}"
    path = (top / address).resolve()
    return str(path) if re.fullmatch(r"\S+", str(path)) else path.as_uri()


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket too few
        return re.sub(r"//[^/]*@", "//", url)
    scheme = "ssh" if parts.scheme in _SSH else parts.scheme
    user, _, host = parts.netloc.rpartition("@")
    keep = f"{user.partition(':')[0]}@" if user and scheme == "ssh" else ""
    return urlunsplit(parts._replace(scheme=scheme, netloc=keep + host, path=parts.path.rstrip("/") or parts.path))


def _configured(ask: Ask, name: str) -> str:
    """Return the first address of a remote as it was configured, or "" for a remote without one."""
    try:
        return ask("config", "--get-all", f"remote.{name}.url").split("\n")[0]
    except ExternalFailure:
        return ""


def _is_shorthand(address: str) -> bool:
    """Tell whether an address names neither a user nor a host of the network: then it is somebody's own word."""
    found = _WITH_HOST.fullmatch(address)
    return bool(found and not found[1] and not re.search(r"[.\[]", found[2]))
