from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from jenkins_cd.config import tree
from jenkins_cd.config.check import parse
from jenkins_cd.config.reference import markdown
from jenkins_cd.config.schema import FILES, json_schema
from jenkins_cd.config.shape import keys_of, shape_of
from jenkins_cd.config.types import AppFile, Name, PlatformFile
from jenkins_cd.errors import BadInput
from tests.config.files import APP, PLATFORM, Checkout

PLAIN = "app: storefront\nproject: shop\n"
GOOD = [
    ("app", APP),
    ("app", PLAIN),
    ("app", PLAIN + "ci: {dead-code: {gate: {errors: null}, run: x, format: sarif, exit_codes: []}}"),
    (
        "app",
        PLAIN + "package: {image: {args: {A: b}}, chart: {values: {a: [1, {b: null}], c: true}, version: 1.2.3-rc.1}}",
    ),
    ("platform", PLATFORM),
    ("platform", PLATFORM + "apps: {storefront: 'git@git.local:x.git', 'shop/*': ['https://git.local/{app}', /x]}"),
    ("platform", PLATFORM + "defaults: {ci: {build: {run: make}}}\nledger: {url: git@git.local:x.git}"),
]
BAD = [
    ("app", "[]"),
    ("app", "app: storefront"),
    ("app", PLAIN + "ci: {biuld: {}}"),
    ("app", PLAIN + "registry: {}"),
    ("app", PLAIN + "ci: null"),
    ("app", PLAIN + "ci: {build: {timeout: null}}"),
    ("app", PLAIN + "ci: {build: {timeout: 10 m}}"),
    ("app", PLAIN + "ci: {build: {enabled: 'true'}}"),
    ("app", PLAIN + "ci: {dead-code: {gate: {new: -1}}}"),
    ("app", PLAIN + "ci: {dead-code: {gate: {new: true}}}"),
    ("app", PLAIN + "ci: {dead-code: {format: serif}}"),
    ("app", PLAIN + "ci: {unit-tests: {coverage: {minimum: 100.5}}}"),
    ("app", PLAIN + "package: {image: {dockerfile: ../x}}"),
    ("app", PLAIN + "package: {image: {args: {A: 1}}}"),
    ("app", PLAIN + "tests: {Smoke: {run: x}}"),
    ("app", PLAIN + "tests: {smoke: {junit: x}}"),
    ("app", f"app: {'x' * 54}\nproject: shop"),
    ("app", "app: -rf\nproject: shop"),
    ("app", "app: $(id)\nproject: shop"),
    ("platform", PLATFORM.replace("flux", "fluxx")),
    ("platform", PLATFORM.replace("after: ci", "before: ci")),
    ("platform", PLATFORM.replace("approvers: [qa]", "approvers: qa")),
    ("platform", PLATFORM.replace("approvers: [qa]", "approvers: ['q a']")),
    ("platform", PLATFORM.replace("https://git.local", "https://a:b@git.local")),
    ("platform", PLATFORM.replace("oci://", "https://")),
    ("platform", PLATFORM + "apps: {storefront: 'git.local/x'}"),
    ("platform", PLATFORM + "apps: {Storefront: 'https://git.local/x'}"),
    ("platform", PLATFORM + "approvals: {four_eyes: 2}"),
    ("platform", PLATFORM + "ci: {}"),
]  # fmt: skip


def plainly(text: str) -> Any:
    """Return what an editor sees: times are text, as in JSON."""
    return json.loads(json.dumps(yaml.safe_load(text), default=lambda time: time.isoformat()))


def accepts(file: str, text: str) -> tuple[bool, bool]:
    """Return whether the schema and the checker accept a text."""
    try:
        parse(text, FILES[file], "x.yaml", file)
    except BadInput:
        return Draft202012Validator(json_schema(file)).is_valid(plainly(text)), False
    return Draft202012Validator(json_schema(file)).is_valid(plainly(text)), True


@pytest.mark.parametrize("file", FILES)
def test_a_schema_is_one_by_its_own_standard(file: str) -> None:
    Draft202012Validator.check_schema(json_schema(file))


@pytest.mark.parametrize(("file", "text"), GOOD)
def test_what_the_checker_takes_the_schema_takes(file: str, text: str) -> None:
    assert accepts(file, text) == (True, True)


@pytest.mark.parametrize(("file", "text"), BAD)
def test_what_the_checker_refuses_the_schema_refuses(file: str, text: str) -> None:
    assert accepts(file, text) == (False, False)


def test_the_defaults_of_a_schema_are_those_of_the_program() -> None:
    ci = json_schema("app")["properties"]["ci"]["properties"]
    assert ci["build"]["properties"]["timeout"]["default"] == "30m"
    assert ci["dead-code"]["default"] == {"gate": {"errors": None, "new": 0}}
    assert "default" not in ci["code-standard"]


@pytest.mark.parametrize("type_", [AppFile, PlatformFile])
def test_every_key_is_described(type_: type) -> None:
    def walk(type_: type, path: str) -> None:
        for name, key in keys_of(type_).items():
            assert key.shape.meta("description"), f"{path}{name} has no description in config/types.py"
            for inner in (key.shape, key.shape.item):
                if inner and inner.table:
                    walk(inner.kind, f"{path}{name}.")

    walk(type_, "")


def test_what_is_built_and_written_out_again_is_the_same() -> None:
    app, _ = parse(APP, AppFile, "cd.yaml", "app")
    again, _ = parse(json.dumps(tree.plain(AppFile, app)), AppFile, "cd.yaml", "app")
    assert again == app


def test_the_reference_names_every_key_what_it_holds_and_its_default() -> None:
    app, platform = markdown("app"), markdown("platform")
    assert "| `app` | a lower-case name such as `storefront`" in app
    assert "| `ci.build.timeout` | a duration such as `500ms`, `30s`, `10m` or `1h` | `30m` |" in app
    assert "| `tests.<name>.run` | text | **required** |" in app
    assert "| `environments.<name>.freeze[].from` |" in platform
    assert all(line.count("|") - line.count("\\|") == 5 for line in app.splitlines() if line.startswith("| `"))


def test_a_schema_is_printed_or_written_to_a_file(checkout: Checkout) -> None:
    code, out, _ = checkout.run("schema", "app")
    assert (code, json.loads(out)) == (0, json_schema("app"))
    assert checkout.run("schema", "platform", "--markdown", "--output", "docs/platform.md")[0] == 0
    assert (checkout.folder / "docs" / "platform.md").read_text(encoding="utf-8") == markdown("platform")
    assert checkout.run("schema", "cluster")[0] == 2


def test_types_of_other_rooms_may_have_annotations_as_text() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Small:
        name: Annotated[str, "a note of somebody else's"] = "x"

    Small.__annotations__["name"] = "Name"
    assert keys_of(AppFile)["app"].shape.metas[0] is shape_of(Name).metas[0]
    with pytest.raises(TypeError, match="cannot hold"):
        shape_of(bytes)
