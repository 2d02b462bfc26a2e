"""What Jenkins makes of a config.xml: it reads it into objects and writes those, so that no byte need stay.

Versions of plugins, defaults and the XML 1.1 declaration are added, what it does not know is dropped, comments are
lost; XStream writes two blanks a level, `<x/>` for what is empty, and entities for quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
PIPELINE = "flow-definition"
FREESTYLE = "project"
CLASSES = {
    FOLDER: FOLDER,
    MULTIBRANCH: MULTIBRANCH,
    PIPELINE: "org.jenkinsci.plugins.workflow.job.WorkflowJob",
    FREESTYLE: "hudson.model.FreeStyleProject",
}
FIELDS: Mapping[str, Mapping[str, str]] = {  # of each kind, in the order they are written: default, or "" for none
    PIPELINE: {
        "actions": "<actions/>",
        "description": "",
        "displayName": "",
        "keepDependencies": "<keepDependencies>false</keepDependencies>",
        "properties": "<properties/>",
        "definition": "",
        "triggers": "<triggers/>",
        "quietPeriod": "",
        "disabled": "<disabled>false</disabled>",
    },
    FOLDER: {
        "actions": "<actions/>",
        "description": "",
        "displayName": "",
        "properties": "<properties/>",
        "folderViews": "<folderViews class='com.cloudbees.hudson.plugins.folder.views.DefaultFolderViewHolder'><views>"
        "<hudson.model.AllView><owner class='com.cloudbees.hudson.plugins.folder.Folder' reference='../../../..'/>"
        "<name>All</name></hudson.model.AllView></views></folderViews>",
        "healthMetrics": "<healthMetrics/>",
        "icon": "<icon class='com.cloudbees.hudson.plugins.folder.icons.StockFolderIcon'/>",
    },
}
PLUGINS = {
    PIPELINE: "workflow-job@1540.v295eccc9778f",
    FOLDER: "cloudbees-folder@6.1023.v4fd1a_8fa_2a_4a",
    MULTIBRANCH: "workflow-multibranch@821.vc3b_4ea_780798",
    "definition": "workflow-cps@4175.ve65b_9b_4a_4f0f",
}
DEFAULTS = {  # what else is written as false where it was left out
    "hudson.model.StringParameterDefinition": "trim",
    "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition": "sandbox",
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter that a job takes."""

    name: str
    kind: str  # StringParameterDefinition, ChoiceParameterDefinition …
    description: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()


def parse(xml: str) -> ElementTree.Element:
    """Return the root of a config.xml. Raises ValueError where it is no XML, or no kind of job that is known here."""
    try:  # expat knows XML 1.0 only, Jenkins takes both
        root = ElementTree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", xml))  # noqa: S314 - a test's own
    except ElementTree.ParseError as error:
        raise ValueError(f"org.xml.sax.SAXParseException: {error}") from error
    if root.tag not in CLASSES:
        raise ValueError(f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    return root


def rewritten(root: ElementTree.Element) -> str:
    """Return what Jenkins keeps of a config.xml."""
    known = FIELDS.get(root.tag)
    if known:
        given = {child.tag: child for child in root}
        for child in list(root):
            root.remove(child)
        for name, default in known.items():
            if name in given or default:
                root.append(given[name] if name in given else ElementTree.fromstring(default))  # noqa: S314
    for element in root.iter():
        if element.tag in PLUGINS:
            element.set("plugin", PLUGINS[element.tag])
        left_out = DEFAULTS.get(element.get("class") or element.tag)
        if left_out and element.find(left_out) is None:
            ElementTree.SubElement(element, left_out).text = "false"
    return "<?xml version='1.1' encoding='UTF-8'?>\n" + "\n".join(_lines(root, ""))


def parameters(root: ElementTree.Element) -> tuple[Parameter, ...]:
    """Return the parameters that a job takes."""
    defined = root.find("properties/hudson.model.ParametersDefinitionProperty/parameterDefinitions")
    return tuple(_parameter(one) for one in (defined if defined is not None else ()))


def _parameter(element: ElementTree.Element) -> Parameter:
    choices = tuple(one.text or "" for one in element.iterfind("choices//string"))
    return Parameter(
        name=element.findtext("name") or "",
        kind=element.tag.rpartition(".")[2],
        description=element.findtext("description") or "",
        default=choices[0] if choices else element.findtext("defaultValue") or "",
        choices=choices,
    )


def _lines(element: ElementTree.Element, indent: str) -> Sequence[str]:
    attributes = "".join(f' {name}="{_escaped(value)}"' for name, value in element.attrib.items())
    text = element.text or ""
    if len(element):
        inner = [line for child in element for line in _lines(child, indent + "  ")]
        return [f"{indent}<{element.tag}{attributes}>", *inner, f"{indent}</{element.tag}>"]
    if not text:
        return [f"{indent}<{element.tag}{attributes}/>"]
    return [f"{indent}<{element.tag}{attributes}>{_escaped(text)}</{element.tag}>"]


def _escaped(text: str) -> str:
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#xd;"}
    return "".join(entities.get(character, character) for character in text)
