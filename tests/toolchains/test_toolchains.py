from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from jenkins_cd import toolchains
from jenkins_cd.errors import BadInput
from jenkins_cd.findings import PARSERS
from jenkins_cd.toolchains import Steps

GOOD = """name: rust
tools:
  cargo: {version: [cargo, --version], install: rustup}
stages:
  build:
    - run: [cargo, build]
"""


def problems(folder: Path, text: str) -> str:
    file = folder / "rust.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        toolchains.read(file)
    return "\n".join((caught.value.message, *caught.value.problems))


def test_the_toolchains_are_those_of_the_folder() -> None:
    assert toolchains.names() == ("custom", "go", "python")


@pytest.mark.parametrize("name", ["go", "python"])
def test_every_stage_of_a_language_has_a_command_and_every_tool_an_install_command(name: str) -> None:
    toolchain = toolchains.load(name)
    for stage in fields(Steps):
        assert getattr(toolchain.stages, stage.name), f"{name} has no command for {stage.name}"
    assert all(tool.install and tool.version for tool in toolchain.tools.values())


def test_custom_brings_nothing() -> None:
    custom = toolchains.load("custom")
    assert custom.stages == Steps()
    assert not custom.detect


def test_every_format_that_the_configuration_allows_has_a_parser() -> None:
    from typing import get_args

    from jenkins_cd.config.types import FindingFormat

    assert set(get_args(FindingFormat)) == set(PARSERS)


@pytest.mark.parametrize(
    ("file", "name"), [("go.mod", "go"), ("pyproject.toml", "python"), ("requirements.txt", "python")]
)
def test_a_checkout_is_told_by_its_files(tmp_path: Path, file: str, name: str) -> None:
    (tmp_path / file).touch()
    assert toolchains.detect(tmp_path) == name


def test_a_checkout_of_two_languages_has_to_say_which(tmp_path: Path) -> None:
    (tmp_path / "go.mod").touch()
    (tmp_path / "setup.py").touch()
    with pytest.raises(BadInput, match="more than one toolchain: go, python") as caught:
        toolchains.detect(tmp_path)
    assert caught.value.hint == "say which in cd.yaml: toolchain: go"


def test_a_checkout_of_no_known_language_learns_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"go: go\.mod; python: pyproject\.toml"):
        toolchains.detect(tmp_path)


def test_an_unknown_toolchain_is_told_the_nearest_name() -> None:
    with pytest.raises(BadInput, match=r"'pyton' is no toolchain.*python"):
        toolchains.load("pyton")
    with pytest.raises(BadInput, match="is no toolchain"):
        toolchains.load("../toolchains/go")


def test_a_toolchain_file_is_read_as_it_is_described(tmp_path: Path) -> None:
    (tmp_path / "rust.yaml").write_text(GOOD, encoding="utf-8")
    rust = toolchains.read(tmp_path / "rust.yaml")
    assert rust.stages.build[0].run == ("cargo", "build")
    assert rust.stages.build[0].exit_codes == (0,)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("stages:\n  biuld: []\n", "biuld"),
        ("stages:\n  build:\n    - run: cargo build\n", "run"),
        ("stages:\n  unit-tests:\n    - run: [cargo]\n      junit: target/junit.xml\n", "{out}/junit.xml"),
        ("stages:\n  dead-code:\n    - run: [cargo]\n", "format"),
        ("stages:\n  dead-code:\n    - run: [cargo]\n      format: sarfi\n", "sarif"),
        ("stages:\n  build:\n    - run: [cargo, '{outt}']\n", "unknown placeholder {outt}"),
        ("stages:\n  build:\n    - run: [make]\n", "make is not in tools"),
        ("stages:\n  build:\n    - run: []\n", "run is empty"),
    ],
)
def test_a_broken_toolchain_file_names_file_and_mistake(tmp_path: Path, change: str, problem: str) -> None:
    said = problems(tmp_path, GOOD[: GOOD.index("stages:")] + change)
    assert problem in said
    assert "toolchains/rust.yaml" in said


def test_a_toolchain_is_named_as_its_file(tmp_path: Path) -> None:
    assert "expected rust" in problems(tmp_path, GOOD.replace("name: rust", "name: cargo"))
