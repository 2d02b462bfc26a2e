"""State is never masked, free text always: what the next step goes by is written as it is."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import jenkins_cd
from jenkins_cd import long_json, masking, model, results
from jenkins_cd.free_text import FreeText, FreeTexts, masked
from jenkins_cd.model import (
    Begun,
    Chart,
    Command,
    Finding,
    Image,
    PackageResult,
    Phase,
    Plan,
    Release,
    StageResult,
    TestCase,
    TestReport,
)
from tests.gitops import samples

SECRET = "s3cret-and-a-name"
FREE = frozenset(
    {"message", "reason", "hint", "detail", "evidence", "error", "body", "diff", "note", "notes", "approval_reason"}
    | {"skip_reason", "question", "problems", "left_out", "text"}
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    masking.register(SECRET)


def stage() -> StageResult:
    chart = Chart(name=SECRET, repository=f"oci://{SECRET}/charts", digest=SECRET, content=SECRET)
    return StageResult(
        stage="package",
        status="passed",
        reason="made",
        version=SECRET,
        commit=SECRET,
        started=datetime(2026, 1, 2, tzinfo=timezone.utc),
        seconds=1.0,
        findings=(Finding(tool=SECRET, rule=SECRET, message="m", level="error", file=SECRET, fingerprint=SECRET),),
        package=PackageResult(
            builder="docker",
            image=Image(repository=SECRET, digest=SECRET, content=SECRET),
            image_tag=f"{SECRET}:1",
            chart=chart,
            chart_file=f".jenkins-cd/{SECRET}/chart.tgz",
        ),
        release=Release(app=SECRET, project=SECRET, version=SECRET, commit=SECRET, source=SECRET, chart=chart),
        log=f".jenkins-cd/logs/{SECRET}.log",
    )


def test_names_paths_and_digests_are_read_back_as_they_were(tmp_path: Path) -> None:
    results.save(tmp_path, "package", stage())
    assert results.load(tmp_path, "package", StageResult) == stage()


def test_what_people_and_programs_said_is_masked_however_deep(tmp_path: Path) -> None:
    tests = TestReport(cases=(TestCase(suite="s", name="n", seconds=1, outcome="failed", message=SECRET),))
    leaky = dataclasses.replace(
        stage(),
        reason=f"because of {SECRET}",
        evidence=SECRET,
        commands=(Command(line=f"login {SECRET}", exit_code=1, seconds=1.0),),
        findings=(dataclasses.replace(stage().findings[0], message=f"found {SECRET}"),),
        tests=tests,
    )
    results.save(tmp_path, "package", leaky)
    found = results.load(tmp_path, "package", StageResult)
    assert found
    assert found.tests
    assert (found.reason, found.evidence) == ("because of ****", "****")
    assert (found.commands[0].line, found.findings[0].message) == ("login ****", "found ****")
    assert found.tests.cases[0].message == "****"
    assert (found.package, found.release, found.log) == (leaky.package, leaky.release, leaky.log)


def test_what_stands_beside_a_long_list_is_masked_too(tmp_path: Path) -> None:
    many = tuple(dataclasses.replace(stage().findings[0], line=line) for line in range(1, long_json.LONG + 2))
    told = dataclasses.replace(many[0], message=f"found {SECRET}")
    leaky = dataclasses.replace(stage(), reason=f"because of {SECRET}", evidence=SECRET, findings=(told, *many))
    file = results.save(tmp_path, "package", leaky)
    found = results.load(tmp_path, "package", StageResult)
    assert found
    assert (found.reason, found.evidence, found.findings[0].message) == ("because of ****", "****", "found ****")
    assert (found.findings[1:], found.package, found.log) == (many, leaky.package, leaky.log)
    assert file.read_text(encoding="utf-8").count("\n") > len(many), "an item a line"


def test_a_record_of_the_ledger_keeps_its_names_and_loses_its_secrets() -> None:
    plan = Plan(
        environment=SECRET, declared=SECRET, running=None, verified=None, wanted=SECRET, base=SECRET, files=f"+{SECRET}"
    )
    begun = Begun(
        id="1",
        app=SECRET,
        project=SECRET,
        version=SECRET,
        environment=SECRET,
        started=samples.BEGIN,
        requested_by=SECRET,
        plan=plan,
        approval_reason=f"as {SECRET} said",
    )
    found = results.from_json(results.to_json(begun).encode(), Begun, "x")
    assert found == dataclasses.replace(
        begun, approval_reason="as **** said", plan=dataclasses.replace(plan, files="+****")
    )


def test_a_phase_and_a_deployment_are_told_apart_too() -> None:
    phase = Phase(name=SECRET, status="failed", seconds=1.0, started=samples.BEGIN, detail=SECRET)
    deployment = samples.deployment(1, commit=SECRET, reason=SECRET, phases=(phase,))
    found = masked(deployment)
    assert (found.commit, found.reason) == (SECRET, "****")
    assert (found.phases[0].name, found.phases[0].detail) == (SECRET, "****")


def test_what_holds_free_text_is_masked_in_lists_and_mappings() -> None:
    @dataclasses.dataclass(frozen=True)
    class Document:
        words: tuple[FreeText, ...]
        anything: FreeTexts
        names: dict[str, list[str]]

    said = Document((SECRET,), {"a": [SECRET, {"b": SECRET}], SECRET: 1}, {"a": [SECRET]})
    assert masked(said) == Document(("****",), {"a": ["****", {"b": "****"}], SECRET: 1}, {"a": [SECRET]})


def test_nothing_is_copied_where_there_is_nothing_to_mask() -> None:
    clean = stage()
    assert masked(clean) is clean


def documents() -> Iterator[tuple[str, Any]]:
    """Yield every dataclass of the package that is written as JSON: those with a schema, and what they hold."""
    for found in pkgutil.walk_packages(jenkins_cd.__path__, "jenkins_cd."):
        module = importlib.import_module(found.name) if not found.name.endswith("__main__") else model
        for name, type_ in vars(module).items():
            if inspect.isclass(type_) and dataclasses.is_dataclass(type_) and type_.__module__ == module.__name__:
                yield f"{module.__name__}.{name}", type_


def test_every_field_of_a_document_that_is_called_like_free_text_is_declared_so() -> None:
    seen = 0
    for name, type_ in documents():
        fields = {field.name: str(field.type) for field in dataclasses.fields(type_)}
        if "schema" not in fields and not type_.__module__.startswith(f"{model.__name__}."):
            continue
        for field in FREE & fields.keys():
            seen += 1
            assert "FreeText" in fields[field], f"{name}.{field} is for people: declare it as FreeText"
    assert seen > 15
