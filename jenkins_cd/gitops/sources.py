"""Where the releases of an app come from: which Git URLs name one repository, and which the platform file allows.

Two URLs count as one repository only where they must: scheme, user of a forge, default port, case of the host, `.git`
and slashes at the end say nothing. Everything else does, so in doubt a repository is another one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

Kind = Literal["remote", "local", "odd"]  # odd: nothing is known of it but its text
ANY = "*"  # in a key every app, in a URL any part of one folder's name
_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>\[[^\]/]+\]|[^@/:\[]+):(?P<path>(?!//).+)")
_FORGE = "git"  # the user of every forge: its paths are those of the forge, not of somebody's home


def same(one: str, other: str) -> bool:
    """Tell whether two Git URLs (or local paths) name one repository."""
    return canonical(one) == canonical(other)


def canonical(url: str) -> tuple[Kind, str]:
    """Return what is the same for all URLs of one repository, and for no URL of another."""
    if url.startswith("/"):
        return _local(url)
    try:
        parts = urlsplit(url)
        if parts.scheme == "file":
            return _local(parts.path) if parts.netloc in ("", "localhost") else ("odd", url)
        if parts.scheme in _PORTS and parts.hostname:
            return _remote(parts)
    except ValueError:  # a port or an address that is none
        return "odd", url
    found = None if "://" in url else _SCP.fullmatch(url)
    if not found:
        return "odd", url
    user, path = found["user"] or "", found["path"]
    relative = not path.startswith("/") and user != _FORGE
    return _at(found["host"].strip("[]"), None, user, f"~/{path}" if relative and path[:1] != "~" else path, url)


def bound(apps: Mapping[str, tuple[str, ...]], project: str, app: str) -> tuple[str, ...] | None:
    """Return the URLs that `apps` of the platform file allows for an app, the nearest key's; None without one."""
    keys = (f"{project}/{app}", app, f"{project}/{ANY}", ANY)
    found = next((apps[key] for key in keys if key in apps), None)
    return None if found is None else tuple(url.replace("{app}", app).replace("{project}", project) for url in found)


def among(source: str, allowed: tuple[str, ...]) -> bool:
    """Tell whether a source is one of the URLs, in which `*` stands for any part of one folder's name."""
    known = canonical(source)
    return any(known == canonical(url) or _matches(known, canonical(url)) for url in allowed)


def _matches(known: tuple[Kind, str], pattern: tuple[Kind, str]) -> bool:
    if known[0] != pattern[0] or "odd" in known:
        return False
    return re.fullmatch("[^/]+".join(map(re.escape, pattern[1].split(ANY))), known[1]) is not None


def _remote(parts: SplitResult) -> tuple[Kind, str]:
    port = None if parts.port == _PORTS[parts.scheme] else parts.port
    tail = "".join(f"{sign}{text}" for sign, text in (("?", parts.query), ("#", parts.fragment)) if text)
    path = parts.path
    if parts.scheme == "ssh" and path.startswith("/~"):
        path = path[1:]
    elif parts.scheme != "ssh" and path.startswith("/~"):
        path = f"/./{path[1:]}"  # a name like any other, nobody's home
    return _at(parts.hostname or "", port, parts.username or "", path + tail, parts.geturl())


def _at(host: str, port: int | None, user: str, path: str, url: str) -> tuple[Kind, str]:
    """Return host and path; a path that is in somebody's home names whose."""
    bare = path.strip("/").removeprefix("./").removesuffix(".git").rstrip("/")
    if _is_odd(bare) or re.search(r"\s", path):
        return "odd", url
    home = ""
    if path.startswith("~"):
        owner, _, bare = bare[1:].partition("/")
        home = f" ~{owner or user} "
    name = f"[{host.lower()}]" if ":" in host else host.lower().removesuffix(".")
    return "remote", f"{name}{f':{port}' if port else ''}/{home}{bare}"


def _local(path: str) -> tuple[Kind, str]:
    """Return a path as Git looks it up: without `.git` at the end where there is no folder of that name."""
    bare = path.rstrip("/")
    if _is_odd(bare):
        return "odd", path
    if bare.endswith((".git", ANY)) or os.path.exists(bare):  # noqa: PTH110, whatever is no path does not exist
        return "local", bare
    return "local", f"{bare}.git"


def _is_odd(path: str) -> bool:
    """Tell whether a path has parts that lead elsewhere, encoded or not: where to is not ours to guess."""
    parts = path.removeprefix("/").split("/")
    hidden = any(re.search(r"[/\\\0]", unquote(part)) or unquote(part) in (".", "..") for part in parts)
    return hidden or any(part in ("", ".", "..") for part in parts)
