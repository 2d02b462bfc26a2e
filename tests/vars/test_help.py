"""What the library says of itself: the table of options in each step, its help, and its page agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.vars.scene import LIBRARY, Scene, document

PUBLIC = ("ciPipeline", "deployPipeline", "promotePipeline", "commonChartPipeline", "jenkinsCd")
ALL = sorted(file.stem for file in (LIBRARY / "vars").glob("*.groovy"))


def options(step: str) -> set[str]:
    """Return the options that a step takes, from its Groovy."""
    source = (LIBRARY / f"vars/{step}.groovy").read_text(encoding="utf-8")
    [table] = re.findall(rf"options\('{step}', options, (.*?)\n    \]\)", source, re.DOTALL)
    own = set(re.findall(r"^ +(\w+) *:", table, re.MULTILINE))
    shared = {"agent", "platform", "platformCredentials", "package"} if "places()" in table else set()
    return own | shared


@pytest.mark.parametrize("step", PUBLIC)
def test_the_help_and_the_page_name_every_option_and_no_other(step: str) -> None:
    help_ = (LIBRARY / f"vars/{step}.txt").read_text(encoding="utf-8")
    page = (LIBRARY / f"docs/jenkins/{step}.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^    (\w+) {2,}", help_, re.MULTILINE)) == options(step)
    assert set(re.findall(r"^\| `(\w+)` \|", page.partition("## Options")[2], re.MULTILINE)) == options(step)


def test_every_step_has_help_and_every_help_a_step() -> None:
    assert sorted(file.stem for file in (LIBRARY / "vars").glob("*.txt")) == ALL


def test_the_example_shows_every_option_of_the_pipeline() -> None:
    example = (LIBRARY / "Jenkinsfile.all-options.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^    (\w+):", example, re.MULTILINE)) == options("ciPipeline")


def test_the_example_is_two_lines() -> None:
    lines = (LIBRARY / "Jenkinsfile.example").read_text(encoding="utf-8").splitlines()
    assert lines == ["@Library('jenkins-cd') _", "ciPipeline()"]


def test_the_common_chart_is_published_by_its_plan(scene: Scene, tmp_path: Path) -> None:
    from jenkins_cd.pipelines import PipelinePlan, Step
    from tests.vars.plans import account

    step = Step(stage="Publish", arguments=("common-chart", "publish"), credentials=(account("registry"),))
    scene.answers = {"common-chart publish --plan": document(PipelinePlan(title="common-chart 1.0.1", steps=(step,)))}
    outcome = scene.run("commonChartPipeline()")
    assert outcome.result == "SUCCESS", outcome.log
    assert outcome.display_name == "common-chart 1.0.1"
    assert [started.arguments for started in scene.started] == [
        ["common-chart", "publish", "--plan"],
        ["common-chart", "publish"],
    ]
    assert "JENKINS_CD_REGISTRY_PASSWORD" in scene.started[1].environment
