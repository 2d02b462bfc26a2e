from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from jenkins_cd.argocd import app_drift, differences, evidence, judge, live, managed, states, tree, windows
from jenkins_cd.argocd.narration import Narrator
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools import argocd, argocd_applications, argocd_credentials, argocd_settings, argocd_streams
from jenkins_cd.tools.argocd import Credentials, Ref, Server
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_settings import Token
from tests.foreign_answers.foreign import Foreign, Reply, mutations, right, strangest, wrong
from tests.foreign_answers.samples import (
    APPLICATION,
    AT,
    EVENT,
    MANAGED,
    MANIFEST,
    POD,
    PROJECT,
    SHA,
    TREE,
    WINDOWS,
    listing,
)

Call = Callable[[Server], Any]
SMALL = {"metadata": {"name": "web"}, "spec": {"project": "shop"}, "status": {"health": {"status": "Healthy"}}}
REF = Ref(name="web", project="shop")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ABOUT = {"kind": "Pod", "name": "web-1", "namespace": "shop", "version": "v1"}
TOKEN = Token(text="", id="t1", issued_at=1, expires_at=0)
JWT = ".".join(
    base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
    for part in ({"alg": "none"}, {"sub": "proj:shop:ci", "iat": 1, "exp": 2, "jti": "t1"}, {})
)


class Known(Repository):
    """A deploy repository that knows one commit."""

    url = "https://git.local/deploy.git"

    def __init__(self) -> None:
        """Need nothing."""

    def descends(self, commit: str, ancestor: str) -> bool:
        return commit == ancestor

    def tip(self, branch: str, timeout: float = 0) -> str:
        return SHA


def judged(app: Any) -> None:
    """Look at an Application in all the ways in which a deployment does."""
    wish = Wish(repository=Known(), branch="main", place="dev/web", commit=SHA, run="run")
    memory = judge.Memory()
    for part in (app, {**app, "operation": None}):
        judge.judge(part, wish, judge.Rules(prune=False), memory, time.monotonic())
        judge.confirmed(part)
        Narrator(lambda _text: None).see(part)
        evidence.text(evidence.Evidence(page="", application=part, nodes=tree.read(TREE), events=(EVENT,)))
        app_drift._last(part)


def drawn(found: Any) -> None:
    """Look at a tree in all the ways in which a deployment does."""
    nodes = tree.read(found)
    tree.ailments(nodes, NOW)
    tree.text(nodes, "web", APPLICATION)


def streamed(server: Server) -> None:
    for _, app in itertools.islice(argocd_applications.watch(server, REF, "9", lambda: False), 3):
        judged(app)


def compared(server: Server) -> None:
    items = managed.read(server, REF)
    app_drift.compared(items, None)
    app_drift.compared(items, managed.by_key([json.loads(MANIFEST)]))
    differences.lines(argocd_applications.managed(server, REF))


DOCUMENTS: dict[str, tuple[Call, Any]] = {
    "version": (argocd.version, {"Version": "v3.2.1"}),
    "user": (argocd.user, {"loggedIn": True, "username": "proj:shop:ci"}),
    "may": (lambda to: argocd.may(to, "applications", "get", "shop/web"), {"value": "yes"}),
    "read": (lambda to: judged(argocd_applications.read(to, REF)), APPLICATION),
    "sync": (lambda to: argocd_applications.sync(to, REF, SyncOrder()), SMALL),
    "terminate": (lambda to: argocd_applications.terminate(to, REF), {}),
    "windows": (lambda to: windows.describe(argocd_applications.windows(to, REF), NOW), WINDOWS),
    "tree": (lambda to: drawn(argocd_applications.tree(to, REF)), TREE),
    "strays": (lambda to: list(app_drift._strays(to, REF, set())), TREE),
    "managed": (compared, MANAGED),
    "events": (
        lambda to: evidence.text(evidence.Evidence(page="", events=tuple(argocd_applications.events(to, REF)))),
        listing(EVENT),
    ),
    "live": (lambda to: argocd_applications.live(to, REF, ABOUT), {"manifest": json.dumps(POD)}),
    "metadata": (
        lambda to: evidence.whose(argocd_applications.metadata(to, REF, SHA)),
        {"author": "anna <a@b>", "date": AT, "message": "Requested-by: jane\n"},
    ),
    "manifests": (lambda to: managed.synced(to, REF, SHA), {"manifests": [MANIFEST]}),
    "projects": (argocd_settings.projects, listing(PROJECT)),
    "project": (lambda to: argocd_settings.project(to, "shop"), PROJECT),
    "create project": (lambda to: argocd_settings.put_project(to, PROJECT, None), PROJECT),
    "update project": (lambda to: argocd_settings.put_project(to, PROJECT, PROJECT), PROJECT),
    "delete project": (lambda to: argocd_settings.delete_project(to, "shop"), {}),
    "tokens": (lambda to: argocd_settings.tokens(to, "shop", "ci"), PROJECT),
    "create token": (
        lambda to: argocd_settings.create_token(to, "shop", "ci", 60, "t1"),
        {"token": JWT, "loggedIn": True, "username": "proj:shop:ci"},
    ),
    "delete token": (lambda to: argocd_settings.delete_token(to, "shop", "ci", TOKEN), {}),
    "applications": (lambda to: argocd_settings.applications(to, "shop"), listing(SMALL)),
    "every application": (argocd_settings.every_application, listing(SMALL)),
    "put application": (lambda to: argocd_settings.put_application(to, SMALL), SMALL),
    "delete application": (lambda to: argocd_settings.delete_application(to, REF), {}),
    "application sets": (argocd_settings.application_sets, listing({"metadata": {"name": "web"}, "spec": {}})),
    "put application set": (
        lambda to: argocd_settings.put_application_set(to, {"metadata": {"name": "web"}}),
        {"metadata": {"name": "web"}},
    ),
    "clusters": (argocd_settings.clusters, listing({"server": "https://k", "name": "in", "namespaces": ["shop"]})),
    "put cluster": (lambda to: argocd_settings.put_cluster(to, {"server": "https://k"}), {"server": "https://k"}),
    "change cluster": (
        lambda to: argocd_settings.change_cluster(to, "https://k", {"name": "in"}),
        {"server": "https://k"},
    ),
    "repositories": (argocd_settings.repositories, listing({"repo": "https://git.local/deploy.git"})),
    "templates": (argocd_settings.credential_templates, listing({"url": "https://git.local/"})),
}
# What has no shape of its own: any object says that it was done.
SAY_NOTHING = ("terminate", "delete project", "delete token", "delete application")


def connected(url: str) -> Server:
    return argocd.connect(url, Credentials(token="a-token-of-ours"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_argo_cd_never_answers_is_one_failure_that_names_it(server: Foreign, name: str) -> None:
    call, document = DOCUMENTS[name]
    for what, reply in wrong(document).items():
        if name in SAY_NOTHING and what in ("half a document", "a document that breaks off"):
            continue
        server.reply = reply
        with pytest.raises(JenkinsCdError) as caught:
            raise AssertionError(f"{what}: {call(connected(server.url))}")
        assert "127.0.0.1" in caught.value.message, what
        assert caught.value.exit_code == 3 or reply.status >= 300, what


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_thing_wrong_in_an_answer_is_a_failure_or_no_matter(answered: Callable[[Reply], None], name: str) -> None:
    call, document = DOCUMENTS[name]
    server = connected("http://argocd.invalid")
    answered(right(document))
    call(server)
    for what, changed in mutations(document):
        answered(right(changed))
        assert strangest(lambda: call(server)) is None, what


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "7", "[" * 5000, '{"metadata": []}'])
@pytest.mark.parametrize("name", ["managed", "live", "manifests"])
def test_an_object_that_is_told_as_text_is_read_with_the_same_care(
    answered: Callable[[Reply], None], name: str, text: str
) -> None:
    whole = json.dumps(DOCUMENTS[name][1])
    answered(right(json.loads(whole.replace(json.dumps(MANIFEST), json.dumps(text)))))
    if name == "live":
        answered(right({"manifest": text}))
    assert strangest(lambda: DOCUMENTS[name][0](connected("http://argocd.invalid"))) is None


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argocd_streams, "_REST", 0.0)
    monkeypatch.setattr(argocd_settings, "PATIENCE", 0.0)


def test_a_stream_that_is_none_ends_or_is_a_failure(server: Foreign) -> None:
    line = {"result": {"type": "MODIFIED", "application": APPLICATION}}
    for what, reply in wrong(line).items():
        server.reply = reply
        assert strangest(lambda: streamed(connected(server.url))) is None, what
        assert strangest(lambda: _logged(connected(server.url))) is None, what


def test_a_page_in_place_of_a_log_is_no_empty_log(server: Foreign) -> None:
    for reply in (wrong({})["a page"], wrong({})["a page that calls itself JSON"], wrong({})["a list"]):
        server.reply = reply
        with pytest.raises(JenkinsCdError, match="does not answer as Argo CD does"):
            _logged(connected(server.url))


@pytest.mark.parametrize(
    "line",
    [
        {"result": {"type": "MODIFIED", "application": {"metadata": {"name": "web"}, "spec": {}}}},
        {"result": {"content": "one\n", "last": True}},
        {"error": {"grpc_code": 16, "http_code": 401, "message": "no"}},
        {"error": {"code": 7, "message": "no"}},
    ],
)
def test_one_thing_wrong_in_a_stream_is_a_failure_or_no_matter(
    answered: Callable[[Reply], None], line: dict[str, Any]
) -> None:
    server = connected("http://argocd.invalid")
    for what, changed in mutations(line):
        answered(right(json.dumps(changed).encode() + b"\n"))
        assert strangest(lambda: streamed(server)) is None, what
        assert strangest(lambda: _logged(server)) is None, what


def test_a_login_that_gives_no_token_is_a_failure(server: Foreign) -> None:
    login = Credentials(username="jane", password="sesame-of-jane")
    for what, reply in wrong({"token": "x" * 20}).items():
        server.reply = reply
        assert strangest(lambda: argocd.version(argocd.connect(server.url, login))) is None, what


def test_how_an_app_is_is_told_in_spite_of_all(answered: Callable[[Reply], None]) -> None:
    for what, changed in mutations(APPLICATION):
        answered(right(changed))
        assert strangest(lambda: live.status(connected("http://argocd.invalid"), REF)) is None, what


@pytest.mark.parametrize("claims", [b"[]", b"7", b"[" * 5000, b"\xff", b'{"sub": [], "exp": "soon"}'])
def test_a_token_that_says_nothing_of_itself_is_one(claims: bytes) -> None:
    token = f"a.{base64.urlsafe_b64encode(claims).decode()}.c"
    assert argocd_credentials.subject(token) in ("", "[]")
    assert not argocd_credentials.expired(token)
    assert states.moment(token) is None


def _logged(server: Server) -> None:
    list(argocd_applications.logs(server, REF, pod="web-1", namespace="shop", container="web", tail=5))
