from __future__ import annotations

import json
from typing import Any

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import sarif
from jenkins_cd.model import Finding

FOUND = Finding(
    tool="go vet",
    rule="printf",
    message="wrong type",
    level="error",
    file="cmd/a b/main.go",
    line=9,
    column=3,
    fingerprint="abc",
    source=("x", "y", "z"),
    source_start=8,
)


def log(result: dict[str, Any], **run: Any) -> str:
    tool = {"driver": {"name": "lint", "rules": [{"id": "R1", "defaultConfiguration": {"level": "note"}}]}}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": [result], **run}]})


def at(location: dict[str, Any], **region: int) -> dict[str, Any]:
    return {"locations": [{"physicalLocation": {"artifactLocation": location, "region": region}}]}


def of_one_run(**run: Any) -> dict[str, Any]:
    return {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint"}}, **run}]}


def test_what_is_written_has_the_shape_of_sarif() -> None:
    written = sarif.to_sarif([FOUND])
    assert written["version"] == "2.1.0"
    assert written["$schema"].endswith("sarif-2.1.0.json")
    [run] = written["runs"]
    assert run["tool"]["driver"] == {"name": "go vet", "rules": [{"id": "printf"}]}
    assert run["invocations"] == [{"executionSuccessful": True}]
    [result] = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "printf"
    assert (result["level"], result["message"]) == ("error", {"text": "wrong type"})
    assert result["partialFingerprints"] == {"jenkinsCd/v1": "abc"}
    assert place["artifactLocation"] == {"uri": "cmd/a%20b/main.go"}
    assert place["region"] == {"startLine": 9, "startColumn": 3}
    assert place["contextRegion"] == {"startLine": 8, "endLine": 10, "snippet": {"text": "x\ny\nz"}}


def test_what_is_written_is_read_again_as_it_was() -> None:
    [read] = sarif.parse(json.dumps(sarif.to_sarif([FOUND])))
    kept = ("tool", "rule", "message", "level", "file", "line", "column")
    assert [getattr(read, name) for name in kept] == [getattr(FOUND, name) for name in kept]


def test_each_tool_has_a_run_also_one_that_found_nothing() -> None:
    runs = sarif.to_sarif([FOUND], ["staticcheck"])["runs"]
    assert [(run["tool"]["driver"]["name"], len(run["results"])) for run in runs] == [("staticcheck", 0), ("go vet", 1)]


def test_a_finding_without_a_place_has_no_location() -> None:
    [run] = sarif.to_sarif([Finding(tool="x", rule="r", message="m", level="note", file="")])["runs"]
    assert "locations" not in run["results"][0]


def test_a_log_of_tools_that_did_not_finish_says_so_and_is_refused() -> None:
    written = sarif.to_sarif([FOUND], (), ["staticcheck crashed"])
    notes = written["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert notes == [{"level": "error", "message": {"text": "staticcheck crashed"}}]
    with pytest.raises(UnreadableReport, match="go vet says that it did not run to its end"):
        sarif.parse(json.dumps(written))


@pytest.mark.parametrize(
    ("result", "level"),
    [
        ({"ruleId": "R1", "level": "error"}, "error"),
        ({"ruleId": "R1"}, "note"),
        ({"ruleIndex": 0}, "note"),
        ({"rule": {"index": 0}}, "note"),
        ({"ruleId": "other"}, "warning"),
        ({"ruleId": "other", "level": "none"}, "note"),
        ({"ruleId": "other", "level": "fatal"}, "error"),
        ({"ruleId": "compile"}, "error"),
    ],
)
def test_the_level_is_the_results_else_its_rules_else_warning(result: dict[str, Any], level: str) -> None:
    assert [item.level for item in sarif.parse(log(result))] == [level]


@pytest.mark.parametrize(
    "result",
    [
        {"kind": "pass"},
        {"kind": "notApplicable"},
        {"kind": "informational", "level": "none"},
        {"suppressions": [{"kind": "inSource"}]},
        {"suppressions": [{"kind": "external", "status": "accepted"}]},
        {"suppressions": [{"kind": "inSource", "status": None}, {"kind": "external", "status": "accepted"}]},
        {"baselineState": "absent"},
    ],
)
def test_results_that_do_not_count_are_no_findings(result: dict[str, Any]) -> None:
    assert sarif.parse(log(result)) == []


@pytest.mark.parametrize(
    "suppressions",
    [
        None,
        [],
        [{"kind": "external", "status": "rejected"}],
        [{"kind": "external", "status": "underReview"}],
        [{"kind": "inSource"}, {"kind": "external", "status": "rejected"}],
        [{"kind": "inSource", "status": "accepted"}, {"kind": "inSource", "status": "underReview"}],
        [{"kind": "external", "status": "somehow"}],
    ],
)
def test_a_suppression_that_is_not_accepted_does_not_hide_a_finding(suppressions: list[dict[str, str]] | None) -> None:
    assert len(sarif.parse(log({"suppressions": suppressions}))) == 1


@pytest.mark.parametrize(
    ("result", "level"),
    [
        ({"kind": "open"}, "note"),
        ({"kind": "review", "level": "none"}, "note"),
        ({"kind": "review", "level": "error"}, "error"),
        ({"kind": "fail"}, "warning"),
        ({"kind": None, "level": None, "baselineState": None}, "warning"),
        ({"kind": "fail", "level": "none"}, "note"),
        ({"baselineState": "unchanged", "level": "error"}, "error"),
    ],
)
def test_what_somebody_has_yet_to_judge_is_a_finding(result: dict[str, Any], level: str) -> None:
    assert [item.level for item in sarif.parse(log(result))] == [level]


def test_each_run_is_read_by_its_own_rules() -> None:
    runs = [
        {"tool": {"driver": {"name": name, "rules": [{"id": "R", "defaultConfiguration": {"level": level}}]}}}
        for name, level in (("a", "note"), ("b", "error"))
    ]
    document = {"version": "2.1.0", "runs": [{**run, "results": [{"ruleId": "R"}]} for run in runs]}
    assert [(item.tool, item.level) for item in sarif.parse(json.dumps(document))] == [("a", "note"), ("b", "error")]


def test_a_byte_order_mark_and_colours_around_a_report_do_not_matter() -> None:
    document = log({"ruleId": "R1"})
    for text in (f"\ufeff{document}", f"\x1b[1m{document}\x1b[0m\n", f"\n\ufeff {document}"):
        assert len(sarif.parse(text)) == 1


def test_results_that_were_left_out_because_there_are_none_are_none() -> None:
    """staticcheck's way."""
    run = {"tool": {"driver": {"name": "lint"}}, "invocations": [{"executionSuccessful": True}]}
    assert sarif.parse(json.dumps({"version": "2.1.0", "runs": [run]})) == []


@pytest.mark.parametrize(
    ("location", "file"),
    [
        ({"uri": "src/a%20b.c"}, "src/a b.c"),
        ({"uri": "file:///src/a.c"}, "/src/a.c"),
        ({"uri": "a.c", "uriBaseId": "SRC"}, "/base/a.c"),
        ({"uri": "a.c", "uriBaseId": "%SRCROOT%"}, "a.c"),
        ({"index": 0}, "listed.c"),
        ({"index": 7}, ""),
        ({}, ""),
    ],
)
def test_a_place_is_read_from_uri_base_and_index(location: dict[str, Any], file: str) -> None:
    bases = {"SRC": {"uri": "file:///base/"}}
    artifacts = [{"location": {"uri": "listed.c"}}]
    [found] = sarif.parse(log(at(location, startLine=0), originalUriBaseIds=bases, artifacts=artifacts))
    assert (found.file, found.line, found.column) == (file, 1, None)


def test_a_message_is_looked_up_and_filled_where_it_only_has_an_id() -> None:
    rules = [{"id": "R", "messageStrings": {"x": {"text": "{0} hides {1}, {9}"}}}]
    result = {"ruleId": "R", "message": {"id": "x", "arguments": ["a", "b"]}}
    document = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "t", "rules": rules}}, "results": [result]}]}
    assert [item.message for item in sarif.parse(json.dumps(document))] == ["a hides b, {9}"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"version": "2.0.0", "runs": []}, "version '2.0.0'"),
        ({"version": "2.1.0"}, "runs"),
        ({"version": "2.1.0", "runs": None}, "no runs"),
        ({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "lint"}}}]}, "the run of lint has no results"),
        ({"version": "2.1.0", "runs": [{"tool": {"driver": {}}, "results": [{"level": 3}]}]}, "level"),
        ({"version": "2.1.0", "runs": []}, "no run"),
        (of_one_run(results=None), "has no results"),
        (of_one_run(results=None, invocations=[{"executionSuccessful": True}]), "has no results"),
        (of_one_run(invocations=[{}]), "has no results"),
        (of_one_run(results=[], externalPropertyFileReferences={"results": [{}]}), "results in another file"),
        (of_one_run(results=[], externalPropertyFileReferences={"driver": {}, "extensions": [{}]}), "extensions in an"),
        ({**of_one_run(results=[]), "inlineExternalProperties": [{"results": []}]}, "inlineExternalProperties"),
    ],
)
def test_what_is_no_whole_sarif_report_is_refused(document: dict[str, Any], why: str) -> None:
    with pytest.raises(UnreadableReport, match=why):
        sarif.parse(json.dumps(document))


def test_a_uri_that_is_none_is_refused() -> None:
    with pytest.raises(UnreadableReport, match="is no URI"):
        sarif.parse(log(at({"uri": "http://[x"})))
