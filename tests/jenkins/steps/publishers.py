"""Steps that publish files of the workspace: junit, recordIssues, publishHTML, archiveArtifacts.

https://www.jenkins.io/doc/pipeline/steps/junit/, …/warnings-ng/, …/htmlpublisher/, …/core/
"""
# ruff: noqa: N802, N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import json
import xml.etree.ElementTree as Xml
from collections.abc import Mapping
from typing import Any

from tests.jenkins.steps.credentials import described
from tests.jenkins.steps.errors import WrongArguments, aborted
from tests.jenkins.steps.files import matching
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step

GATE = {"threshold", "type", "unstable", "criticality"}
REPORT = {
    "allowMissing", "alwaysLinkToLastBuild", "escapeUnderscores", "includes", "keepAll", "numberOfWorkers", "reportDir",
    "reportFiles", "reportName", "reportTitles", "useWrapperFileDirectly",
}  # fmt: skip


@step(node=True)
def junit(
    at: Running,
    testResults: str,
    allowEmptyResults: bool = False,
    skipPublishingChecks: bool = False,
    skipMarkingBuildUnstable: bool = False,
    skipOldReports: bool = False,
    keepLongStdio: bool = False,
    keepTestNames: bool = False,
    stdioRetention: str = "",
    checksName: str = "",
    healthScaleFactor: int = 1,
) -> dict[str, int] | None:
    files = matching(at.folder, testResults)
    at.log("Recording test results")
    if not files and not allowEmptyResults:
        raise aborted("No test report files were found. Configuration error?")
    cases = [case for each in files for case in Xml.parse(at.folder / each).iter("testcase")]  # noqa: S314
    failed = sum(any(case.find(kind) is not None for kind in ("failure", "error")) for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    _publish(at, "junit", {"testResults": testResults, "files": [str(each) for each in files]})
    if failed and not skipMarkingBuildUnstable:
        at.run.worsen("UNSTABLE")
    counts = {"totalCount": len(cases), "failCount": failed, "skipCount": skipped}
    return {**counts, "passCount": len(cases) - failed - skipped}


@step(node=True)
def recordIssues(
    at: Running,
    tools: list[dict[str, Any]] | None = None,
    tool: dict[str, Any] | None = None,
    id: str = "",  # noqa: A002
    name: str = "",
    qualityGates: list[dict[str, Any]] | None = None,
    enabledForFailure: bool = False,
    ignoreQualityGate: bool = False,
    aggregatingResults: bool = False,
    skipPublishingChecks: bool = False,
    publishAllIssues: bool = False,
    skipBlames: bool = False,
    quiet: bool = False,
    failOnError: bool = False,
    sourceCodeRetention: str = "",
) -> None:
    chosen = [*(tools or []), *([tool] if tool else [])]
    if not chosen or any(each.get("$class") != "sarif" for each in chosen):
        raise WrongArguments(f"recordIssues: the runner knows the tool sarif, and got {chosen}")
    if at.run.result == "FAILURE" and not enabledForFailure:
        at.log("[Static Analysis] Skipping execution of recorder since overall result is 'FAILURE'")
        return
    files = {str(each): _findings(at, str(each)) for one in chosen for each in matching(at.folder, one["pattern"])}
    _publish(at, "recordIssues", {"tools": chosen, "id": id, "name": name, "files": list(files)})
    if failOnError and not files:
        raise aborted("There are errors during the recording of issues: no files found")
    for gate in qualityGates or []:
        _gate(at, gate, sum(files.values()))


def _findings(at: Running, file: str) -> int:
    document = json.loads((at.folder / file).read_text(encoding="utf-8"))
    return sum(len(run.get("results") or []) for run in document["runs"])


def _gate(at: Running, gate: Mapping[str, Any], count: int) -> None:
    if set(gate) - GATE or gate.get("type") != "TOTAL":
        known = "[threshold: 1, type: 'TOTAL', unstable: true]"
        raise WrongArguments(f"recordIssues: the runner knows gates like {known}, and got {gate}")
    if count >= gate["threshold"]:
        bad = not gate.get("unstable", gate.get("criticality", "UNSTABLE") in ("UNSTABLE", "NOTE"))
        at.run.worsen("FAILURE" if bad else "UNSTABLE")


@step(describes=True)
def sarif(at: Running, pattern: str, id: str = "", name: str = "", reportEncoding: str = "") -> dict[str, Any]:  # noqa: A002
    return described("sarif", locals())


@step(node=True)
def publishHTML(at: Running, target: dict[str, Any]) -> None:
    if unknown := set(target) - REPORT:
        raise WrongArguments(f"Unknown parameter(s) found for class type publishHTML: {', '.join(sorted(unknown))}")
    if not (at.folder / target["reportDir"]).is_dir():
        at.log(f"Specified HTML directory '{at.folder / target['reportDir']}' does not exist.")
        if not target.get("allowMissing"):
            at.run.worsen("FAILURE")
        return
    _publish(at, "publishHTML", target)


@step(node=True)
def archiveArtifacts(
    at: Running,
    artifacts: str,
    allowEmptyArchive: bool = False,
    excludes: str = "",
    fingerprint: bool = False,
    onlyIfSuccessful: bool = False,
    defaultExcludes: bool = True,
    caseSensitive: bool = True,
    followSymlinks: bool = True,
) -> None:
    if onlyIfSuccessful and (at.run.result or "SUCCESS") != "SUCCESS":
        at.log("Skipped archiving because build is not successful")
        return
    at.log("Archiving artifacts")
    files = matching(at.folder, artifacts, excludes)
    if not files:
        words = f'No artifacts found that match the file pattern "{artifacts}". Configuration error?'
        if not allowEmptyArchive:
            raise aborted(words)
        at.log(words)
    _publish(at, "archiveArtifacts", {"artifacts": artifacts, "files": [str(each) for each in files]})


def _publish(at: Running, kind: str, arguments: Mapping[str, Any]) -> None:
    """Hand it to the controller, with the folder in which its files are."""
    at.controller.published(at.build, kind, {**arguments, "folder": at.folder})
