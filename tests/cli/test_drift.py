"""`jenkins-cd drift` where no cluster is needed to answer."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
import yaml

from jenkins_cd import cli
from jenkins_cd.gitops.ledger import Ledger
from tests.delivery.app import App
from tests.gitops.remotes import bare
from tests.gitops.samples import deployment, platform, release

RULES = {"after": "ci", "health_url": "http://127.0.0.1:1"}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A checkout with a platform file; the ledger knows one deployment to dev."""
    remote = str(bare(tmp_path / "deploy.git", {"README.md": b"\n"}))
    ledger = Ledger.open(platform(remote))
    ledger.publish(release())
    ledger.record(deployment(1, model="helm"))
    content = {
        "registry": {"images": "registry.local/apps", "charts": "oci://registry.local/charts"},
        "deploy_repository": {"url": remote},
        "environments": {
            "dev": {"model": "helm", **RULES, "helm": {"service_account": None}},
            "test": {"model": "helm", **RULES, "after": "dev"},
            "live": {"model": "flux", **RULES, "after": "test"},
        },
    }
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "platform.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def drift(place: Path, *arguments: str) -> int:
    return cli.run(["drift", "-C", str(place), *arguments])


def test_for_another_model_it_says_which_command_tells_it(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift(place, "--environment", "live") == 2
    said = capsys.readouterr().err
    assert "live is of the model flux" in said
    assert "flux diff kustomization" in said


def test_unknown_names_are_told_with_the_nearest(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift(place, "--environment", "dvv") == 2
    assert "dev" in capsys.readouterr().err
    assert drift(place, "--environment", "dev", "--app", "storefrnt") == 2
    assert "did you mean storefront" in capsys.readouterr().err


def test_where_nothing_was_deployed_nothing_can_differ(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift(place, "--environment", "test") == 0
    assert "nothing was deployed to test yet" in capsys.readouterr().out
    assert drift(place, "--environment", "test", "--app", "storefront", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["apps"][0]["state"]) == ("jenkins_cd/drift/v1", "absent")


def test_without_a_kubeconfig_it_says_how_to_give_one(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", str(place / "none"))
    assert drift(place, "--environment", "dev") == 2
    assert "there is no kubeconfig" in capsys.readouterr().err


def test_what_the_cluster_does_not_say_is_unknown(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = App()
    app.answers = itertools.repeat((401, "who are you?"))
    server = {"name": "x", "cluster": {"server": app.url}}
    config = {
        "clusters": [server],
        "users": [{"name": "x", "user": {"token": "t0ken-of-nobody"}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "current-context": "x",
    }
    (place / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", str(place / "config"))
    monkeypatch.setenv("COLUMNS", "300")
    assert drift(place, "--environment", "dev") == 3
    app.stop()
    said = capsys.readouterr().out
    assert "1 app: 1 cannot be known" in said
    assert "does not accept the credential" in " ".join(said.split())
    assert (place / ".jenkins-cd" / "report" / "drift.html").is_file()
