from __future__ import annotations

import json

import pytest

from tests.config.files import APP, PLATFORM, Checkout


def test_a_value_is_shown_with_its_place_and_meaning(checkout: Checkout) -> None:
    code, out, _ = checkout.write(APP, PLATFORM).run("explain", "ci.unit-tests.coverage.minimum")
    assert code == 0
    assert out == "ci.unit-tests.coverage.minimum: 80  cd.yaml:6 (app)\nPercent that must be covered.\n"


@pytest.mark.parametrize(
    ("key", "value", "origin"),
    [
        ("toolchain", "go", "cd.yaml:3 (app)"),
        ("ci.build.timeout", "30m", "built-in"),
        ("ci.dead-code.gate.new", "0", "built-in"),
        ("ci.dead-code.gate.errors", "null", "built-in"),
        ("environments.dev.after", "ci", "platform.yaml:6 (platform)"),
        ("environments.dev.tests", '["smoke"]', "platform.yaml:8 (platform)"),
        ("environments.staging.freeze[0].why", "the shops are full", "platform.yaml:16 (platform)"),
        ("health.path", "/up", "command line"),
    ],
)
def test_every_layer_is_named(checkout: Checkout, key: str, value: str, origin: str) -> None:
    out = checkout.write(APP, PLATFORM).run("explain", key, "--set", "health.path=/up")[1]
    assert out.splitlines()[0] == f"{key}: {value}  {origin}"


def test_a_part_is_shown_whole_and_without_a_key_everything(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM)
    part = checkout.run("explain", "environments.dev")[1].splitlines()
    assert len(part) > 5
    assert all(line.startswith("environments.dev.") for line in part)
    everything = checkout.run("explain")[1].splitlines()
    assert {line.split(".")[0].split(":")[0] for line in everything} >= {"app", "ci", "registry", "environments"}


def test_an_unknown_key_is_told_with_the_nearest(checkout: Checkout) -> None:
    code, _, err = checkout.write(APP).run("explain", "ci.unit-test")
    assert code == 2
    assert "there is no key 'ci.unit-test' (did you mean ci.unit-tests?)" in err


def test_json_names_its_shape(checkout: Checkout) -> None:
    out = json.loads(checkout.write(APP).run("explain", "app", "--json")[1])
    assert out["schema"] == "jenkins_cd/explain/v1"
    (value,) = out["values"]
    assert value["meaning"].startswith("The app's name")
    assert {key: value[key] for key in ("key", "value", "layer", "file", "line")} == {
        "key": "app", "value": "storefront", "layer": "app", "file": "cd.yaml", "line": 1,
    }  # fmt: skip


def test_validate_says_in_json_what_was_read_and_what_is_wrong(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM)
    assert json.loads(checkout.run("validate", "--json")[1]) == {
        "schema": "jenkins_cd/validate/v1", "valid": True, "files": ["platform.yaml", "cd.yaml"], "problems": [],
    }  # fmt: skip
    code, out, err = checkout.write("app: storefront\n").run("validate", "--json")
    (problem,) = json.loads(out)["problems"]
    assert (code, "project: is missing" in err, json.loads(out)["valid"]) == (2, True, False)
    assert {key: problem[key] for key in ("file", "line", "layer", "key")} == {
        "file": "cd.yaml", "line": 1, "layer": "app", "key": "project",
    }  # fmt: skip


def test_validate_says_what_was_not_checked(checkout: Checkout) -> None:
    assert "not checked against a platform file" in checkout.write(APP).run("validate")[1]
    (checkout.folder / "cd.yaml").unlink()
    assert "not checked against an app" in checkout.write(None, PLATFORM).run("validate")[1]
