"""Where a SARIF result is: the path that an artifact location names (SARIF 3.4), as the tool means it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings.sarif_shape import ArtifactLocation, PhysicalLocation, Region, Result, Run

# A letter before a colon is a drive of Windows, not a scheme (RFC 8089, appendix E).
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_ABSOLUTE = re.compile(rf"{_SCHEME.pattern}|[A-Za-z][:|][\\/]|[\\/]")
_FRAGMENT = re.compile(r"[?#][^/\\]*$")  # not `C#/main.cs`, where a tool did not encode it
_DRIVE = re.compile(r"/([A-Za-z])[:|](?=/|$)")


def place(run: Run, result: Result) -> tuple[str, int, int | None]:
    """Return file, line and column of a result; empty, 1 and None where it does not say. Raises UnreadableReport."""
    places = (one.get("physicalLocation") for one in result.get("locations") or ())
    physical = next(filter(None, places), PhysicalLocation())
    location = physical.get("artifactLocation") or result.get("analysisTarget") or ArtifactLocation()
    region = physical.get("region") or Region()
    column = region.get("startColumn") or 0
    return _path(_resolved(run, location)), max(region.get("startLine") or 1, 1), column if column > 0 else None


def _resolved(run: Run, location: ArtifactLocation) -> str:
    """Return the URI of a location, joined to its base and that one's (3.14.14), as far as these are known."""
    artifacts = run.get("artifacts") or []
    index = location.get("index", -1)
    if not location.get("uri") and 0 <= index < len(artifacts):
        location = artifacts[index].get("location") or ArtifactLocation()
    uri = location.get("uri") or ""
    bases: Mapping[str, ArtifactLocation] = run.get("originalUriBaseIds") or {}
    name, passed = location.get("uriBaseId") or "", set[str]()
    while uri and not _ABSOLUTE.match(uri) and name in bases and name not in passed:
        passed.add(name)
        base = bases[name].get("uri") or ""
        uri = f"{base.removesuffix('/')}/{uri}" if base else uri
        name = bases[name].get("uriBaseId") or ""
    return uri


def _path(uri: str) -> str:
    """Return the path in a `file` URI (RFC 8089, with its appendix E) or a relative one; another URI as it is."""
    try:
        urlsplit(uri)
    except ValueError as error:
        raise UnreadableReport(f"no SARIF report: {uri[:200]!r} is no URI ({error})") from error
    scheme = _SCHEME.match(uri)
    if scheme and scheme[0].lower() != "file:":
        return uri
    path = _FRAGMENT.sub("", uri[scheme.end() if scheme else 0 :])
    if scheme and path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        if host.lower() in ("", "localhost"):
            path = f"/{rest}"
        elif _DRIVE.fullmatch(f"/{host}"):
            path = f"/{host}/{rest}"
    path = unquote(path)
    return f"{drive[1]}:{path[drive.end() :]}" if (drive := _DRIVE.match(path)) else path
