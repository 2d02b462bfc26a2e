from __future__ import annotations

import base64
import hashlib
import http.server
import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from jenkins_cd.demo.services import Registry, free_port
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.masking import mask
from jenkins_cd.tools import registry, registry_login
from tests.tools.conftest import NAME, PASSWORD


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def put_blob(host: str, path: str, data: bytes) -> str:
    started = requests.post(f"http://{host}/v2/{path}/blobs/uploads/", timeout=10)
    place = started.headers["Location"]
    answer = requests.put(f"{place}&digest={digest_of(data)}", data=data, timeout=10)
    assert answer.status_code == 201
    return digest_of(data)


def put_manifest(host: str, path: str, tag: str, layer: bytes, kind: str) -> str:
    """Put the smallest thing that a registry takes under a tag, and return its manifest's digest."""
    config, content = put_blob(host, path, b"{}"), put_blob(host, path, layer)
    document = {
        "schemaVersion": 2,
        "mediaType": registry.MANIFESTS[0],
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
        "layers": [{"mediaType": kind, "digest": content, "size": len(layer)}],
    }
    data = json.dumps(document).encode()
    url, headers = f"http://{host}/v2/{path}/manifests/{tag}", {"Content-Type": registry.MANIFESTS[0]}
    assert requests.put(url, data=data, headers=headers, timeout=10).status_code == 201
    return digest_of(data)


@pytest.mark.parametrize(
    ("repository", "parts"),
    [
        ("registry.local/apps", ("registry.local", "apps")),
        ("oci://127.0.0.1:5000/a/b", ("127.0.0.1:5000", "a/b")),
    ],
)
def test_a_repository_is_a_host_and_a_path(repository: str, parts: tuple[str, str]) -> None:
    assert registry.split(repository) == parts


@pytest.mark.parametrize("repository", ["storefront", "oci://host", "/path", ""])
def test_a_repository_without_host_or_path_is_refused(repository: str) -> None:
    with pytest.raises(BadInput):
        registry.split(repository)


def test_what_stands_under_a_tag_is_read_back_with_its_content(registry_host: str) -> None:
    layer = b"a packaged chart"
    put = put_manifest(registry_host, "t/chart", "1.0.0", layer, registry.HELM_CHART)
    repository = f"oci://{registry_host}/t/chart"
    assert registry.digest(repository, "1.0.0", plain_http=True) == put
    assert registry.digest(repository, put, plain_http=True) == put
    found = registry.manifest(repository, "1.0.0", plain_http=True)
    assert found
    assert (found.digest, found.media_type) == (put, registry.MANIFESTS[0])
    assert registry.chart_content(repository, "1.0.0", plain_http=True) == digest_of(layer)
    assert registry.image_content(repository, "1.0.0", plain_http=True) == digest_of(b"{}")
    assert registry.blob(repository, digest_of(layer), plain_http=True) == layer


def test_what_is_no_chart_has_no_charts_content(registry_host: str) -> None:
    put_manifest(registry_host, "t/image", "1.0.0", b"x", "application/vnd.oci.image.layer.v1.tar")
    assert registry.chart_content(f"{registry_host}/t/image", "1.0.0", plain_http=True) is None


def test_what_is_not_there_is_none_and_a_missing_blob_fails(registry_host: str) -> None:
    for name in ("t/nothing", "t/chart"):
        for read in (registry.digest, registry.manifest, registry.image_content, registry.chart_content):
            assert read(f"{registry_host}/{name}", "9.9.9", plain_http=True) is None
    with pytest.raises(ExternalFailure, match="has no blob"):
        registry.blob(f"{registry_host}/t/chart", digest_of(b"lost"), plain_http=True)


def test_a_tag_can_be_moved_back_to_what_is_there(registry_host: str) -> None:
    repository = f"{registry_host}/t/moved"
    first = put_manifest(registry_host, "t/moved", "1.0.0", b"first", registry.HELM_CHART)
    second = put_manifest(registry_host, "t/moved", "1.0.0", b"second", registry.HELM_CHART)
    assert registry.digest(repository, "1.0.0", plain_http=True) == second
    registry.tag(repository, first, "1.0.0", plain_http=True)
    assert registry.digest(repository, "1.0.0", plain_http=True) == first
    with pytest.raises(ExternalFailure, match="does not have sha256:"):
        registry.tag(repository, digest_of(b"never"), "1.0.0", plain_http=True)


def test_a_registry_that_is_down_or_is_none_is_told(token_server: str) -> None:
    with pytest.raises(ExternalFailure, match=r"no answer from 127\.0\.0\.1"):
        registry.ping(f"127.0.0.1:{free_port()}", plain_http=True)
    with pytest.raises(ExternalFailure, match=r"HTTP 404 on /v2/: this is no OCI registry"):
        registry.ping(f"{token_server}/elsewhere", plain_http=True)


@pytest.mark.usefixtures("logged_in")
def test_a_login_is_accepted(locked_registry: Registry) -> None:
    assert registry.ping(locked_registry.host, plain_http=True) == "credentials accepted"
    assert registry.digest(f"{locked_registry.host}/a/b", "1", plain_http=True) is None


def test_without_a_login_a_registry_that_wants_one_says_which_variables(locked_registry: Registry) -> None:
    with pytest.raises(ExternalFailure, match="wants a login, and none is given") as caught:
        registry.ping(locked_registry.host, plain_http=True)
    assert registry.USERNAME in caught.value.hint


@pytest.mark.usefixtures("logged_in")
def test_a_wrong_password_is_told_without_telling_it(
    locked_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(registry.PASSWORD, "wrong-sesame")
    with pytest.raises(ExternalFailure, match="does not let the credentials read") as caught:
        registry.ping(locked_registry.host, plain_http=True)
    assert "sesame" not in caught.value.message + caught.value.hint


def test_half_a_login_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(registry.USERNAME, "robot")
    with pytest.raises(BadInput, match=registry.PASSWORD):
        registry.login()


@pytest.mark.usefixtures("logged_in")
def test_programs_log_in_through_a_file_that_is_ours_alone_and_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text('{"auths": {"other.local": {"auth": "eDp5"}}}', encoding="utf-8")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    with registry.credentials("registry.local:5000") as environment:
        file = Path(environment["REGISTRY_AUTH_FILE"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        auths = json.loads(file.read_bytes())["auths"]
        assert base64.b64decode(auths["registry.local:5000"]["auth"]).decode() == f"{NAME}:{PASSWORD}"
        assert auths["other.local"] == {"auth": "eDp5"}
        assert environment["HELM_REGISTRY_CONFIG"] == str(file)
        assert environment["DOCKER_CONFIG"] == str(file.parent)
        assert mask(file.read_text(encoding="utf-8")).count("****") == 1
    assert not file.parent.exists()


def test_without_a_login_programs_keep_those_of_the_user() -> None:
    with registry.credentials("registry.local") as environment:
        assert environment == {}


@pytest.mark.usefixtures("logged_in")
def test_a_token_is_fetched_where_the_registry_asks_for_one(token_server: str) -> None:
    assert registry.ping(token_server, plain_http=True) == "credentials accepted"
    assert registry.digest(f"{token_server}/team/app", "1.0.0", plain_http=True) == digest_of(b"{}")


def test_a_token_server_that_gives_none_is_told(token_server: str) -> None:
    with pytest.raises(ExternalFailure, match="gives no token"):
        registry.ping(token_server, plain_http=True)


def test_a_login_is_not_sent_to_a_token_server_without_tls() -> None:
    with pytest.raises(ExternalFailure, match="the login is not sent there"):
        registry_login.authorization("registry.local", 'Bearer realm="http://elsewhere/token"', plain_http=False)


@pytest.fixture
def registry_host(registry: Registry) -> str:
    return registry.host


class TokenRegistry(http.server.BaseHTTPRequestHandler):
    """A registry that sends visitors to a token server, which is itself. No real one that does so can be had here."""

    def do_GET(self) -> None:
        basic = base64.b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
        authorization = self.headers.get("Authorization", "")
        if self.path.startswith("/token?service=here"):
            known = authorization == f"Basic {basic}"
            self._answer(200 if known else 401, b'{"access_token": "let-me-in"}' if known else b"{}")
        elif not self.path.startswith("/v2/"):
            self._answer(404, b"")
        elif authorization != "Bearer let-me-in":
            realm = f'Bearer realm="http://{self.headers["Host"]}/token",service="here",scope="repository:x:pull"'
            self._answer(401, b"", realm)
        else:
            self._answer(200, b"{}")

    do_HEAD = do_GET

    def _answer(self, status: int, body: bytes, challenge: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def token_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenRegistry)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()
