"""Reports as tools would write them, of findings that are known: in odd but legal variants, the same for a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from jenkins_cd.config.types import FindingFormat
from jenkins_cd.model import Level

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
NAMES = ("a", "b c", "[id]", "(x)", "é", "日本", "x-1", "a.b", "#1", "100%", "q'")
WORDS = ("unused", "'x'", "日本", "\u2028", "\x0c", "a:b", "{0}", "<b>", '"q"', "100 %", "é", "\x85", "\\", "…")


@dataclass(frozen=True, order=True)
class Known:
    """A finding that is in a report."""

    file: str
    line: int
    level: Level
    message: str
    rule: str = "R1"


@dataclass(frozen=True)
class Report:
    """A report, and for each finding the number of characters after which it is told to its end."""

    text: str
    ends: Mapping[Known, int]


Render = Callable[[random.Random, Sequence[Known]], Report]


def known(chance: random.Random, number: int, levels: Sequence[Level] = LEVELS) -> list[Known]:
    """Return findings at places of which no two are the same."""
    files = ["/".join(chance.choices(NAMES, k=chance.randint(1, 3))) + f"{index}.x" for index in range(number)]
    return [
        Known(
            file=file,
            line=chance.randint(1, 5000),
            level=chance.choice(levels),
            message=" ".join(["m", *chance.choices(WORDS, k=chance.randint(1, 4)), "m"]),
            rule=f"R{chance.randint(1, 9)}",
        )
        for file in files
    ]


def _of_lines(told: Sequence[tuple[str, Known | None]], end: str) -> Report:
    text, ends = "", {}
    for line, finding in told:
        text += line + end
        if finding:
            ends[finding] = len(text) - len(end)
    return Report(text, ends)


def _document(told: object, findings: Sequence[Known], chance: random.Random) -> Report:
    """Return JSON in one of its layouts; nothing of it is told before its end."""
    text = json.dumps(told, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1, "\t"]))
    return Report(text, dict.fromkeys(findings, len(text)))


def text_lines(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return what a compiler prints, with its chatter."""

    def line(finding: Known) -> str:
        column = chance.randint(1, 99)
        places = [
            *(f":{finding.line}:", f":{finding.line}:{column}:", f":{finding.line}:{column}-{column + 2}:"),
            *(f"({finding.line}):", f"({finding.line},{column}):", f"({finding.line},{column}) :"),
        ]
        bare = finding.level == "error" and chance.random() < 0.5
        head = "" if bare else f"{chance.choice([finding.level, finding.level.upper()])}: "
        shown = f"{finding.file}{chance.choice(places)} {head}{finding.message}"
        return f"\x1b[1m{shown}\x1b[0m" if chance.random() < 0.3 else shown

    told: list[tuple[str, Known | None]] = []
    for finding in findings:
        told += [("building", None), (line(finding), finding), ("    x = 1", None), ("    ^", None)]
    return _of_lines(told, chance.choice(["\n", "\r\n"]))


def diff(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return a unified diff with one change a finding."""
    told: list[tuple[str, Known | None]] = []
    for finding in findings:
        odd = chance.choice(WORDS)
        before = chance.randint(0, min(3, finding.line - 1))
        rows = [" " + odd] * before + [f"-x {odd}", f"+y {odd}"] + [chance.choice([" ", "", f" {odd}"])]
        heads = [f"--- {finding.file}", f"+++ {finding.file}"]
        if chance.random() < 0.5:
            heads = [f"diff --git a/{finding.file} b/{finding.file}", f"--- a/{finding.file}", f"+++ b/{finding.file}"]
        size = before + 2
        at = finding.line - before
        shown = [*heads, f"@@ -{at},{size} +{at},{size} @@{chance.choice(['', f' f{odd}'])}", *rows]
        if chance.random() < 0.3:
            shown = [f"\x1b[31m{row}\x1b[0m" if row else row for row in shown]
        told += [*((row, None) for row in shown[:-1]), (shown[-1], finding)]
    return _of_lines(told, chance.choice(["\n", "\r\n"]))


def gofmt_list(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return a path a line."""
    return _of_lines([(finding.file, finding) for finding in findings], chance.choice(["\n", "\r\n"]))


def vulture(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return what vulture prints."""
    return _of_lines(
        [
            (f"{one.file}:{one.line}: unused {one.message} (60% confidence{chance.choice(['', ', 3 lines'])})", one)
            for one in findings
        ],
        chance.choice(["\n", "\r\n"]),
    )


def mypy_json(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return an object a line."""

    def line(finding: Known) -> str:
        told = {"file": finding.file, "line": finding.line, "column": 0, "message": finding.message, "hint": None}
        told |= {"code": chance.choice([finding.rule, None]), "severity": finding.level}
        return json.dumps(told, ensure_ascii=chance.random() < 0.5)

    return _of_lines([(line(finding), finding) for finding in findings], "\n")


def go_vet_json(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return a document a package, with the comments of older versions."""
    parts = []
    for number, finding in enumerate(findings):
        analyzer = "printf" if finding.level == "error" else "assign"
        column = chance.choice(["", f":{chance.randint(0, 80)}"])
        told = {f"x/p{number}": {analyzer: [{"posn": f"{finding.file}:{finding.line}{column}", "message": "m"}]}}
        comment = f"# x/p{number}\n" if chance.random() < 0.5 else ""
        parts.append(comment + json.dumps(told, indent=chance.choice([None, "\t"]), ensure_ascii=False) + "\n")
    ends, text = {}, ""
    for part, finding in zip(parts, findings, strict=True):
        text += part
        ends[finding] = len(text) - 1
    return Report(text, ends)


def deadcode_json(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return one list of packages."""
    packages = [
        {
            "Name": "p",
            "Path": f"x/p{number}",
            "Funcs": [
                {"Name": "f", "Position": {"File": one.file, "Line": one.line, "Col": 0}, "Generated": False},
                {"Name": "g", "Position": {"File": "gen.go", "Line": 1, "Col": 1}, "Generated": True},
            ],
        }
        for number, one in enumerate(findings)
    ]
    return _document(packages, findings, chance)


def sarif(chance: random.Random, findings: Sequence[Known]) -> Report:
    """Return a log of one or two runs: levels of results, rules or overrides, rules in extensions, odd URIs."""
    half = chance.randint(0, len(findings))
    runs = [_sarif_run(chance, part) for part in (findings[:half], findings[half:])]
    report = _document({"version": "2.1.0", "runs": runs}, findings, chance)
    return Report(chance.choice(["", "\ufeff"]) + report.text, {one: len(report.text) for one in findings})


def _sarif_run(chance: random.Random, findings: Sequence[Known]) -> dict[str, Any]:
    components: list[dict[str, Any]] = [
        {"name": f"c{number}", "guid": f"g{number}", "rules": []} for number in range(3)
    ]
    overrides: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for number, finding in enumerate(findings):
        result: dict[str, Any] = {"message": {"text": finding.message}, "ruleId": f"{finding.rule}.{number}"}
        _give_level(chance, finding, result, components, overrides)
        uri = quote(finding.file) if chance.random() < 0.7 else f"file:///src/{quote(finding.file)}"
        location: dict[str, Any] = {"uri": uri}
        if chance.random() < 0.5:
            location["uriBaseId"] = chance.choice(["SRC", "INNER", "UNKNOWN"])
        physical = {"artifactLocation": location, "region": {"startLine": finding.line}}
        result["locations"] = [{"physicalLocation": physical}]
        if chance.random() < 0.3:
            result["suppressions"] = [{"kind": "inSource"}, {"kind": "external", "status": "underReview"}]
        noise = chance.choice([None, {"kind": "pass"}, {"suppressions": [{"kind": "inSource"}], "level": "error"}])
        results += [result, *([noise] if noise else [])]
    return {
        "tool": {"driver": components[0], "extensions": components[1:]},
        "invocations": [{"executionSuccessful": True, "ruleConfigurationOverrides": overrides}],
        "originalUriBaseIds": {"SRC": {"uri": "file:///src"}, "INNER": {"uriBaseId": "SRC"}},
        "results": results,
    }


def _give_level(
    chance: random.Random,
    finding: Known,
    result: dict[str, Any],
    components: Sequence[dict[str, Any]],
    overrides: list[dict[str, Any]],
) -> None:
    """Say how grave a finding is, in one of the ways of the specification."""
    way = chance.choice(["result", "rule", "override"])
    if way == "result":
        result["level"] = finding.level
        return
    number = chance.randrange(len(components))
    rules = components[number]["rules"]
    default = finding.level if way == "rule" else chance.choice(LEVELS)
    rules.append(
        {"id": result["ruleId"], "guid": f"{result['ruleId']}@{number}", "defaultConfiguration": {"level": default}}
    )
    reference = _reference(chance, number, len(rules) - 1, rules[-1])
    result["rule"] = reference
    if chance.random() < 0.3:
        result["ruleId"] += "/sub"
    if way == "override":
        overrides.append(
            {"descriptor": {"id": rules[-1]["id"], **reference}, "configuration": {"level": finding.level}}
        )
        result["provenance"] = {"invocationIndex": 0}


def _reference(chance: random.Random, component: int, index: int, rule: Mapping[str, Any]) -> dict[str, Any]:
    named = {"index": component - 1} if component else {}
    where = chance.choice([named, {"guid": f"g{component}"}, {"name": f"c{component}"}])
    reference = chance.choice([{"index": index}, {"guid": rule["guid"]}, {"id": rule["id"]}])
    return {**reference, **({"toolComponent": where} if where else {})}


RENDER: Mapping[FindingFormat, Render] = {
    "sarif": sarif,
    "go-vet-json": go_vet_json,
    "deadcode-json": deadcode_json,
    "gofmt-list": gofmt_list,
    "mypy-json": mypy_json,
    "vulture": vulture,
    "diff": diff,
    "text": text_lines,
}


@dataclass(frozen=True)
class Tests:
    """A JUnit report, and the names of the tests that failed."""

    text: str
    failed: frozenset[str]


def junit(chance: random.Random, number: int) -> Tests:
    """Return a JUnit report of some dialect: nested suites, counters that count attempts or not, failures anywhere."""
    failed: set[str] = set()
    body = _junit_suite(chance, number, 0, failed, flaky_counts=chance.random() < 0.5)
    return Tests(f"<?xml version='1.0' encoding='UTF-8'?>\n<testsuites>{body}</testsuites>", frozenset(failed))


def _junit_suite(chance: random.Random, number: int, depth: int, failed: set[str], *, flaky_counts: bool) -> str:
    cases, told = "", 0
    for index in range(number):
        name = f"t{depth}.{index} {chance.choice(NAMES)}"
        kind = chance.choice(["passed", "failure", "error", "flaky", "skipped", "status", "rerun"])
        bad = kind in ("failure", "error", "status", "rerun")
        told += bad or (flaky_counts and kind == "flaky")
        failed |= {name} if bad else set()
        cases += _junit_case(chance, name, kind)
    inner = _junit_suite(chance, number, depth + 1, failed, flaky_counts=flaky_counts) if depth < 2 else ""
    counters = f" tests='{number}' failures='{told}' errors='0'" if chance.random() < 0.7 else ""
    return f"<testsuite name={quoteattr(f's{depth}')}{counters}>{cases}{inner}</testsuite>"


def _junit_case(chance: random.Random, name: str, kind: str) -> str:
    words = escape(" ".join(word for word in chance.choices(WORDS, k=3) if word.isprintable()))
    inside = {
        "passed": "<system-out>failure</system-out>",
        "failure": f"<failure message='m'>{words}</failure>",
        "error": f"<properties/><error>{words}</error><system-err/>",
        "flaky": "<flakyFailure message='once'/>",
        "skipped": "<skipped/>",
        "status": "",
        "rerun": f"<failure>{words}</failure><rerunFailure>{words}</rerunFailure>",
    }[kind]
    status = " status='failed'" if kind == "status" else ""
    return f"<testcase name={quoteattr(name)} time='0.1'{status}>{inside}</testcase>"
