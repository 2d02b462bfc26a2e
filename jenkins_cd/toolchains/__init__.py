"""The toolchains are data: one YAML file a language, with the commands of each stage and how to read what they say.

To add one: write `<name>.yaml` beside this file. Its shape is `Toolchain`; a mistake in it is reported with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

from jenkins_cd.config.toolchains import FOLDER
from jenkins_cd.config.toolchains import names as names
from jenkins_cd.config.types import PATH, CoverageFormat, FindingFormat, Meta, Name
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import excerpt

PLACEHOLDERS = frozenset({"out", "workspace"})
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_OUT_PATH = Meta(
    pattern=r"\{out\}/(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f]+", expected="a path such as `{out}/junit.xml`", max_length=255
)


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program that a toolchain needs."""

    version: Annotated[tuple[str, ...], Meta("Prints its version, or just succeeds where it cannot tell.")]
    install: Annotated[str, Meta("The command that installs it.")]
    minimum: Annotated[str, Meta("The oldest version that will do.")] = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a stage. `{out}` is the stage's folder of reports, `{workspace}` the checkout; both absolute."""

    run: Annotated[tuple[str, ...], Meta("The program and its arguments; no shell.")]
    tool: Annotated[str, Meta("Its name in `tools`, where that is not the program's.")] = ""
    env: Annotated[Mapping[str, str], Meta("Variables to set for it.")] = field(default_factory=dict)
    exit_codes: Annotated[
        tuple[int, ...], Meta("Exit codes that mean that it ran: what it found is in the report.")
    ] = (0,)

    @property
    def name(self) -> str:
        """Return the tool's name."""
        return self.tool or self.run[0]


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """A coverage report."""

    report: Annotated[str, _OUT_PATH, Meta("The file.")]
    format: Annotated[CoverageFormat, Meta("Its format.")]


@dataclass(frozen=True, kw_only=True)
class TestStep(Step):
    """A command that runs tests."""

    junit: Annotated[str, _OUT_PATH, Meta("The JUnit files that it writes (a glob).")]
    coverage: Annotated[Coverage | None, Meta("The coverage report that it writes.")] = None


@dataclass(frozen=True, kw_only=True)
class CheckStep(Step):
    """A command whose report holds findings."""

    report: Annotated[
        str,
        Meta(
            "Where the report is: stdout, stderr, either (the first that is not empty), or a file.",
            pattern=rf"stdout|stderr|either|{_OUT_PATH.pattern}",
            expected="`stdout`, `stderr`, `either` or a path such as `{out}/report.json`",
        ),
    ] = "stdout"
    format: Annotated[FindingFormat, Meta("The report's format.")]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The commands of each stage, one after another; a stage without any does not apply."""

    build: tuple[Step, ...] = ()
    unit_tests: Annotated[tuple[TestStep, ...], Meta(key="unit-tests")] = ()
    compiler_warnings: Annotated[tuple[CheckStep, ...], Meta(key="compiler-warnings")] = ()
    dead_code: Annotated[tuple[CheckStep, ...], Meta(key="dead-code")] = ()
    code_standard: Annotated[tuple[CheckStep, ...], Meta(key="code-standard")] = ()


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """How apps of one language are built and checked."""

    name: Name
    detect: Annotated[
        tuple[Annotated[str, PATH], ...], Meta("A checkout with one of these files is of this toolchain.")
    ] = ()
    ignore: Annotated[
        tuple[Annotated[str, PATH], ...], Meta("Folders of foreign code: findings in them do not count.")
    ] = ()
    tools: Annotated[Mapping[Name, Tool], Meta("The programs that the commands need, by name.")] = field(
        default_factory=dict
    )
    stages: Annotated[Steps, Meta("The commands of each stage.")] = field(default_factory=Steps)


def load(name: str) -> Toolchain:
    """Return the toolchain `name`. Raises BadInput where there is none, or its file is broken."""
    from jenkins_cd.suggest import nearest

    if name not in names():
        raise BadInput(
            f"{excerpt(name, 80)!r} is no toolchain{nearest(name, names())}", f"the toolchains are {', '.join(names())}"
        )
    return read(FOLDER / f"{name}.yaml")


def read(file: Path) -> Toolchain:
    """Return the toolchain that a file describes. Raises BadInput that lists every mistake in it."""
    from jenkins_cd.config.check import parse

    label = f"toolchains/{file.name}"
    toolchain, origins = parse(file.read_text(encoding="utf-8"), Toolchain, label, "built-in")
    problems = [f"{origins.get(key, label)}: {problem}" for key, problem in _problems(toolchain, file.stem)]
    if problems:
        raise BadInput(f"{label} is wrong", "the shape is described in jenkins_cd/toolchains/__init__.py", problems)
    return toolchain


def detect(workspace: Path) -> str:
    """Return the name of the toolchain whose files are in the checkout. Raises BadInput where it is not just one."""
    toolchains = [load(name) for name in names()]
    found = [chain.name for chain in toolchains if any(next(workspace.glob(file), None) for file in chain.detect)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(
            f"{workspace} looks like more than one toolchain: {', '.join(found)}",
            f"say which in cd.yaml: toolchain: {found[0]}",
        )
    known = "; ".join(f"{chain.name}: {', '.join(chain.detect)}" for chain in toolchains if chain.detect)
    raise BadInput(
        f"no toolchain fits {workspace} (looked for {known})",
        "say which: toolchain: custom (jenkins-cd init --toolchain custom) runs nothing but the commands of cd.yaml",
    )


def _problems(toolchain: Toolchain, stem: str) -> Iterator[tuple[str, str]]:
    """Yield what the types cannot say: the dotted key, and what is wrong with it."""
    if toolchain.name != stem:
        yield "name", f"name is {toolchain.name}, expected {stem} as the file's"
    for stage in fields(Steps):
        key = stage.name.replace("_", "-")
        for step in getattr(toolchain.stages, stage.name):
            yield from ((f"stages.{key}", problem) for problem in _step_problems(key, step, toolchain.tools))


def _step_problems(stage: str, step: Step, tools: Mapping[str, Tool]) -> Iterator[str]:
    if not step.run:
        yield f"stages.{stage}: run is empty, expected a program and its arguments"
        return
    if step.name not in tools:
        yield f"stages.{stage}: {step.name} is not in tools, so nobody would learn how to install it"
    for text in (*step.run, *step.env.values()):
        for name in set(_PLACEHOLDER.findall(text)) - PLACEHOLDERS:
            yield f"stages.{stage}: unknown placeholder {{{name}}} in {text}, expected {{out}} or {{workspace}}"
