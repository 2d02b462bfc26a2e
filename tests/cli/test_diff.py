"""`jenkins-cd diff` and `jenkins-cd status` where no Argo CD is needed to answer."""

from __future__ import annotations

import json

import pytest

from jenkins_cd import cli
from tests.deployments import Shop


def run(shop: Shop, command: str, *arguments: str) -> int:
    return cli.run([command, "--platform", str(shop.file()), "-C", str(shop.file().parent), *arguments])


def test_the_rendered_difference_is_shown_and_the_exit_code_says_whether_there_is_one(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.deploy("1.4.0")
    assert run(shop, "diff", "--app", "storefront", "--environment", "dev") == 0
    assert "what is declared would change nothing of storefront" in capsys.readouterr().out
    assert run(shop, "diff", "--app", "storefront", "--environment", "dev", "--version", "1.5.0") == 1
    text = capsys.readouterr().out
    assert text.startswith("--- a/manifests.yaml\n+++ b/manifests.yaml\n")
    assert run(shop, "diff", "--app", "storefront", "--environment", "dev", "--version", "1.5.0", "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["model"], found["version"]) == ("jenkins_cd/diff/v1", "flux", "1.5.0")
    assert found["text"].strip() == text.strip()


def test_where_nothing_is_declared_a_version_must_be_given(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shop, "diff", "--app", "storefront", "--environment", "dev") == 2
    said = capsys.readouterr().err
    assert "nothing is declared of storefront in dev" in said
    assert "give --version" in said


def test_unknown_names_are_told_with_the_nearest(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shop, "diff", "--app", "storefrnt", "--environment", "dev") == 2
    assert "did you mean storefront" in capsys.readouterr().err
    assert run(shop, "diff", "--app", "storefront", "--environment", "dvv") == 2
    assert "did you mean dev" in capsys.readouterr().err
    assert run(shop, "status", "--app", "storefrnt") == 2
    assert "did you mean storefront" in capsys.readouterr().err


def test_status_shows_one_app_in_one_environment_and_asks_nobody_where_argo_cd_does_not_deliver(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.deploy("1.4.0")
    assert run(shop, "status", "--app", "storefront", "--environment", "dev", "--live", "--json") == 0
    (place,) = json.loads(capsys.readouterr().out)["places"]
    assert (place["environment"], place["version"], place["live"]) == ("dev", "1.4.0", None)
    assert run(shop, "status", "--live") == 0
    assert "runs" in capsys.readouterr().out.splitlines()[0]
