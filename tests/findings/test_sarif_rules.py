from __future__ import annotations

import json
from typing import Any

import pytest

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import sarif

DRIVER = {
    "name": "host",
    "rules": [
        {"id": "D1", "defaultConfiguration": {"level": "note"}, "messageStrings": {"m": {"text": "of the driver"}}},
        {"id": "D2", "guid": "d2", "defaultConfiguration": {"level": "error"}},
        {"id": "CA1000", "defaultConfiguration": {"level": "error"}},
        {"id": "silent"},
    ],
    "notifications": [
        {"id": "slow", "defaultConfiguration": {"level": "note"}},
        {"id": "crash", "defaultConfiguration": {"level": "error"}},
    ],
}
EXTENSIONS = [
    {"name": "other", "guid": "o", "rules": [{"id": "D1", "defaultConfiguration": {"level": "warning"}}]},
    {
        "name": "plugin",
        "guid": "p",
        "rules": [
            {"id": "E1", "guid": "e1", "defaultConfiguration": {"level": "error"}},
            {"id": "E2", "defaultConfiguration": {"level": "note"}},
        ],
        "globalMessageStrings": {"g": {"text": "of everybody"}},
    },
]


def parsed(result: dict[str, Any], **run: Any) -> tuple[str, str, str]:
    tool = {"driver": DRIVER, "extensions": EXTENSIONS}
    [found] = sarif.parse(json.dumps({"version": "2.1.0", "runs": [{"tool": tool, "results": [result], **run}]}))
    return found.rule, found.level, found.message


def override(level: str, **descriptor: Any) -> dict[str, Any]:
    return {
        "executionSuccessful": True,
        "ruleConfigurationOverrides": [{"descriptor": descriptor, "configuration": {"level": level}}],
    }


def invocations(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"invocations": [{"executionSuccessful": True, **invocation} for invocation in listed]}


@pytest.mark.parametrize(
    ("result", "rule", "level"),
    [
        ({"rule": {"id": "E1", "index": 0, "toolComponent": {"index": 1}}}, "E1", "error"),
        ({"rule": {"index": 0, "toolComponent": {"index": 1}}}, "E1", "error"),
        ({"rule": {"index": 0, "toolComponent": {"guid": "p"}}}, "E1", "error"),
        ({"rule": {"index": 0, "toolComponent": {"name": "plugin"}}}, "E1", "error"),
        ({"rule": {"index": 0, "toolComponent": {"name": "host"}}}, "D1", "note"),
        ({"rule": {"index": 1, "toolComponent": {}}}, "D2", "error"),
        ({"ruleId": "E1", "rule": {"toolComponent": {"index": 1}}}, "E1", "error"),
        ({"ruleId": "E1"}, "E1", "error"),
        ({"rule": {"guid": "e1"}}, "E1", "error"),
        ({"rule": {"guid": "d2"}}, "D2", "error"),
        ({"ruleId": "D1", "rule": {"toolComponent": {"index": 0}}}, "D1", "warning"),
        ({"ruleId": "D1"}, "D1", "note"),
        ({"ruleId": "D1", "ruleIndex": 0}, "D1", "note"),
        ({"ruleIndex": 1, "rule": {"index": -1}}, "D2", "error"),
        ({"ruleId": "CA1000/1"}, "CA1000/1", "error"),
        ({"ruleId": "CA1000/1/x", "ruleIndex": 2}, "CA1000/1/x", "error"),
        ({"ruleId": "nobody's"}, "nobody's", "warning"),
        ({"ruleId": "silent"}, "silent", "warning"),
        ({}, "", "warning"),
    ],
)
def test_a_rule_is_looked_up_in_the_component_that_is_named(result: dict[str, Any], rule: str, level: str) -> None:
    assert parsed(result)[:2] == (rule, level)


@pytest.mark.parametrize(
    ("result", "level"),
    [
        ({"ruleId": "D2", "ruleIndex": 0}, "error"),  # D1 is a note, D2 an error
        ({"ruleId": "D1", "ruleIndex": 1}, "error"),
        ({"ruleId": "nobody's", "ruleIndex": 0}, "warning"),
        ({"ruleId": "nobody's", "ruleIndex": 1}, "error"),
        ({"ruleId": "E1", "ruleIndex": 0}, "error"),
        ({"rule": {"id": "E1", "index": 0, "toolComponent": {"index": 9}}}, "error"),
        ({"rule": {"id": "E1", "index": 1, "toolComponent": {"index": 1}}}, "error"),
    ],
)
def test_a_report_that_contradicts_itself_makes_nothing_milder(result: dict[str, Any], level: str) -> None:
    assert parsed(result)[1] == level


@pytest.mark.parametrize(
    ("result", "given", "level"),
    [
        ({"ruleId": "D1", "provenance": {"invocationIndex": 0}}, [override("error", id="D1")], "error"),
        ({"ruleIndex": 0, "provenance": {"invocationIndex": 0}}, [override("error", index=0)], "error"),
        ({"ruleId": "D2", "provenance": {"invocationIndex": 0}}, [override("note", guid="d2")], "note"),
        ({"ruleId": "E2"}, [override("error", index=1, toolComponent={"index": 1})], "error"),
        ({"ruleId": "E2"}, [override("error", index=1)], "note"),
        ({"ruleId": "nobody's", "provenance": {"invocationIndex": 0}}, [override("error", id="nobody's")], "error"),
        ({"ruleId": "CA1000/1", "provenance": {"invocationIndex": 0}}, [override("warning", id="CA1000")], "warning"),
        ({"ruleId": "D1", "provenance": {"invocationIndex": 1}}, [override("error", id="D1"), {}], "note"),
        ({"ruleId": "D1", "provenance": {"invocationIndex": 1}}, [{}, override("error", id="D1")], "error"),
        # Of which invocation it is cannot be known: the graver one counts.
        ({"ruleId": "D1"}, [override("error", id="D1"), override("warning", id="D1")], "error"),
        ({"ruleId": "D2"}, [override("note", id="D2")], "error"),
        (
            {"ruleId": "D1", "level": "warning", "provenance": {"invocationIndex": 0}},
            [override("error", id="D1")],
            "warning",
        ),
    ],
)
def test_what_an_invocation_changed_about_a_rule_counts_before_the_rule(
    result: dict[str, Any], given: list[dict[str, Any]], level: str
) -> None:
    assert parsed(result, **invocations(*given))[1] == level


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"rule": {"index": 0, "toolComponent": {"index": 1}}, "message": {"id": "g"}}, "of everybody"),
        ({"ruleId": "D1", "message": {"id": "m"}}, "of the driver"),
        ({"rule": {"index": 0, "toolComponent": {"index": 1}}, "message": {"id": "m"}}, "no message"),
    ],
)
def test_a_message_is_its_own_rules(result: dict[str, Any], message: str) -> None:
    assert parsed(result)[2] == message


@pytest.mark.parametrize(
    ("invocation", "why"),
    [
        ({"executionSuccessful": False}, "did not run to its end"),
        ({"exitSignalName": "SIGKILL"}, "host did not run to its end: SIGKILL"),
        ({"processStartFailureMessage": "no such file"}, "no such file"),
        (
            {"toolExecutionNotifications": [{"level": "error", "message": {"text": "a.c: cannot parse"}}]},
            "cannot parse",
        ),
        ({"toolConfigurationNotifications": [{"level": "error", "message": {"id": "x"}}]}, "says that it failed: x"),
        ({"toolExecutionNotifications": [{"level": "fatal"}]}, "it does not say why"),
        ({"toolExecutionNotifications": [{"descriptor": {"id": "crash"}}]}, "says that it failed"),
        ({"toolExecutionNotifications": [{"descriptor": {"index": 1}}]}, "says that it failed"),
        (
            {
                "toolExecutionNotifications": [{"descriptor": {"id": "slow"}, "message": {"text": "too slow"}}],
                "notificationConfigurationOverrides": [
                    {"descriptor": {"id": "slow"}, "configuration": {"level": "error"}}
                ],
            },
            "too slow",
        ),
    ],
)
def test_a_tool_that_tells_of_an_error_of_its_own_has_not_looked_at_everything(
    invocation: dict[str, Any], why: str
) -> None:
    with pytest.raises(UnreadableReport, match=why):
        parsed({"ruleId": "D1"}, **invocations(invocation))


@pytest.mark.parametrize(
    "notification", [{"descriptor": {"id": "slow"}}, {"level": "note"}, {"level": "warning"}, {"level": "none"}, {}]
)
def test_what_a_tool_says_beside_its_results_is_no_failure(notification: dict[str, Any]) -> None:
    assert parsed({"ruleId": "D1"}, **invocations({"toolExecutionNotifications": [notification]}))[1] == "note"
