"""Who is told our name and password, and what is believed of what a registry answers."""

from __future__ import annotations

import base64
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import http as http_client
from jenkins_cd.tools import registry, registry_login
from tests.tools.conftest import NAME, PASSWORD

pytestmark = pytest.mark.usefixtures("logged_in")
DIGEST = f"sha256:{'0' * 64}"
BASIC = f"Basic {base64.b64encode(f'{NAME}:{PASSWORD}'.encode()).decode()}"


@dataclass
class Answer:
    """What the double answers."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None  # that it promises


@dataclass
class Double:
    """A server that answers by script, and keeps who asked for what. No real registry misbehaves on demand."""

    host: str
    answers: dict[str, Answer] = field(default_factory=dict)  # by the beginning of the path
    challenges: tuple[str, ...] = ()  # asked of whoever has not the token
    seen: list[tuple[str, str]] = field(default_factory=list)  # path and Authorization

    def logins(self) -> list[str]:
        """Return the paths that got our name and password."""
        return [path for path, authorization in self.seen if authorization == BASIC]


Start = Callable[[], Double]


@pytest.fixture
def start() -> Iterator[Start]:
    running: list[http.server.ThreadingHTTPServer] = []

    def started() -> Double:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                authorization = self.headers.get("Authorization", "")
                double.seen.append((self.path, authorization))
                known = self.path.startswith("/v2/") and double.challenges and authorization != "Bearer good"
                answer = next((one for path, one in double.answers.items() if self.path.startswith(path)), Answer(404))
                if known:
                    answer = Answer(401, headers=tuple(("WWW-Authenticate", one) for one in double.challenges))
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
                self.end_headers()
                self.wfile.write(answer.body if self.command == "GET" else b"")

            do_HEAD = do_GET

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        double = Double(f"127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        running.append(server)
        return double

    yield started
    for server in running:
        server.shutdown()
        server.server_close()


def bearer(realm: str) -> str:
    return f'Bearer realm="{realm}",service="here",scope="repository:apps/x:pull"'


def with_tokens(double: Double, body: bytes = b'{"token": "good"}', status: int = 200) -> str:
    double.answers = {
        "/token": Answer(status, body),
        "/v2/": Answer(headers=(("Docker-Content-Digest", DIGEST),)),
    }
    return bearer(f"http://{double.host}/token")


def read(double: Double) -> str | None:
    return registry.digest(f"{double.host}/apps/x", "1.0.0", plain_http=True)


@pytest.mark.parametrize(
    "order",
    [
        ("{bearer}", 'Basic realm="Registry"'),
        ('Basic realm="Registry"', "{bearer}"),
        ('{bearer}, Basic realm="Registry"',),
        ('Basic realm="Registry", {bearer}',),
        ("Negotiate", "NTLM", "{bearer}"),
        ('Digest realm="x", nonce="a=b", qop="auth,auth-int", {bearer}',),
    ],
)
def test_a_token_is_fetched_wherever_bearer_stands_and_the_registry_gets_no_password(
    start: Start, order: tuple[str, ...]
) -> None:
    double = start()
    challenge = with_tokens(double)
    double.challenges = tuple(one.replace("{bearer}", challenge) for one in order)
    assert read(double) == DIGEST
    assert [path.partition("?")[0] for path in double.logins()] == ["/token"]
    assert "/token?service=here&scope=repository%3Aapps%2Fx%3Apull" in dict(double.seen)


@pytest.mark.parametrize(
    "challenges", [("Negotiate",), ("Negotiate", "NTLM"), ("Bearer",), ("<html>",), ('realm="x"',)]
)
def test_a_login_that_is_not_known_is_told_and_no_password_sent(start: Start, challenges: tuple[str, ...]) -> None:
    double = start()
    double.challenges = challenges
    with pytest.raises(ExternalFailure, match="wants a login with"):
        read(double)
    assert double.logins() == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>log in</html>"),
        (200, b"null"),
        (200, b"[]"),
        (200, b'["token"]'),
        (200, b""),
        (200, b'{"token": "go'),
        (200, b"{}"),
        (200, b'{"token": ""}'),
        (200, b'{"token": null}'),
        (200, b'{"token": 7}'),
        (200, b'{"token": {"token": "good"}}'),
        (200, b'{"token": "a\\r\\nX-Evil: 1"}'),
        (200, b'{"token": "\xff"}'),
        (200, b"[" * 100_000),
        (204, b""),
        (401, b'{"token": "good"}'),
        (403, b"<html>"),
        (500, b"null"),
    ],
)
def test_a_token_service_that_gives_no_token_is_one_clear_error(start: Start, status: int, body: bytes) -> None:
    double = start()
    double.challenges = (with_tokens(double, body, status),)
    with pytest.raises(ExternalFailure, match="gives no token for 127") as caught:
        read(double)
    assert caught.value.exit_code == 3
    assert PASSWORD not in caught.value.message


@pytest.mark.parametrize("body", [b'{"access_token": "good"}', b'{"token": "", "access_token": "good", "issued": 1}'])
def test_a_token_may_be_called_access_token(start: Start, body: bytes) -> None:
    double = start()
    double.challenges = (with_tokens(double, body),)
    assert read(double) == DIGEST


@pytest.mark.parametrize(
    "realm",
    [
        "http://{other}/token",
        "http://{here}@{other}/token",
        "http://user:pw@{here}/token",
        "http://localhost:{port}/token",
        "ftp://{here}/token",
        "//{here}/token",
        "/token",
        "token",
        "http://",
        "http://[::1/token",
        "http://{here}:x/token",
        "http://{here}/to ken",
        "https://127.0.0.2/token",
    ],
)
def test_no_password_goes_where_it_does_not_belong(start: Start, realm: str) -> None:
    double, other = start(), start()
    with_tokens(double), with_tokens(other)
    filled = realm.replace("{here}", double.host).replace("{other}", other.host)
    double.challenges = (bearer(filled.replace("{port}", double.host.rpartition(":")[2])),)
    with pytest.raises(ExternalFailure, match=r"the login is not sent there|wants a login with"):
        read(double)
    assert double.logins() == []
    assert other.seen == []


def test_a_token_host_that_is_named_gets_the_login(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    double, other = start(), start()
    with_tokens(double)
    double.challenges = (with_tokens(other),)
    monkeypatch.setenv(registry_login.TOKEN_HOST, other.host)
    assert read(double) == DIGEST
    assert len(other.logins()) == 1


def test_without_a_login_a_token_for_everybody_is_had_anywhere(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(registry.USERNAME)
    monkeypatch.delenv(registry.PASSWORD)
    double, other = start(), start()
    with_tokens(double)
    double.challenges = (with_tokens(other),)
    assert read(double) == DIGEST
    assert [authorization for _, authorization in other.seen] == [""]


@pytest.mark.parametrize(
    ("host", "realm", "sent"),
    [
        ("registry-1.docker.io", "https://auth.docker.io/token", True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("ghcr.io", "https://ghcr.io/token", True),
        ("quay.io", "https://auth.quay.io/token", True),
        ("registry.local:5000", "https://registry.local:5001/token", True),
        ("REGISTRY.local", "https://registry.LOCAL/token", True),
        ("registry.local", "http://registry.local/token", False),
        ("registry-1.docker.io", "http://auth.docker.io/token", False),
        ("registry-1.docker.io", "https://docker.io.evil.local/token", False),
        ("registry-1.docker.io", "https://evildocker.io/token", False),
        ("ghcr.io", "https://evil.io/token", False),
        ("10.0.0.1:5000", "https://10.0.0.2/token", False),
        ("10.0.0.1:5000", "https://0.0.1/token", False),
        ("[fd00::1]:5000", "https://[fd00::2]/token", False),
        ("registry", "https://evil.registry/token", True),
        ("registry", "https://evil/token", False),
    ],
)
def test_a_login_goes_to_a_token_service_of_the_registrys_domain_over_https(
    monkeypatch: pytest.MonkeyPatch, host: str, realm: str, sent: bool
) -> None:
    asked: list[Mapping[str, str]] = []

    def request(_method: str, _url: str, *, headers: Mapping[str, str]) -> requests.Response:
        asked.append(headers)
        answer = requests.Response()
        answer.status_code, answer._content = 200, b'{"token": "good"}'
        return answer

    monkeypatch.setattr(http_client, "request", request)
    if sent:
        assert registry_login.authorization(host, bearer(realm), plain_http=False) == "Bearer good"
        assert asked == [{"Authorization": BASIC}]
    else:
        with pytest.raises(ExternalFailure, match="the login is not sent there"):
            registry_login.authorization(host, bearer(realm), plain_http=False)
        assert asked == []


def test_another_host_that_a_registry_sends_us_to_gets_no_login(start: Start) -> None:
    double, other = start(), start()
    other.challenges = ('Basic realm="x"',)
    double.answers = {"/v2/": Answer(307, headers=(("Location", f"http://{other.host}/v2/"),))}
    with pytest.raises(ExternalFailure, match="which wants a login: none is sent there"):
        read(double)
    assert [authorization for _, authorization in other.seen] == [""]


def test_a_password_of_any_letters_is_sent_in_utf_8(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.PASSWORD, "pässwörd-пароль-€")
    double = start()
    double.challenges = (with_tokens(double),)
    assert read(double) == DIGEST
    sent = dict(double.seen)["/token?service=here&scope=repository%3Aapps%2Fx%3Apull"]
    assert base64.b64decode(sent.partition(" ")[2]).decode() == f"{NAME}:pässwörd-пароль-€"


PAGE = b"<!doctype html><title>Sign in</title>"
LAYER = {"mediaType": registry.HELM_CHART, "digest": DIGEST}


@pytest.mark.parametrize(
    "body",
    [PAGE, b"", b"null", b"[]", b"7", b'"text"', b'{"schemaVersion": 2, "conf', b"\xff\xfe", b"[" * 100_000],
)
def test_what_is_no_manifest_is_one_clear_error(start: Start, body: bytes) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, body)}
    for ask in (registry.digest, registry.manifest, registry.image_content, registry.chart_content):
        with pytest.raises(ExternalFailure, match="answered a manifest that is no JSON") as caught:
            ask(f"{double.host}/apps/x", "1.0.0", plain_http=True)
        assert caught.value.hint


@pytest.mark.parametrize(
    "document",
    [
        {"config": [], "layers": {}},
        {"config": "x", "layers": "x"},
        {"config": {}, "layers": [{"mediaType": registry.HELM_CHART}]},
        {"config": {"digest": None}, "layers": [{**LAYER, "digest": None}]},
        {"config": {"digest": "latest"}, "layers": [None, {**LAYER, "digest": ["x"]}]},
    ],
)
def test_a_manifest_without_digests_is_one_clear_error(start: Start, document: dict[str, Any]) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, json.dumps(document).encode())}
    for ask in (registry.image_content, registry.chart_content):
        with pytest.raises(ExternalFailure, match="the registry answered a manifest whose"):
            ask(f"{double.host}/apps/x", "1.0.0", plain_http=True)


@pytest.mark.parametrize("layers", [None, [], [None, 7, "x", [], {}]])
def test_a_manifest_without_a_chart_has_none(start: Start, layers: object) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, json.dumps({"layers": layers}).encode())}
    assert registry.chart_content(f"{double.host}/apps/x", "1.0.0", plain_http=True) is None


def test_a_digest_that_is_none_is_made_of_the_manifest(start: Start) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, b"{}", (("Docker-Content-Digest", "latest"),))}
    found = registry.manifest(f"{double.host}/apps/x", "1.0.0", plain_http=True)
    assert found
    assert read(double) == found.digest


def test_another_manifest_than_the_one_of_a_digest_is_refused(start: Start) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, b"{}")}
    with pytest.raises(ExternalFailure, match="answered another manifest"):
        registry.manifest(f"{double.host}/apps/x", DIGEST, plain_http=True)


def test_a_page_in_place_of_a_blob_and_of_a_registry_is_told(start: Start) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, PAGE, (("Content-Type", "text/html; charset=utf-8"),))}
    with pytest.raises(ExternalFailure, match="damaged blob"):
        registry.blob(f"{double.host}/apps/x", DIGEST, plain_http=True)
    with pytest.raises(ExternalFailure, match="answers a page on /v2/"):
        registry.ping(double.host, plain_http=True)


def test_an_answer_that_is_cut_is_told(start: Start) -> None:
    double = start()
    double.answers = {"/v2/": Answer(200, b"{}", length=100)}
    with pytest.raises(ExternalFailure):
        registry.manifest(f"{double.host}/apps/x", "1.0.0", plain_http=True)


@pytest.mark.parametrize("place", ["", "http://", "http://[", "http://a..b/", "ftp://x/", "//", "http://h:x/"])
def test_a_redirect_to_nowhere_is_told(start: Start, place: str) -> None:
    double = start()
    double.answers = {"/v2/apps/x/manifests/1": Answer(307, headers=(("Location", place),))}
    with pytest.raises(ExternalFailure):
        registry.manifest(f"{double.host}/apps/x", "1.0.0", plain_http=True)
