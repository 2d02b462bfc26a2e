"""SARIF 2.1.0, read and written (https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import quote, unquote, urljoin, urlsplit

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import shape
from jenkins_cd.model import Finding, Level

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "jenkinsCd/v1"
_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "note": "note", "none": "note"}
# staticcheck reports code that does not compile by a rule that its report gives no level.
_NO_LESS_THAN_ERRORS = frozenset({"compile"})


class _Message(TypedDict, total=False):
    text: str
    markdown: str
    id: str
    arguments: list[str]


class _Location(TypedDict, total=False):
    uri: str
    uriBaseId: str
    index: int


class _Region(TypedDict, total=False):
    startLine: int
    startColumn: int


class _Physical(TypedDict, total=False):
    artifactLocation: _Location
    region: _Region


class _Place(TypedDict, total=False):
    physicalLocation: _Physical


class _Suppression(TypedDict, total=False):
    status: str


class _RuleReference(TypedDict, total=False):
    id: str
    index: int


class _Result(TypedDict, total=False):
    ruleId: str
    ruleIndex: int
    rule: _RuleReference
    kind: str
    level: str
    message: _Message
    locations: list[_Place]
    suppressions: list[_Suppression] | None
    baselineState: str


class _Configuration(TypedDict, total=False):
    level: str


class _Rule(TypedDict, total=False):
    id: str
    defaultConfiguration: _Configuration
    messageStrings: dict[str, _Message]


class _Driver(TypedDict, total=False):
    name: str
    rules: list[_Rule]


class _Tool(TypedDict):
    driver: _Driver


class _Invocation(TypedDict, total=False):
    executionSuccessful: bool


class _Artifact(TypedDict, total=False):
    location: _Location


class _RequiredRun(TypedDict):
    tool: _Tool


class _Run(_RequiredRun, total=False):
    results: list[_Result] | None
    invocations: list[_Invocation]
    artifacts: list[_Artifact]
    originalUriBaseIds: dict[str, _Location]


class _Log(TypedDict):
    version: str
    runs: list[_Run] | None


def parse(text: str) -> list[Finding]:
    """Return the findings of a SARIF report: its results of kind `fail` that are neither suppressed nor gone.

    Raises UnreadableReport, also where the tool says that it did not finish.
    """
    log = shape.decode(text, _Log, "SARIF report")
    if log["version"] != "2.1.0" or log["runs"] is None:
        raise UnreadableReport(f"no SARIF 2.1.0 report: version {log['version'][:20]!r}, or no runs")
    return [finding for run in log["runs"] for finding in _run_findings(run)]


def to_sarif(findings: Iterable[Finding], tools: Sequence[str] = (), problems: Sequence[str] = ()) -> dict[str, Any]:
    """Return the findings as a SARIF log with a run for each tool; `tools` ran, whether or not they found anything.

    `problems` are what kept a tool from finishing: the log then says that the execution was not successful.
    """
    by_tool: dict[str, list[Finding]] = {tool: [] for tool in tools}
    for finding in findings:
        by_tool.setdefault(finding.tool, []).append(finding)
    runs = []
    for tool, found in by_tool.items():
        rules = {rule: index for index, rule in enumerate(sorted({finding.rule for finding in found}))}
        results = [to_result(finding, rules[finding.rule]) for finding in found]
        runs.append({**to_run(tool, rules, problems), "results": results})
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": runs}


def _run_findings(run: _Run) -> list[Finding]:
    name = run["tool"]["driver"].get("name", "")
    ends = [invocation.get("executionSuccessful", True) for invocation in run.get("invocations", [])]
    if not all(ends):
        raise UnreadableReport(f"incomplete: {name or 'the tool'} says that it did not run to its end")
    # Without results a run has looked at nothing (section 3.14.23); staticcheck leaves them out where there are none.
    if run.get("results") is None and not ends:
        raise UnreadableReport(f"incomplete: the run of {name or 'the tool'} has no results")
    return [_finding(run, name, result) for result in run.get("results") or [] if _counts(result)]


def _counts(result: _Result) -> bool:
    suppressed = any(item.get("status", "accepted") == "accepted" for item in result.get("suppressions") or [])
    return result.get("kind", "fail") == "fail" and not suppressed and result.get("baselineState") != "absent"


def _finding(run: _Run, tool: str, result: _Result) -> Finding:
    rules = run["tool"]["driver"].get("rules", [])
    rule_id, rule = _rule(rules, result)
    physical = next((place["physicalLocation"] for place in result.get("locations", []) if place), _Physical())
    region = physical.get("region", _Region())
    column = region.get("startColumn", 0)
    return Finding(
        tool=tool,
        rule=rule_id,
        message=_message(result.get("message", _Message()), rule),
        level=_level(rule_id, result, rule),
        file=_file(run, physical.get("artifactLocation", _Location())),
        line=max(region.get("startLine", 1), 1),
        column=column if column > 0 else None,
    )


def _rule(rules: Sequence[_Rule], result: _Result) -> tuple[str, _Rule]:
    """Return the rule's id and description (section 3.27.5 to 3.27.7): by index where there is one, else by id."""
    reference = result.get("rule", _RuleReference())
    index = result.get("ruleIndex", reference.get("index", -1))
    name = result.get("ruleId", reference.get("id", ""))
    if 0 <= index < len(rules):
        return name or rules[index].get("id", ""), rules[index]
    return name, next((rule for rule in rules if rule.get("id") == name), _Rule())


def _level(rule_id: str, result: _Result, rule: _Rule) -> Level:
    """Return the level: the result's, else its rule's, else warning (section 3.27.10)."""
    default = "error" if rule_id in _NO_LESS_THAN_ERRORS else "warning"
    name = result.get("level") or rule.get("defaultConfiguration", _Configuration()).get("level") or default
    return _LEVELS.get(name, "error")


def _message(message: _Message, rule: _Rule) -> str:
    """Return the message's text, looked up in the rule's strings where it only has an id (section 3.11)."""
    text = message.get("text") or message.get("markdown")
    if text is None and "id" in message:
        text = rule.get("messageStrings", {}).get(message["id"], _Message()).get("text")
    arguments = message.get("arguments", [])
    return re.sub(r"\{(\d{1,3})\}", lambda match: _argument(arguments, match), text or "no message")


def _argument(arguments: Sequence[str], match: re.Match[str]) -> str:
    index = int(match[1])
    return arguments[index] if index < len(arguments) else match[0]


def _file(run: _Run, location: _Location) -> str:
    """Return the path that an artifact location names, joined to its base where that is known (section 3.4)."""
    artifacts = run.get("artifacts", [])
    index = location.get("index", -1)
    if "uri" not in location and 0 <= index < len(artifacts):
        location = artifacts[index].get("location", _Location())
    base = run.get("originalUriBaseIds", {}).get(location.get("uriBaseId", ""), _Location()).get("uri", "")
    uri = location.get("uri", "")
    try:
        parts = urlsplit(urljoin(base, uri) if uri else "")
    except ValueError as error:
        raise UnreadableReport(f"no SARIF report: {uri[:200]!r} is no URI ({error})") from error
    return unquote(parts.path) if parts.scheme in ("", "file") else uri


def to_run(tool: str, rules: Iterable[str], problems: Sequence[str]) -> dict[str, Any]:
    """Return a run without its results."""
    notes = [{"level": "error", "message": {"text": problem}} for problem in problems]
    invocation = {"executionSuccessful": not problems, **({"toolExecutionNotifications": notes} if notes else {})}
    return {
        "tool": {"driver": {"name": tool, "rules": [{"id": rule} for rule in rules]}},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
    }


def to_result(finding: Finding, rule_index: int) -> dict[str, Any]:
    """Return a finding as a result of a run, whose rule with that index is the finding's."""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "level": finding.level,
        "message": {"text": finding.message},
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
    }
    if finding.file:
        result["locations"] = [{"physicalLocation": _to_location(finding)}]
    return result


def _to_location(finding: Finding) -> dict[str, Any]:
    region = {"startLine": finding.line, **({"startColumn": finding.column} if finding.column else {})}
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file)}, "region": region}
    if finding.source:
        location["contextRegion"] = {
            "startLine": finding.source_start,
            "endLine": finding.source_start + len(finding.source) - 1,
            "snippet": {"text": "\n".join(finding.source)},
        }
    return location
