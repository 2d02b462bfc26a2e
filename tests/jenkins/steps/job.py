"""properties, and the values that describe a job's settings, its parameters, and those of a build."""
# ruff: noqa: N802, N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

from typing import Any

from tests.jenkins.steps.credentials import described
from tests.jenkins.steps.errors import WrongArguments
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step

Value = dict[str, Any]
SETTINGS = ("buildDiscarder", "disableConcurrentBuilds", "parameters", "pipelineTriggers", "disableResume")


@step()
def properties(at: Running, properties: list[Value]) -> None:
    """The job's settings; parameters that this build was not given have their defaults from here on, as in Jenkins."""
    for each in properties:
        if each.get("$class") not in SETTINGS:
            raise WrongArguments(f"properties: {each} is none of {', '.join(SETTINGS)}")
        for definition in each.get("parameterDefinitions", []):
            at.run.parameters.setdefault(definition["name"], default_of(definition))


def default_of(definition: Value) -> Any:
    if definition["$class"] == "choice":
        choices = definition.get("choices", [])
        return (choices.splitlines() if isinstance(choices, str) else choices or [""])[0]
    return definition.get("defaultValue", False if definition["$class"] == "booleanParam" else "")


@step(describes=True)
def parameters(at: Running, parameterDefinitions: list[Value]) -> Value:
    return described("parameters", locals())


@step(describes=True)
def pipelineTriggers(at: Running, triggers: list[Any]) -> Value:
    return described("pipelineTriggers", locals())


@step(describes=True)
def buildDiscarder(at: Running, strategy: Value) -> Value:
    return described("buildDiscarder", locals())


@step(describes=True)
def logRotator(
    at: Running,
    daysToKeepStr: str = "",
    numToKeepStr: str = "",
    artifactDaysToKeepStr: str = "",
    artifactNumToKeepStr: str = "",
) -> Value:
    return described("logRotator", locals())


@step(describes=True)
def disableConcurrentBuilds(at: Running, abortPrevious: bool = False) -> Value:
    return described("disableConcurrentBuilds", locals())


@step(describes=True)
def disableResume(at: Running) -> Value:
    return described("disableResume", locals())


@step(describes=True)
def string(
    at: Running,
    name: str = "",
    value: str | None = None,
    defaultValue: str | None = None,
    description: str = "",
    trim: bool | None = None,
    credentialsId: str = "",
    variable: str = "",
) -> Value:
    """A parameter, a parameter's value, or a binding for withCredentials: who takes it looks at what it was given."""
    return described("string", locals()) | ({"value": value} if value is not None else {})


@step(describes=True)
def text(
    at: Running,
    name: str,
    value: str | None = None,
    defaultValue: str = "",
    description: str = "",
    trim: bool | None = None,
) -> Value:
    return described("text", locals()) | ({"value": value} if value is not None else {})


@step(describes=True)
def booleanParam(
    at: Running, name: str, value: bool | None = None, defaultValue: bool | None = None, description: str = ""
) -> Value:
    return described("booleanParam", locals())


@step(describes=True)
def choice(
    at: Running, name: str, choices: list[str] | str | None = None, value: str | None = None, description: str = ""
) -> Value:
    return described("choice", locals())


@step(describes=True)
def password(at: Running, name: str, value: str | None = None, defaultValue: str = "", description: str = "") -> Value:
    return described("password", locals())
