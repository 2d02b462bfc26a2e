"""The config.xml of Jenkins' jobs and folders: how ours are written, and how they are laid over what is there.

The elements are those that Jenkins stores for the plugins workflow-job, workflow-cps and cloudbees-folder
(https://plugins.jenkins.io). A controller reads XML into objects and writes it anew, with defaults, versions of plugins
and another layout: what is compared here is what the elements mean, and what is not ours is left where it is.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from jenkins_cd.lines import split_lines

MARKER = "Managed by jenkins-cd: jenkins-cd jobs apply"  # a line of the description
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
PIPELINE = "flow-definition"
DISCARDER = "jenkins.model.BuildDiscarderProperty"
BUILDS_KEPT = 200
HEADER = "<?xml version='1.1' encoding='UTF-8'?>\n"
_SECRET = re.compile(r"(?i)password|passphrase|secret|token|privatekey")


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What a job asks for when it is started."""

    name: str
    kind: Literal["String", "Text", "Choice"]
    description: str
    choices: Sequence[str] = ()  # the first is the default


def folder(description: str) -> Element:
    """Return a folder of ours."""
    root = Element(FOLDER)
    SubElement(root, "description").text = f"{description}\n{MARKER}"
    return root


def pipeline(description: str, parameters: Sequence[Parameter], script: str) -> Element:
    """Return a pipeline job of ours, whose script runs in the sandbox. It keeps its last builds."""
    root = Element(PIPELINE)
    SubElement(root, "description").text = f"{description}\n{MARKER}"
    properties = SubElement(root, "properties")
    strategy = SubElement(SubElement(properties, DISCARDER), "strategy", {"class": "hudson.tasks.LogRotator"})
    for name in ("daysToKeep", "numToKeep", "artifactDaysToKeep", "artifactNumToKeep"):
        SubElement(strategy, name).text = str(BUILDS_KEPT) if name == "numToKeep" else "-1"
    if parameters:
        defined = SubElement(properties, "hudson.model.ParametersDefinitionProperty")
        SubElement(defined, "parameterDefinitions").extend(_parameter(one) for one in parameters)
    definition = SubElement(root, "definition", {"class": "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"})
    SubElement(definition, "script").text = script
    SubElement(definition, "sandbox").text = "true"
    return root


def parse(xml: str) -> Element:
    """Return the root of what a controller answers. Raises ValueError where it is no XML."""
    try:  # XML 1.1 as Jenkins writes it differs from 1.0 in control characters only, and expat knows 1.0
        return ElementTree.fromstring(re.sub(r"\A\s*<\?xml[^>]*\?>", "", xml))  # noqa: S314 - expat bounds entities
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error


def ours(root: Element) -> bool:
    """Tell whether a job or folder carries our mark."""
    return MARKER in (line.strip() for line in split_lines(root.findtext("description") or ""))


def laid_over(there: Element, wanted: Element) -> Element:
    """Return `there` changed as little as is needed for it to be what `wanted` says."""
    result = copy.deepcopy(there)
    _lay(result, wanted)
    return result


def to_xml(root: Element) -> str:
    """Return the XML as a controller takes it."""
    return HEADER + ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")


def pretty(root: Element) -> str:
    """Return the XML for people, indented; what looks like a secret is not shown."""
    shown = copy.deepcopy(root)
    for element in shown.iter():
        if _SECRET.search(element.tag) and not len(element) and element.text:
            element.text = "****"
    ElementTree.indent(shown)
    return ElementTree.tostring(shown, encoding="unicode") + "\n"


def _parameter(parameter: Parameter) -> Element:
    root = Element(f"hudson.model.{parameter.kind}ParameterDefinition")
    SubElement(root, "name").text = parameter.name
    SubElement(root, "description").text = parameter.description
    if parameter.kind == "Choice":
        choices = SubElement(root, "choices", {"class": "java.util.Arrays$ArrayList"})
        array = SubElement(choices, "a", {"class": "string-array"})
        for choice in parameter.choices:
            SubElement(array, "string").text = choice
    else:
        SubElement(root, "defaultValue")
        SubElement(root, "trim").text = "true"
    return root


def _lay(there: Element, wanted: Element) -> None:
    """Make `there` mean what `wanted` does, child by child; both are of the same tag."""
    if not len(wanted):
        if _lines(there.text) != _lines(wanted.text):
            there.text = wanted.text
        return
    for child in wanted:
        place = _counterpart(there, child)
        if place is None:
            if len(child) or child.text:
                there.append(copy.deepcopy(child))
        elif _replaced(there[place], child):
            there[place] = copy.deepcopy(child)
        elif child.tag not in (DISCARDER, "choices"):  # how many builds are kept is everybody's own business
            _lay(there[place], child)


def _counterpart(there: Element, child: Element) -> int | None:
    """Return where `there` has what `child` stands for: parameters go by their name, all else by the tag."""
    for place, one in enumerate(there):
        name = child.findtext("name") if there.tag == "parameterDefinitions" else None
        if one.tag == child.tag if name is None else one.findtext("name") == name:
            return place
    return None


def _replaced(there: Element, wanted: Element) -> bool:
    """Tell whether an element is of another kind than the wanted one, so that none of it can stay."""
    if wanted.tag == "choices":  # Jenkins has written lists in several ways
        return [one.text for one in there.iter("string")] != [one.text for one in wanted.iter("string")]
    return there.tag != wanted.tag or (wanted.tag == "definition" and there.get("class") != wanted.get("class"))


def _lines(text: str | None) -> list[str]:
    """Return a text as a form in a browser leaves it alone: no matter its line ends and the blanks at its ends."""
    return [line.rstrip() for line in split_lines((text or "").strip())]
