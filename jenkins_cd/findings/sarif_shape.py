"""What is read of a SARIF 2.1.0 log, by the names of the specification; what stands beside it is passed over.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html
"""

from __future__ import annotations

from typing import Any, TypedDict


class Message(TypedDict, total=False):
    """A text, or the ID of one of the rule's (3.11)."""

    text: str | None
    markdown: str | None
    id: str | None
    arguments: list[str]


class ArtifactLocation(TypedDict, total=False):
    """A file, by URI or by index (3.4)."""

    uri: str | None
    uriBaseId: str | None
    index: int


class Region(TypedDict, total=False):
    """A part of a file; both are 1-based (3.30)."""

    startLine: int | None
    startColumn: int | None


class PhysicalLocation(TypedDict, total=False):
    """A place in a file (3.29)."""

    artifactLocation: ArtifactLocation | None
    region: Region | None


class Location(TypedDict, total=False):
    """A place, in a file or in the logic of the code (3.28)."""

    physicalLocation: PhysicalLocation | None


class Suppression(TypedDict, total=False):
    """Somebody's wish not to see a result (3.35)."""

    status: str | None


class ToolComponentReference(TypedDict, total=False):
    """Which component of the tool is meant (3.54)."""

    index: int
    guid: str | None
    name: str | None


class DescriptorReference(TypedDict, total=False):
    """Which rule or notification is meant: `reportingDescriptorReference` (3.52)."""

    id: str | None
    index: int
    guid: str | None
    toolComponent: ToolComponentReference | None


class Provenance(TypedDict, total=False):
    """How a result came about (3.48)."""

    invocationIndex: int


class Result(TypedDict, total=False):
    """What was found (3.27)."""

    ruleId: str | None
    ruleIndex: int
    rule: DescriptorReference | None
    kind: str | None
    level: str | None
    message: Message | None
    locations: list[Location] | None
    analysisTarget: ArtifactLocation | None
    suppressions: list[Suppression] | None
    baselineState: str | None
    provenance: Provenance | None


class Configuration(TypedDict, total=False):
    """How grave what a rule finds is: `reportingConfiguration` (3.50)."""

    level: str | None


class Descriptor(TypedDict, total=False):
    """A rule, or a kind of notification: `reportingDescriptor` (3.49)."""

    id: str
    guid: str | None
    defaultConfiguration: Configuration | None
    messageStrings: dict[str, Message] | None


class ToolComponent(TypedDict, total=False):
    """The driver or an extension, with its rules (3.19)."""

    name: str
    guid: str | None
    rules: list[Descriptor] | None
    notifications: list[Descriptor] | None
    globalMessageStrings: dict[str, Message] | None


class RequiredTool(TypedDict):
    """What a tool must have (3.18)."""

    driver: ToolComponent


class Tool(RequiredTool, total=False):
    """The driver and its extensions (3.18)."""

    extensions: list[ToolComponent] | None


class ConfigurationOverride(TypedDict, total=False):
    """How a run reconfigured a rule (3.51)."""

    descriptor: DescriptorReference
    configuration: Configuration


class Notification(TypedDict, total=False):
    """What the tool says about itself (3.58)."""

    level: str | None
    descriptor: DescriptorReference | None
    message: Message | None


class Invocation(TypedDict, total=False):
    """One start of the tool, and how it ended (3.20)."""

    executionSuccessful: bool
    exitSignalName: str | None
    processStartFailureMessage: str | None
    ruleConfigurationOverrides: list[ConfigurationOverride] | None
    notificationConfigurationOverrides: list[ConfigurationOverride] | None
    toolExecutionNotifications: list[Notification] | None
    toolConfigurationNotifications: list[Notification] | None


class Artifact(TypedDict, total=False):
    """A file that was looked at (3.24)."""

    location: ArtifactLocation | None


class RequiredRun(TypedDict):
    """What a run must have (3.14)."""

    tool: Tool


class Run(RequiredRun, total=False):
    """What one tool found (3.14)."""

    results: list[Result] | None
    invocations: list[Invocation] | None
    artifacts: list[Artifact] | None
    originalUriBaseIds: dict[str, ArtifactLocation] | None
    externalPropertyFileReferences: dict[str, Any] | None


class RequiredLog(TypedDict):
    """What a log must have (3.13)."""

    version: str
    runs: list[Run] | None


class Log(RequiredLog, total=False):
    """The whole file (3.13)."""

    inlineExternalProperties: list[Any] | None
