"""Who we are at Argo CD, and what becomes of it when a token ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, JenkinsCdError
from jenkins_cd.masking import mask
from jenkins_cd.tools import argocd, argocd_settings, http
from jenkins_cd.tools import argocd_applications as applications
from jenkins_cd.tools.argocd import Credentials
from jenkins_cd.tools.argocd_credentials import claims, expired
from jenkins_cd.tools.argocd_failures import Absent, Expired, Rejected
from tests.argocd.scene import Scene


def fails(work: Callable[[], object], kind: type[JenkinsCdError]) -> bool:
    """Tell whether it fails like that."""
    try:
        work()
    except kind:
        return True
    return False


def test_a_name_and_a_password_log_in_when_it_is_needed(argo: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_CD_ARGOCD_USERNAME", "admin")
    monkeypatch.setenv("JENKINS_CD_ARGOCD_PASSWORD", argo.argocd.password)
    server = argocd.connect(argo.argocd.url + "/", argocd.credentials())
    assert argocd.requests_sent(server) == 0
    assert argocd.user(server) == "admin"
    assert argocd.requests_sent(server) == 2
    assert mask(server.login.token) == "****"
    stale = server.login.token
    http.request("GET", f"{argo.argocd.url}/auth/logout", headers={"Cookie": f"argocd.token={stale}"})
    assert argocd.may(server, "applications", "sync", "x/y")
    assert server.login.token != stale


def test_a_wrong_password_is_told_and_not_shown(argo: Scene) -> None:
    server = argocd.connect(argo.argocd.url, Credentials(username="admin", password="not-the-password"))
    with pytest.raises(BadInput, match="does not accept name and password of admin") as caught:
        argocd.user(server)
    assert "not-the-password" not in f"{caught.value.message} {caught.value.hint} {server}"


def test_a_role_is_known_by_its_token_and_asks_what_it_may(argo: Scene) -> None:
    reader = argo.server("reader")
    assert argocd.user(reader) == f"proj:{argo.project}:reader"
    assert argocd.may(reader, "applications", "get", f"{argo.project}/web")
    assert not argocd.may(reader, "applications", "sync", f"{argo.project}/web")
    assert argocd.may(argo.server("deployer"), "applications", "sync", f"{argo.project}/web")


def test_a_token_that_has_expired_is_told_with_how_it_is_renewed(argo: Scene) -> None:
    ref, token = argo.app(), argo.token("reader", lifetime=2)
    server = argo.as_who_has(token.text)
    argo.until(lambda: expired(token.text), "the end of the token")
    argo.until(lambda: fails(lambda: applications.read(server, ref), Expired), "the end of the token at the server")
    with pytest.raises(Expired, match=f"does not accept the token of proj:{argo.project}:reader: .*expired") as caught:
        applications.read(server, ref)
    assert "JENKINS_CD_ARGOCD_TOKEN" in caught.value.hint
    assert caught.value.retryable


def test_a_token_that_is_none_is_told(argo: Scene) -> None:
    with pytest.raises(Expired, match="does not accept the token"):
        argocd.may(argo.as_who_has("not-a-token"), "applications", "get", "x/y")
    with pytest.raises(Expired):
        argocd.user(argo.as_who_has("not-a-token"))


def test_a_token_that_others_renew_is_read_again(argo: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, ref = tmp_path / "token", argo.app()
    first = argo.token("reader")
    file.write_text(first.text + "\n", encoding="utf-8")
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN_FILE", str(file))
    server = argocd.connect(argo.argocd.url, argocd.credentials())
    assert applications.read(server, ref)
    argocd_settings.delete_token(argo.admin, argo.project, "reader", first)
    argo.until(lambda: fails(lambda: applications.read(server, ref), Expired), "the token to be dead")
    file.write_text(argo.token("reader").text, encoding="utf-8")
    assert applications.read(server, ref)["metadata"]["name"] == ref.name


def test_a_token_lives_until_it_is_revoked(argo: Scene) -> None:
    ref, token = argo.app(), argo.token("reader", lifetime=60)
    assert token.expires_at == token.issued_at + 60
    assert claims(token.text)["jti"] == token.id
    assert token.text not in repr(token)
    server = argo.as_who_has(token.text)
    assert applications.read(server, ref)
    for _ in range(2):
        argocd_settings.delete_token(argo.admin, argo.project, "reader", token)
    argo.until(lambda: fails(lambda: applications.read(server, ref), Expired), "the token to be dead")


def test_a_token_of_no_role_and_a_second_of_one_name_are_refused(argo: Scene) -> None:
    with pytest.raises(Absent, match="does not have role 'nobody'"):
        argocd_settings.create_token(argo.admin, argo.project, "nobody", 60, "build-1")
    argocd_settings.create_token(argo.admin, argo.project, "reader", 60, "build-1")
    with pytest.raises(Rejected, match="build-1"):
        argocd_settings.create_token(argo.admin, argo.project, "reader", 60, "build-1")


def test_without_credentials_it_is_said_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput) as caught:
        argocd.credentials()
    assert "JENKINS_CD_ARGOCD_TOKEN" in caught.value.hint
    monkeypatch.setenv("JENKINS_CD_ARGOCD_USERNAME", "admin")
    with pytest.raises(BadInput, match="JENKINS_CD_ARGOCD_PASSWORD is not set"):
        argocd.credentials()
