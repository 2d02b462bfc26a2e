"""A token for one build, on a real server: what it is good for, and that it is worthless afterwards."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jenkins_cd import masking
from jenkins_cd.argocd_setup import tokens
from jenkins_cd.cli import run
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import argocd, argocd_applications, argocd_settings
from jenkins_cd.tools.argocd_failures import Denied, Expired
from jenkins_cd.tools.argocd_settings import Token
from tests.argocd.scene import Scene
from tests.argocd.shop import Shop, given, shop  # noqa: F401

ROLE = "deployer"


def ids(argo: Scene, role: str = ROLE) -> list[str]:
    return [one.id for one in argocd_settings.tokens(argo.admin, argo.project, role)]


def made(argo: Scene, build: str, lifetime: float = 60) -> Token:
    """Return a new token for a build."""
    return tokens.make(argo.admin, argo.project, lifetime, ROLE, build)


def accepted(argo: Scene, token: str) -> bool:
    try:
        argocd.user(argo.as_who_has(token))
    except Expired:
        return False
    return True


def test_a_token_is_good_until_it_is_revoked(argo: Scene) -> None:
    token = made(argo, "shop-17")
    assert argocd.user(argo.as_who_has(token.text)) == f"proj:{argo.project}:{ROLE}"
    assert ids(argo) == [token.id]
    assert token.expires_at - token.issued_at == 60
    assert tokens.revoke(argo.admin, argo.project, ROLE, "shop-17").found
    assert ids(argo) == []
    argo.until(lambda: not accepted(argo, token.text), "the token to be worthless")


def test_a_build_that_asks_again_has_one_token_and_others_keep_theirs(argo: Scene) -> None:
    first = made(argo, "shop-17")
    other = made(argo, "shop-18")
    second = made(argo, "shop-17")
    assert sorted(ids(argo)) == [second.id, other.id]
    assert second.id.startswith("jenkins-cd-shop-17.")
    argo.until(lambda: not accepted(argo, first.text), "the first token to be worthless")
    assert accepted(argo, second.text)


def test_builds_that_start_at_once_have_tokens_of_different_seconds(argo: Scene) -> None:
    with ThreadPoolExecutor(3) as pool:
        three = list(pool.map(lambda number: made(argo, f"shop-{number}"), range(3)))
    assert len({one.issued_at for one in three}) == len(ids(argo)) == 3


def test_revoking_one_that_is_gone_leaves_another_of_its_second_alone(argo: Scene) -> None:
    first, second = argo.token(ROLE), argo.token(ROLE)
    while first.issued_at != second.issued_at:
        first, second = second, argo.token(ROLE)
    for _ in range(2):
        argocd_settings.delete_token(argo.admin, argo.project, ROLE, first)
    assert second.id in ids(argo)


def test_ours_that_have_expired_are_cleaned_away_and_nobody_elses(argo: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    old = made(argo, "shop-1", 5)
    others = argo.token(ROLE, 5)
    later = old.expires_at + 120
    monkeypatch.setattr("jenkins_cd.argocd_setup.tokens.time.time", lambda: later)
    assert tokens.revoke(argo.admin, argo.project, ROLE, "shop-2").expired == (old.id,)
    assert ids(argo) == [others.id]


def test_revoking_is_done_twice_without_harm(argo: Scene) -> None:
    token = made(argo, "shop-17")
    assert tokens.revoke(argo.admin, argo.project, ROLE, token.id).found
    assert not tokens.revoke(argo.admin, argo.project, ROLE, "shop-17").found


def test_what_is_no_project_role_or_build_is_told(argo: Scene) -> None:
    with pytest.raises(BadInput, match="has no project nowhere with the role ci"):
        tokens.make(argo.admin, "nowhere", 60)
    with pytest.raises(BadInput, match="with the role nobody"):
        tokens.make(argo.admin, argo.project, 60, "nobody")
    with pytest.raises(BadInput, match="names no build"):
        made(argo, "../x")


def test_the_pipelines_token_makes_no_others(argo: Scene) -> None:
    with pytest.raises(Denied, match="lacks the right `projects, update`"):
        tokens.make(argo.server(ROLE), argo.project, 60, ROLE)


def test_a_build_gets_its_token_into_a_file_works_with_it_and_revokes_it(
    shop: Shop,  # noqa: F811
    given: tuple[str, ...],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop.apply()
    monkeypatch.setenv("JENKINS_CD_RESULT", str(tmp_path / "result.json"))
    file, build = tmp_path / "token", (*given, "--id", "jenkins-shop-17")
    assert run(["argocd", "token", *build, "--ttl", "5m", "--output", str(file)]) == 0
    out, err = capsys.readouterr()
    token = file.read_text(encoding="ascii").strip()
    assert out == ""
    assert "at the end: jenkins-cd argocd revoke" in err
    assert token not in err + (tmp_path / "result.json").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["document"]["role"] == "ci"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert masking.mask(f"token {token}") == "token ****"
    with monkeypatch.context() as its:
        its.delenv("JENKINS_CD_ARGOCD_USERNAME")
        its.delenv("JENKINS_CD_ARGOCD_PASSWORD")
        its.setenv("JENKINS_CD_ARGOCD_TOKEN_FILE", str(file))
        mine = argocd.connect(shop.scene.argocd.url, argocd.credentials())
        assert argocd_applications.read(mine, shop.ref)
    assert run(["argocd", "revoke", *build]) == 0
    assert "the token of jenkins-shop-17 is revoked" in capsys.readouterr().out
    assert run(["argocd", "revoke", *build]) == 0
    assert "there is nothing to revoke" in capsys.readouterr().out
    assert run(["argocd", "revoke", *build, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["found"] is False
    assert run(["argocd", "token", *build, "--json"]) == 2
    assert run(["argocd", "token", *build, "--json", "--output", str(file)]) == 0
    out, _ = capsys.readouterr()
    assert json.loads(out)["project"] == shop.project
    assert file.read_text(encoding="ascii").strip() not in out


def test_quiet_prints_the_token_and_nothing_else(
    shop: Shop,  # noqa: F811
    given: tuple[str, ...],  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    shop.apply()
    command = ["argocd", "token", *given, "--quiet"]
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert argocd.user(shop.scene.as_who_has(out.strip())) == f"proj:{shop.project}:ci"
    assert run([*command, "--ttl", "soon"]) == 2
    assert "--ttl: expected a duration" in capsys.readouterr().err
