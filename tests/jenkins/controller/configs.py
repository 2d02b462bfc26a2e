"""Texts of config.xml for tests: folders, and pipelines with parameters and a script."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.jenkins.controller.config_xml import FOLDER

FOLDER_XML = f"<?xml version='1.0' encoding='UTF-8'?>\n<{FOLDER}><description>a folder</description></{FOLDER}>"


def pipeline(
    script: str = "",
    parameters: Sequence[str] = (),
    choice: tuple[str, Sequence[str]] | None = None,
    quiet: int | None = None,
    concurrent: bool = True,
) -> str:
    """Return a pipeline job with string parameters, perhaps a choice, and a quiet time in seconds."""
    strings = [
        f"<hudson.model.StringParameterDefinition><name>{name}</name><defaultValue/></hudson.model.StringParameterDefinition>"
        for name in parameters
    ]
    if choice:
        options = "".join(f"<string>{one}</string>" for one in choice[1])
        choices = f"<choices class='java.util.Arrays$ArrayList'><a class='string-array'>{options}</a></choices>"
        kind = "hudson.model.ChoiceParameterDefinition"
        strings.append(f"<{kind}><name>{choice[0]}</name>{choices}</{kind}>")
    definitions = f"<parameterDefinitions>{''.join(strings)}</parameterDefinitions>"
    properties = (
        f"<hudson.model.ParametersDefinitionProperty>{definitions}</hudson.model.ParametersDefinitionProperty>"
        if strings
        else ""
    )
    if not concurrent:
        properties += "<org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty/>"
    return (
        "<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition>"
        f"<properties>{properties}</properties>"
        "<definition class='org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition'>"
        f"<script>{escape(script)}</script><sandbox>true</sandbox></definition>"
        + (f"<quietPeriod>{quiet}</quietPeriod>" if quiet is not None else "")
        + "</flow-definition>"
    )
