"""SARIF 2.1.0, read and written (https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import sarif_place, shape
from jenkins_cd.findings.sarif_rules import LEVELS, Rule, notification_level, rules_of
from jenkins_cd.findings.sarif_shape import Log, Message, Notification, Result, Run
from jenkins_cd.masking import excerpt
from jenkins_cd.model import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "jenkinsCd/v1"
# Kinds of results that are no problems (3.27.9). `open` and `review` are left for somebody to judge: they count.
_HARMLESS = frozenset({"pass", "notApplicable", "informational"})
# What may stand in files of its own (3.14.2), and without which findings would be missing or seem harmless.
_NEEDED = ("results", "driver", "extensions", "invocations")


def parse(text: str) -> list[Finding]:
    """Return the findings of a SARIF report: its results that are problems, and neither suppressed nor gone.

    Raises UnreadableReport, also where the tool says that it did not finish.
    """
    log = shape.decode(text, Log, "SARIF report")
    if log["version"] != "2.1.0" or log["runs"] is None:
        raise UnreadableReport(f"no SARIF 2.1.0 report: version {excerpt(log['version'], 20)!r}, or no runs")
    if not log["runs"]:
        raise UnreadableReport("incomplete: it has no run, so nothing was looked at")
    if log.get("inlineExternalProperties"):
        raise UnreadableReport("incomplete: parts of its runs are in inlineExternalProperties, which are not read")
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


def _run_findings(run: Run) -> list[Finding]:
    tool = run["tool"]["driver"].get("name", "")
    if problem := next(_shortcomings(run, tool or "the tool"), ""):
        raise UnreadableReport(f"incomplete: {problem}")
    rule_of = rules_of(run)
    return [_finding(run, tool, result, rule_of(result)) for result in run.get("results") or () if _counts(result)]


def _shortcomings(run: Run, tool: str) -> Iterator[str]:
    """Yield what says that the tool has not looked at everything."""
    external = run.get("externalPropertyFileReferences") or {}
    yield from (f"{tool} keeps its {name} in another file, which is not read" for name in _NEEDED if external.get(name))
    invocations = run.get("invocations") or []
    for number, invocation in enumerate(invocations):
        if not invocation.get("executionSuccessful", True):
            yield f"{tool} says that it did not run to its end"
        if end := invocation.get("processStartFailureMessage") or invocation.get("exitSignalName"):
            yield f"{tool} did not run to its end: {excerpt(end, 200)}"
        told = [*(invocation.get("toolExecutionNotifications") or ())]
        told += invocation.get("toolConfigurationNotifications") or ()
        errors = (one for one in told if notification_level(run, number, one) == "error")
        yield from (f"{tool} says that it failed: {_said(notification)}" for notification in errors)
    # Without results a run has looked at nothing (3.14.23); staticcheck leaves them out where there are none.
    ends = [invocation.get("executionSuccessful", False) for invocation in invocations]
    if run.get("results") is None and ("results" in run or not any(ends)):
        yield f"the run of {tool} has no results"


def _said(notification: Notification) -> str:
    message = notification.get("message") or Message()
    return excerpt(message.get("text") or message.get("markdown") or message.get("id") or "it does not say why", 200)


def _counts(result: Result) -> bool:
    """Tell whether a result is a problem. One is suppressed where all of its suppressions are accepted (3.27.23)."""
    suppressions = result.get("suppressions") or []
    accepted = [(suppression.get("status") or "accepted") == "accepted" for suppression in suppressions]
    if (accepted and all(accepted)) or result.get("baselineState") == "absent":
        return False
    return (result.get("kind") or "fail") not in _HARMLESS


def _finding(run: Run, tool: str, result: Result, rule: Rule) -> Finding:
    file, line, column = sarif_place.place(run, result)
    level = result.get("level") or (rule.level if result.get("kind") in (None, "fail") else "none")
    return Finding(
        tool=tool,
        rule=rule.id,
        message=_message(result.get("message") or Message(), rule),
        level=LEVELS.get(level, "error"),
        file=file,
        line=line,
        column=column,
    )


def _message(message: Message, rule: Rule) -> str:
    """Return the message's text, looked up in the rule's strings where it only has an id (section 3.11)."""
    text = message.get("text") or message.get("markdown")
    if text is None and (name := message.get("id")):
        text = rule.strings.get(name, Message()).get("text")
    arguments = message.get("arguments", [])
    return re.sub(r"\{(\d{1,3})\}", lambda match: _argument(arguments, match), text or "no message")


def _argument(arguments: Sequence[str], match: re.Match[str]) -> str:
    index = int(match[1])
    return arguments[index] if index < len(arguments) else match[0]


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
