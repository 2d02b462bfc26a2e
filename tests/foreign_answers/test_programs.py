"""Programs that print, or write, something else than they should: each is one failure that names the program."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from jenkins_cd.delivery import health
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.model import Health
from jenkins_cd.tools import helm_release, images, kubeconfig_program
from jenkins_cd.tools.helm_release import Place
from tests.foreign_answers.foreign import Foreign, mutations, strangest, wrong

SHA = "1" * 40
PLACE = Place(name="web", namespace="shop", kubeconfig=Path("/nowhere"), checks_fields=False)
LINES = {
    "revision": "3",
    "status": "deployed",
    "description": "by jane",
    "deployed": "1700000000",
    "chart": "web",
    "version": "1.0.0",
    "manifest": "kind: ConfigMap",
}
DOCUMENTS: dict[str, tuple[Callable[[], Any], Any]] = {
    "history": (
        lambda: helm_release.history(PLACE),
        [{"revision": 3, "status": "deployed", "chart": "web-1.0.0", "description": "by jane", "updated": ""}],
    ),
    "values": (lambda: helm_release.values(PLACE), {"image": {"tag": "1.0.0"}}),
    "dry run": (
        lambda: helm_release.dry_run(PLACE, Path("/nowhere")),
        {"manifest": "kind: ConfigMap", "hooks": [{"manifest": "kind: Job"}], "version": 3},
    ),
    "credential": (
        lambda: kubeconfig_program._run({"command": "helm"}, {}, Path("/")),
        {"kind": "ExecCredential", "status": {"token": "a-token-of-jane", "expirationTimestamp": "soon"}},
    ),
    "docker": (
        lambda: images._push_with_docker("sha256:1", "registry.local/web:1.0.0", False, {}, Path("/")),
        [f"registry.local/web@sha256:{'1' * 64}"],
    ),
}


@pytest.fixture
def prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Return what says what every program prints."""
    said = tmp_path / "said"
    for name in ("helm", "docker", "git"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec cat "{said}"\n', encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    monkeypatch.setattr(helm_release, "major", lambda: 4)

    def prints(text: bytes) -> None:
        said.write_bytes(text)

    return prints


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_program_never_prints_is_one_failure_that_names_it(prints: Callable[[bytes], None], name: str) -> None:
    call, document = DOCUMENTS[name]
    prints(json.dumps(document).encode())
    call()
    bodies = {what: reply.body for what, reply in wrong(document).items() if reply.status == 200}
    for what in ("a page", "a text", "a number", "nothing", "half a document", "too deep", "two documents"):
        prints(bodies[what])
        with pytest.raises(ExternalFailure, match=r"helm|docker") as caught:
            raise AssertionError(f"{what}: {call()}")
        assert "a-token" not in caught.value.message


@pytest.mark.parametrize("name", ["history", "dry run", "credential", "docker"])
def test_one_thing_wrong_in_what_is_printed_is_a_failure_or_no_matter(
    prints: Callable[[bytes], None], name: str
) -> None:
    call, document = DOCUMENTS[name]
    for what, changed in mutations(document):
        prints(json.dumps(changed).encode())
        assert strangest(call) is None, what


@pytest.mark.parametrize("missing", [*LINES, ""])
@pytest.mark.parametrize("instead", ["", "odd", "9" * 30])
def test_a_release_that_helm_tells_wrongly_is_a_failure(
    prints: Callable[[bytes], None], missing: str, instead: str
) -> None:
    told = {name: value for name, value in LINES.items() if name != missing}
    lines = [f"{name} {quote_plus(value)}" for name, value in told.items()]
    prints("\n".join([*lines, *([f"{missing} {instead}"] if instead and missing else []), "hook", "label a"]).encode())
    assert strangest(lambda: helm_release.status(PLACE)) is None


@pytest.mark.parametrize(
    "text", [b"", b"<html>", b"1\t2", b"100644 blob\tx", b"100644 blob 1 x\ty\0odd", b"\xff\xfe", b"0 1 2", b"x " * 9]
)
def test_git_that_prints_something_else_is_a_failure(
    prints: Callable[[bytes], None], tmp_path: Path, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = Repository(url="https://git.local/deploy.git", folder=tmp_path)
    monkeypatch.setattr(Repository, "_git", lambda *_arguments, **_how: text)
    monkeypatch.setattr(Repository, "_reading", lambda _self, _commit, work: work())
    for work in (
        lambda: repository.list_tree(SHA, ""),
        lambda: repository._contents([SHA]),
        lambda: repository._local("refs/heads/main"),
        lambda: repository._ancestry(SHA, SHA),
    ):
        assert strangest(work) is None


@pytest.mark.parametrize("text", [b"", b"sha256:", b"<html>", b"\xff", b"sha256:" + b"g" * 64, b"1" * 63])
def test_what_is_no_digest_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "digest").write_bytes(text)
    with pytest.raises(ExternalFailure, match="buildah prints something else than it should"):
        images._digest(tmp_path / "digest", "buildah", "read the digest")
    with pytest.raises(ExternalFailure, match="buildah"):
        images._digest(tmp_path / "missing", "buildah", "read the digest")


def test_an_app_may_answer_whatever_it_likes(server: Foreign) -> None:
    for what, reply in wrong({"version": "1.0.0"}).items():
        server.reply = reply
        seen = health.observe(server.url, Health(path="/health", version="$.version"), timeout=5)
        assert not health.reports(seen, "1.0.1"), what
        assert seen.error or seen.version == "1.0.0" or reply.status >= 300, what
    for what, changed in mutations({"build": [{"version": "1.0.0"}]}):
        server.reply = wrong(changed)["a document that breaks off"]
        work = lambda: health.observe(server.url, Health(path="/", version="$.build[0].version"), 5)  # noqa: E731
        assert strangest(work) is None, what


def test_a_failure_of_these_is_worth_a_retry(prints: Callable[[bytes], None]) -> None:
    prints(b"odd")
    with pytest.raises(JenkinsCdError) as caught:
        helm_release.history(PLACE)
    assert (caught.value.exit_code, caught.value.retryable) == (3, True)
