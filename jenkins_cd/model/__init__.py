"""What travels through the house: frozen, typed, serialisable. Every JSON shape that we print or store is one of these.

Times are UTC; durations are seconds. `schema` names the shape and its version: a field may be added within a version,
never removed or given another meaning.
"""

from __future__ import annotations

from jenkins_cd.model.ci import (
    STAGES,
    CiResult,
    Command,
    Finding,
    GateResult,
    GitState,
    Level,
    StageResult,
    Status,
    TestCase,
    TestReport,
)
from jenkins_cd.model.deployment import (
    CHANGED_NOTHING,
    Approval,
    Begun,
    Deployment,
    Observation,
    Outcome,
    Phase,
    Plan,
    Progress,
    Resource,
)
from jenkins_cd.model.release import Chart, Health, Image, PackageResult, Purpose, Release

__all__ = [
    "CHANGED_NOTHING",
    "STAGES",
    "Approval",
    "Begun",
    "Chart",
    "CiResult",
    "Command",
    "Deployment",
    "Finding",
    "GateResult",
    "GitState",
    "Health",
    "Image",
    "Level",
    "Observation",
    "Outcome",
    "PackageResult",
    "Phase",
    "Plan",
    "Progress",
    "Purpose",
    "Release",
    "Resource",
    "StageResult",
    "Status",
    "TestCase",
    "TestReport",
]
