"""The rules of a SARIF run: which one a result means, and the level and texts that this gives it.

Where a report contradicts itself, or may mean more than one rule, the strictest of them holds: nothing is made milder
by a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jenkins_cd.findings.sarif_shape import (
    Configuration,
    ConfigurationOverride,
    Descriptor,
    DescriptorReference,
    Message,
    Notification,
    Provenance,
    Result,
    Run,
    ToolComponent,
    ToolComponentReference,
)
from jenkins_cd.model import Level

LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "note": "note", "none": "note"}
_STRICTEST_FIRST: tuple[Level, ...] = ("error", "warning", "note")
# staticcheck reports code that does not compile by a rule that its report gives no level.
_NO_LESS_THAN_ERRORS = frozenset({"compile"})


@dataclass(frozen=True)
class Rule:
    """What a run says of the rule of a result."""

    id: str
    level: Level  # of results that name none
    strings: Mapping[str, Message]  # by message ID


@dataclass(frozen=True)
class _Catalogue:
    """The descriptors of a run that are of one kind, and how each of its invocations reconfigured them."""

    kind: Literal["rules", "notifications"]
    components: Sequence[ToolComponent]  # the driver, and behind it the extensions
    overrides: Sequence[Sequence[tuple[DescriptorReference, Level]]]


def rules_of(run: Run) -> Callable[[Result], Rule]:
    """Return the function that tells the rule of a result of `run` (SARIF 3.27.5 to 3.27.7 and 3.27.10)."""
    overrides = [_overrides(one.get("ruleConfigurationOverrides")) for one in run.get("invocations") or ()]
    catalogue = _Catalogue("rules", _components(run), overrides)
    known: dict[tuple[object, ...], Rule] = {}

    def rule_of(result: Result) -> Rule:
        reference = _reference(result)
        invocation = (result.get("provenance") or Provenance()).get("invocationIndex", -1)
        component = reference.get("toolComponent") or ToolComponentReference()
        key = (invocation, *map(reference.get, ("id", "index", "guid")), *map(component.get, ("index", "guid", "name")))
        if key not in known:
            known[key] = _rule(catalogue, reference, invocation)
        return known[key]

    return rule_of


def notification_level(run: Run, invocation: int, notification: Notification) -> Level:
    """Return how grave a message of the tool about itself is (SARIF 3.58.6)."""
    if level := notification.get("level"):
        return LEVELS.get(level, "error")
    overrides = [_overrides(one.get("notificationConfigurationOverrides")) for one in run.get("invocations") or ()]
    catalogue = _Catalogue("notifications", _components(run), overrides)
    return _rule(catalogue, notification.get("descriptor") or DescriptorReference(), invocation).level


def _rule(catalogue: _Catalogue, reference: DescriptorReference, invocation: int) -> Rule:
    found = _find(catalogue, reference)
    name = reference.get("id") or next((one["id"] for one in found if "id" in one), "")
    strings: dict[str, Message] = {}
    for component in catalogue.components:
        strings |= component.get("globalMessageStrings") or {}
    for descriptor in found:
        strings |= descriptor.get("messageStrings") or {}
    levels = _levels(catalogue, found, name, invocation)
    return Rule(name, min(levels, key=_STRICTEST_FIRST.index), strings)


def _reference(result: Result) -> DescriptorReference:
    reference = result.get("rule") or DescriptorReference()
    index = reference.get("index", -1)
    if index < 0 and not reference.get("toolComponent"):  # `ruleIndex` is of the driver (3.27.6)
        index = result.get("ruleIndex", -1)
    return {**reference, "id": result.get("ruleId") or reference.get("id") or "", "index": index}


def _components(run: Run) -> list[ToolComponent]:
    return [run["tool"]["driver"], *(run["tool"].get("extensions") or ())]


def _overrides(listed: Sequence[ConfigurationOverride] | None) -> list[tuple[DescriptorReference, Level]]:
    return [
        (override["descriptor"], LEVELS.get(level, "error"))
        for override in listed or ()
        if "descriptor" in override and (level := override.get("configuration", Configuration()).get("level"))
    ]


def _find(catalogue: _Catalogue, reference: DescriptorReference) -> list[Descriptor]:
    """Return the descriptors that a reference may mean (3.52): one where that is clear, an empty one for none."""
    named = _component(catalogue.components, reference.get("toolComponent"))
    listed, index = named.get(catalogue.kind) or [], reference.get("index", -1)
    there = [listed[index]] if 0 <= index < len(listed) else []
    if there and _agree(there[0], reference):
        return there
    own = list(_matching(listed, reference))
    if own:
        return [*own, *there]
    anywhere = [one for component in catalogue.components for one in component.get(catalogue.kind) or ()]
    return [*(list(_matching(anywhere, reference)) or [Descriptor()]), *there]


def _component(components: Sequence[ToolComponent], reference: ToolComponentReference | None) -> ToolComponent:
    """Return the component that is named (3.54), the driver where none is; an empty one where there is no such."""
    if not reference:
        return components[0]
    index = reference.get("index", -1)
    if 0 <= index < len(components) - 1:
        return components[index + 1]
    for key in ("guid", "name"):
        for component in components:
            if reference.get(key) and component.get(key) == reference.get(key):
                return component
    return ToolComponent()


def _agree(descriptor: Descriptor, reference: DescriptorReference) -> bool:
    """Tell whether the ID that stands beside an index fits; it may have a part more than the rule's (3.52.4)."""
    own, named = descriptor.get("id", ""), reference.get("id") or ""
    return not own or not named or named == own or named.startswith(f"{own}/")


def _matching(listed: Sequence[Descriptor], reference: DescriptorReference) -> Iterator[Descriptor]:
    """Yield the descriptors with the reference's GUID, else with its ID or the longest beginning of that."""
    guid, name = reference.get("guid"), reference.get("id") or ""
    if guid and (by_guid := [one for one in listed if one.get("guid") == guid]):
        yield from by_guid
        return
    while name:
        if by_id := [one for one in listed if one.get("id") == name]:
            yield from by_id
            return
        name = name.rpartition("/")[0]


def _levels(catalogue: _Catalogue, found: Sequence[Descriptor], name: str, invocation: int) -> list[Level]:
    """Return the levels that may hold: that of the invocation's override, else those of the descriptors.

    What names no invocation may be of any of them, so that the descriptors' own levels count as well.
    """
    named = 0 <= invocation < len(catalogue.overrides)
    overridden = [
        level
        for listed in ([catalogue.overrides[invocation]] if named else catalogue.overrides)
        for reference, level in listed
        if _means(catalogue, reference, found, name)
    ]
    if named and overridden and len(found) == 1:
        return overridden
    default: Level = "error" if name in _NO_LESS_THAN_ERRORS else "warning"
    configured = ((one.get("defaultConfiguration") or Configuration()).get("level") for one in found)
    return [*overridden, *(LEVELS.get(level, "error") if level else default for level in configured)]


def _means(catalogue: _Catalogue, reference: DescriptorReference, found: Sequence[Descriptor], name: str) -> bool:
    """Tell whether an override is of one of the descriptors, or of the same ID where neither is described."""
    meant = _find(catalogue, reference)
    if not any(meant) and not any(found):
        return bool(name) and reference.get("id") == name
    return any(one is other for one in meant for other in found)
