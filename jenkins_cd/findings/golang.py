"""What Go's tools print."""

from __future__ import annotations

import re
from typing import TypedDict

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import shape
from jenkins_cd.lines import split_lines, without_escapes
from jenkins_cd.model import Finding

# What `go test` refuses to run with (`go help test`), so what nobody disputes: errors. The other analyzers warn.
REFUSED_BY_GO_TEST = frozenset(
    {"atomic", "bool", "buildtags", "directive", "errorsas", "ifaceassert", "nilfunc", "printf", "stringintconv"}
    | {"tests"}
)

_POSITION = re.compile(r"(?P<file>.+?):(?P<line>\d{1,9})(?::(?P<column>\d{1,9}))?", re.DOTALL)


class _Diagnostic(TypedDict):
    posn: str  # file:line:column
    message: str


class _Broken(TypedDict):
    error: str


class _Position(TypedDict):
    File: str
    Line: int
    Col: int


class _Function(TypedDict):
    Name: str
    Position: _Position
    Generated: bool


class _Package(TypedDict):
    Path: str
    Funcs: list[_Function] | None


def vet(text: str) -> list[Finding]:
    """Read `go vet -json`: package → analyzer → diagnostics, one document a package or one for all.

    Specified in the package documentation of golang.org/x/tools/go/analysis/unitchecker. Raises UnreadableReport,
    also where an analyzer says that it failed.
    """
    document = dict[str, dict[str, list[_Diagnostic] | _Broken]]
    json = "\n".join(line for line in split_lines(text) if not line.startswith(("# ", "go: ")))
    return [
        _vet_finding(analyzer, diagnostic)
        for packages in shape.documents(json, document, "`go vet -json` report")
        for analyzers in packages.values()
        for analyzer, diagnostics in analyzers.items()
        for diagnostic in _diagnostics(analyzer, diagnostics)
    ]


def deadcode(text: str) -> list[Finding]:
    """Read `deadcode -json`: the functions that no main package reaches. Raises UnreadableReport.

    Specified by `deadcode -help` (golang.org/x/tools/cmd/deadcode). Generated code is left out.
    """
    packages = shape.decode(text, list[_Package] | None, "`deadcode -json` report")  # type: ignore[arg-type]
    return [
        Finding(
            tool="deadcode",
            rule="unreachable-function",
            message=f"no main package reaches {function['Name']}",
            level="warning",
            file=function["Position"]["File"],
            line=max(function["Position"]["Line"], 1),
            column=function["Position"]["Col"] or None,
        )
        for package in packages or []
        for function in package["Funcs"] or []
        if not function["Generated"]
    ]


def file_list(text: str) -> list[Finding]:
    """Read `gofmt -l`: one path a line."""
    return [
        Finding(tool="", rule="format", message="not formatted", level="error", file=line)
        for line in split_lines(without_escapes(text))
        if line.strip()
    ]


def _diagnostics(analyzer: str, diagnostics: list[_Diagnostic] | _Broken) -> list[_Diagnostic]:
    if isinstance(diagnostics, list):
        return diagnostics
    raise UnreadableReport(f"incomplete: the analyzer {analyzer} failed: {diagnostics['error']}")


def _vet_finding(analyzer: str, diagnostic: _Diagnostic) -> Finding:
    file, line, column = _position(diagnostic["posn"])
    return Finding(
        tool="go vet",
        rule=analyzer,
        message=diagnostic["message"],
        level="error" if analyzer in REFUSED_BY_GO_TEST else "warning",
        file=file,
        line=line,
        column=column,
    )


def _position(text: str) -> tuple[str, int, int | None]:
    """Return file, line and column of `main.go:9:14`; `-` stands where none is known."""
    if match := _POSITION.fullmatch(text):
        return match["file"], max(int(match["line"]), 1), int(match["column"] or 0) or None
    if text in ("-", ""):
        return "", 1, None
    raise UnreadableReport(f"no `go vet -json` report: {text[:200]!r} is no position")
