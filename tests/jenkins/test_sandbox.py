"""The library works as one that is not trusted too: it calls only what the Groovy sandbox lets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.jenkins import sandbox

VARS = Path(__file__).parents[2] / "vars"


@pytest.mark.parametrize("file", sorted(VARS.glob("*.groovy")), ids=lambda file: file.stem)
def test_the_library_calls_nothing_that_needs_an_approval(file: Path) -> None:
    assert list(sandbox.refused(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "def all = new groovy.json.JsonSlurperClassic().parseText(text)",
        "def all = new JsonSlurperClassic().parseText(text)",
        "String text = JsonOutput.toJson(words)",
        "String text = JsonOutput.toJson([1, 2])",
        "String text = JsonOutput.toJson(words.collect { it })",
        "def there = new File('/etc/passwd').exists()",
        "def all = Jenkins.instance.items",
        "def all = jenkins.model.Jenkins.get().items",
        "System.exit(0)",
        "def now = System.currentTimeMillis()",
        "currentBuild.rawBuild.delete()",
        "def kind = value.getClass()",
        "'id'.execute()",
        "def bytes = java.util.Base64.getEncoder().encode(text.bytes)",
    ],
)
def test_what_the_sandbox_refuses_is_found_with_its_line(line: str) -> None:
    source = f"// System.exit(0) in a comment is none\n\nvoid call(List words) {{\n    {line}\n}}\n"
    assert [number for number, _ in sandbox.refused(source)] == [4]


@pytest.mark.parametrize(
    "line",
    [
        "Map all = [words: words]\n    String text = JsonOutput.toJson(all)",
        "def all = new JsonSlurper().parseText(text)",
        "echo('see Jenkins.instance, or new File(…)')",
        "def name = UUID.randomUUID().toString()",
        "try { sh('x') } catch (hudson.AbortException failure) { echo(failure.message) }",
        "return new ArrayList(steps)  // System.exit(0)",
    ],
)
def test_what_the_sandbox_lets_pass_is_no_finding(line: str) -> None:
    assert list(sandbox.refused(f"import groovy.json.JsonOutput\n\nvoid call() {{\n    {line}\n}}\n")) == []
