"""A checkout that lacks the tags of its repository releases nothing: it would begin at 0.0.0 again."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import last_version
from jenkins_cd.config.load import load_platform
from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.tools import git

APP = "app: storefront\nproject: shop\ntoolchain: custom\nci: {build: {run: 'true'}}\n"
PLATFORM = """\
registry: {images: registry.local/apps, charts: oci://registry.local/charts}
deploy_repository: {url: DEPLOY}
environments: {dev: {model: flux, after: ci, health_url: "https://{app}.dev.local"}}
"""


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """The app's repository, with three commits on main."""
    folder = tmp_path / "origin"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    (folder / "cd.yaml").write_text(APP, encoding="utf-8")
    (folder / "platform.yaml").write_text(PLATFORM.replace("DEPLOY", "https://git.invalid/d.git"), encoding="utf-8")
    run(folder, "add", ".")
    for number in range(3):
        run(folder, "commit", "-q", "--allow-empty", "-m", f"commit {number}")
    return folder


def clone(origin: Path, *options: str) -> Path:
    """Return a checkout as Jenkins makes it."""
    folder = origin.parent / "checkout"
    run(origin.parent, "clone", "-q", *options, origin.as_uri(), str(folder))
    run(folder, "checkout", "-q", "--detach")
    return folder


def plan(checkout: Path, *arguments: str) -> dict[str, Any]:
    """Return what `ci --plan` says of a build of main."""
    command = [sys.executable, "-m", "jenkins_cd", "ci", "--plan", "--json", *arguments]
    env = {"BRANCH_NAME": "main", "PATH": "/usr/bin:/bin", "HOME": str(checkout.parent)}
    done = subprocess.run(command, cwd=checkout, env=env, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout) if done.stdout else {"error": done.stderr}
    return found


@pytest.mark.parametrize("annotated", [False, True])
def test_without_the_tags_of_its_repository_nothing_is_released_and_the_setting_is_named(
    origin: Path, annotated: bool
) -> None:
    run(origin, "tag", *(["-a", "-m", "x"] if annotated else []), "v1.2.0", "HEAD~1")
    found = plan(clone(origin, "--no-tags"))
    assert found["unreleased"].startswith(f"this checkout lacks the version tag v1.2.0 of {origin.as_uri()}, 1 commits")
    assert "Fetch tags" in found["unreleased"]
    assert found["delivery"] is None
    assert [step["stage"] for step in found["steps"] if not step["skip_reason"]][:1] == ["build"]


def test_with_its_tags_or_a_version_that_is_given_it_is_released(origin: Path) -> None:
    run(origin, "tag", "v1.2.0", "HEAD~1")
    checkout = clone(origin)
    assert plan(checkout)["unreleased"] == ""
    assert plan(checkout)["version"].startswith("1.2.1-dev.1.g")
    run(checkout, "tag", "-d", "v1.2.0")
    assert plan(checkout, "--version", "3.0.0")["unreleased"] == ""


def test_a_repository_without_version_tags_in_this_history_releases_its_first(origin: Path) -> None:
    run(origin, "tag", "nightly")
    run(origin, "switch", "-q", "--orphan", "other")
    run(origin, "commit", "-q", "--allow-empty", "-m", "elsewhere")
    run(origin, "tag", "v9.0.0")
    run(origin, "switch", "-q", "main")
    found = plan(clone(origin, "--no-tags", "--branch=main"))
    assert (found["unreleased"], found["version"][:13]) == ("", "0.0.0-dev.3.g")


def test_a_shallow_checkout_without_a_tag_says_which_setting_is_missing(origin: Path) -> None:
    run(origin, "tag", "v1.2.0", "HEAD~2")
    error = plan(clone(origin, "--depth=1"))["error"]
    assert "git fetch --unshallow --tags" in error
    assert "Shallow clone" in error


def test_what_is_published_is_looked_at_again(origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(origin, "tag", "v1.2.0", "HEAD~1")
    checkout = clone(origin, "--no-tags")
    platform = load_platform(str(checkout / "platform.yaml"), checkout)
    last_version.check(checkout, "1.2.1-dev.1.g1a2b3c4", platform)
    with pytest.raises(
        Refused, match=r"0\.0\.0-dev\.3\.g1a2b3c4 is not released: .* lacks the version tag v1\.2\.0"
    ) as caught:
        last_version.check(checkout, "0.0.0-dev.3.g1a2b3c4", platform)
    assert "Fetch tags" in caught.value.hint
    run(checkout, "fetch", "-q", "--tags")
    last_version.check(checkout, "0.0.0-dev.3.g1a2b3c4", platform)


def test_a_repository_that_does_not_say_holds_up_the_release_and_nothing_else(origin: Path) -> None:
    checkout = clone(origin, "--no-tags")
    run(checkout, "remote", "set-url", "origin", "https://git.invalid/storefront.git")
    assert plan(checkout)["unreleased"] == ""
    with pytest.raises(ExternalFailure, match="cannot be known") as caught:
        last_version.check(checkout, "0.0.0-dev.3.g1a2b3c4", load_platform(str(checkout / "platform.yaml"), checkout))
    assert "push its first: git tag v0.1.0" in caught.value.hint


def test_an_address_that_no_deployment_could_fetch_from_is_not_released(origin: Path) -> None:
    checkout = clone(origin)
    run(checkout, "remote", "set-url", "origin", "ext::sh -c id")
    assert "a deployment could not fetch the commit from" in plan(checkout)["unreleased"]


class _Asking(BaseHTTPRequestHandler):
    """A server that wants a password and notes what it gets."""

    seen: list[str]

    def do_GET(self) -> None:
        type(self).seen.append(self.headers.get("Authorization") or "")
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def asking() -> Iterator[str]:
    _Asking.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Asking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("ours", [True, False])
def test_our_password_goes_only_to_a_host_of_the_platform_file(
    origin: Path, asking: str, ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "correct-horse")
    checkout = clone(origin, "--no-tags")
    run(checkout, "remote", "set-url", "origin", f"{asking}/storefront.git")
    with pytest.raises(ExternalFailure):
        git.version_tag(
            checkout, f"{asking}/storefront.git", [f"{asking}/d.git" if ours else "https://git.invalid/d.git"]
        )
    assert any(_Asking.seen) is ours
