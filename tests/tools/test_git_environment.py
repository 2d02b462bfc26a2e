"""What Git is started with: who gets our credentials, and whose settings hold."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools import git, git_environment
from tests.tools.test_git import commit, run

PASSWORD = "correct-horse-battery"
BASIC = f"Basic {b64encode(f'robot:{PASSWORD}'.encode()).decode()}"
ASK = 'printf "protocol=%s\\nhost=%s\\n\\n" | git credential fill'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    run(folder, "init", "-q")
    commit(folder, "one.txt")
    return folder


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_USERNAME", "robot")
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", PASSWORD)


class User:
    """The settings of whoever runs us."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.file.write_text("[user]\n\tname = Jane\n\temail = jane@example.invalid\n")

    def set(self, key: str, value: str) -> None:
        subprocess.run(["git", "config", "--file", str(self.file), "--add", key, value], check=True)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    return User(tmp_path / "gitconfig")


def spy(place: Path, name: str, more: str = "") -> tuple[Path, Path]:
    """Return a program that writes all that it can learn of credentials into a file, and that file."""
    program, seen = place / name, place / f"{name}.seen"
    parents = f"cat /proc/$PPID/environ /proc/{os.getpid()}/environ /proc/self/environ"
    asked = "\n".join(ASK % pair for pair in (("https", "evil.example"), ("https", "forge.example")))
    program.write_text(f"#!/bin/sh\n{{ env\n{parents}\n{asked}\n}} >> {seen} 2>&1\n{more}\n")
    program.chmod(0o755)
    return program, seen


def add(app: Path, attributes: str) -> str:
    """Commit a file that attributes lead through a filter."""
    (app / ".gitattributes").write_text(attributes)
    run(app, "add", ".gitattributes")
    return commit(app, "large.bin")


def head(app: Path) -> str:
    return run(app, "rev-parse", "HEAD")


@pytest.mark.parametrize("how", ["smudge", "process"])
def test_a_filter_of_the_machine_runs_in_a_checkout_and_gets_no_credentials(
    app: Path, tmp_path: Path, user: User, credentials: None, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_ASKPASS", "SSH_ASKPASS", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, f"/{PASSWORD}")
    program, seen = spy(tmp_path, "filter", "cat" if how == "smudge" else "exit 1")
    made = add(app, "*.bin filter=x\n")
    user.set(f"filter.x.{how}", str(program))
    user.set("credential.helper", f"!echo password={PASSWORD}")
    user.set("http.extraHeader", f"Authorization: {PASSWORD}")
    with contextlib.suppress(JenkinsCdError):  # this one does not speak the protocol of filter processes
        git.checkout(app.as_uri(), made, tmp_path / "into")
    assert (tmp_path / "into" / "large.bin").exists() == (how == "smudge")
    assert "GIT_CONFIG_GLOBAL" in seen.read_text()
    assert PASSWORD not in seen.read_text()


def test_what_the_user_has_set_for_files_hooks_and_signatures_does_not_reach_a_checkout(
    app: Path, tmp_path: Path, user: User, credentials: None
) -> None:
    program, seen = spy(tmp_path, "hook")
    made = commit(app, "lines.txt", "one\ntwo\n")
    hooks, template = tmp_path / "hooks", tmp_path / "template" / "hooks"
    for folder in (hooks, template):
        folder.mkdir(parents=True)
        for name in ("post-checkout", "reference-transaction", "post-index-change"):
            (folder / name).symlink_to(program)
    (tmp_path / "attributes").write_text("* text eol=crlf\n*.txt filter=x\n")
    for key, value in {
        "core.hooksPath": str(hooks),
        "init.templateDir": str(template.parent),
        "core.autocrlf": "true",
        "core.eol": "crlf",
        "core.attributesFile": str(tmp_path / "attributes"),
        "core.fsmonitor": str(program),
        "filter.x.smudge": str(program),
        "submodule.recurse": "true",
        "fetch.recurseSubmodules": "true",
        "commit.gpgSign": "true",
        "gpg.program": str(program),
        "checkout.defaultRemote": "nowhere",
        "core.sparseCheckout": "true",
    }.items():
        user.set(key, value)
    git.checkout(app.as_uri(), made, tmp_path / "into")
    assert (tmp_path / "into" / "lines.txt").read_bytes() == b"one\ntwo\n"
    assert not seen.exists()


def test_what_an_app_says_of_its_own_files_holds_in_a_checkout(app: Path, tmp_path: Path) -> None:
    (app / ".gitattributes").write_text("*.bat text eol=crlf\n*.id ident\n")
    run(app, "add", ".gitattributes")
    commit(app, "name.id", "$Id$\n")
    made = commit(app, "run.bat", "one\n")
    git.checkout(app.as_uri(), made, tmp_path / "into")
    assert (tmp_path / "into" / "run.bat").read_bytes() == b"one\r\n"
    assert (tmp_path / "into" / "name.id").read_text().startswith("$Id: ")


def test_a_submodule_of_an_app_is_not_fetched_and_runs_nothing(
    app: Path, tmp_path: Path, user: User, credentials: None
) -> None:
    program, seen = spy(tmp_path, "update")
    run(app, "-c", "protocol.file.allow=always", "submodule", "add", "-q", app.as_uri(), "inner")
    with (app / ".gitmodules").open("a") as modules:
        modules.write(f"\tupdate = !{program}\n")
    run(app, "commit", "-q", "-am", "Add a submodule")
    user.set("submodule.recurse", "true")
    user.set("protocol.file.allow", "always")
    git.checkout(app.as_uri(), head(app), tmp_path / "into")
    assert list((tmp_path / "into" / "inner").iterdir()) == []
    assert not seen.exists()


@pytest.mark.parametrize(
    "key", ["core.fsmonitor", "core.hooksPath", "filter.x.clean", "filter.x.process", "core.editor"]
)
def test_what_the_configuration_of_an_apps_checkout_names_is_not_run_when_it_is_looked_at(
    app: Path, tmp_path: Path, credentials: None, key: str
) -> None:
    program, seen = spy(tmp_path, "own", "cat")
    (tmp_path / "post-index-change").symlink_to(program)
    add(app, "*.bin filter=x\n")
    run(app, "config", key, str(tmp_path if key == "core.hooksPath" else program))
    if key.startswith("filter"):
        run(app, "config", "filter.x.required", "true")
    os.utime(app / "large.bin", (0, 0))  # so that it is read again
    assert not git.state(app).dirty
    assert not seen.exists()


def test_a_filter_of_the_user_runs_when_an_apps_checkout_is_looked_at_and_gets_no_credentials(
    app: Path, tmp_path: Path, user: User, credentials: None
) -> None:
    program, seen = spy(tmp_path, "clean", "cat")
    add(app, "*.bin filter=x\n")
    user.set("filter.x.clean", str(program))
    (app / "large.bin").write_text("y")
    assert git.state(app).dirty
    assert PASSWORD not in seen.read_text()


def cloned(app: Path) -> Path:
    """Return a clone with all files as somebody may have touched them since: Git has to read them again."""
    clone = app.parent / "clone"
    run(app.parent, "clone", "-q", str(app), "clone")
    os.utime(clone / "lines.txt", (0, 0))
    assert (clone / "lines.txt").read_bytes() == b"one\r\n"
    return clone


def test_a_checkout_is_clean_as_its_user_reads_it(app: Path, user: User) -> None:
    commit(app, "lines.txt", "one\n")
    user.set("core.autocrlf", "true")
    assert not git.state(cloned(app)).dirty


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("column.ui", "always"),
        ("column.tag", "always"),
        ("color.ui", "always"),
        ("color.status", "always"),
        ("log.showSignature", "true"),
        ("log.date", "relative"),
        ("log.decorate", "full"),
        ("format.pretty", "oneline"),
        ("status.showStash", "true"),
        ("status.relativePaths", "true"),
        ("status.branch", "false"),
        ("tag.sort", "-version:refname"),
        ("core.quotePath", "true"),
        ("core.abbrev", "4"),
        ("core.pager", "false"),
        ("i18n.logOutputEncoding", "UTF-16"),
        ("alias.log", "!false"),
    ],
)
def test_no_setting_of_the_user_changes_what_is_read_from_git(app: Path, user: User, key: str, value: str) -> None:
    for tag in ("v1.0.0", "latest", "0.9.0", "v1.0.0-rc.1"):
        run(app, "tag", tag)
    plain = git.state(app)
    user.set(key, value)
    run(app, "config", key, value)
    assert git.state(app) == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GIT_DIR", "/nowhere"),
        ("GIT_WORK_TREE", "/"),
        ("GIT_INDEX_FILE", "/nowhere/index"),
        ("GIT_OBJECT_DIRECTORY", "/nowhere"),
        ("GIT_NAMESPACE", "other"),
        ("GIT_DEFAULT_HASH", "sha256"),
        ("GIT_TEMPLATE_DIR", "/nowhere"),
        ("GIT_TRACE", "1"),
        ("GIT_EXTERNAL_DIFF", "false"),
        ("GIT_PAGER", "false"),
        ("LC_ALL", "de_DE.UTF-8"),
        ("LANGUAGE", "de"),
        ("COLUMNS", "20"),
    ],
)
def test_no_variable_leads_git_elsewhere(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    run(app, "tag", "v1.0.0")
    plain, made = git.state(app), head(app)
    monkeypatch.setenv(name, value)
    assert git.state(app) == plain
    git.checkout(app.as_uri(), made, tmp_path / "into")
    assert (tmp_path / "into" / "one.txt").exists()
    assert git.read_file(app.as_uri(), "main", "one.txt") == b"x"
    assert Repository.open(str(app)).tip("main") == made


class Forge(BaseHTTPRequestHandler):
    """A server that wants a password for everything but what it sends elsewhere, and remembers what it was given."""

    seen: list[tuple[str, str]]
    elsewhere: str

    def do_GET(self) -> None:
        type(self).seen.append((self.headers.get("Host", ""), self.headers.get("Authorization", "")))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", f"{self.elsewhere}{self.path.removeprefix('/moved')}")
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def forge() -> Iterator[str]:
    """Serve under two names of this machine: `localhost` is another host than 127.0.0.1."""
    Forge.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Forge) as server:
        Forge.elsewhere = f"http://localhost:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def refused(url: str) -> None:
    with pytest.raises(JenkinsCdError):
        git.read_file(url, "main", "x")


def test_the_host_of_the_url_gets_our_credentials(forge: str, credentials: None) -> None:
    refused(f"{forge}/x.git")
    assert BASIC in dict(Forge.seen).values()


@pytest.mark.parametrize("way", ["a redirect", "another address for it", "another address for all"])
def test_another_host_gets_none(forge: str, credentials: None, user: User, way: str) -> None:
    if way == "another address for it":
        user.set(f"url.{Forge.elsewhere}/.insteadOf", f"{forge}/moved/")
    elif way == "another address for all":
        user.set(f"url.{Forge.elsewhere}/.insteadOf", "https://forge.example/")
    refused("https://forge.example/x.git" if way == "another address for all" else f"{forge}/moved/x.git")
    asked = [given for host, given in Forge.seen if host.startswith("localhost")]
    assert asked
    assert not any(asked)


def test_a_host_that_is_named_for_ssh_and_reached_over_http_gets_no_password_where_it_is_another(
    forge: str, credentials: None, user: User
) -> None:
    user.set(f"url.{forge}/.insteadOf", "git@forge.example:")
    refused("git@forge.example:x.git")
    assert {given for _, given in Forge.seen} == {""}


def test_a_login_of_the_machine_is_used_where_we_have_none_and_not_where_nothing_is_fetched(
    forge: str, user: User, app: Path
) -> None:
    user.set("credential.helper", f"!printf 'username=robot\\npassword={PASSWORD}\\n'; :")
    refused(f"{forge}/x.git")
    assert BASIC in dict(Forge.seen).values()
    for environment in (git_environment.within(app), git_environment.checkout()):
        with pytest.raises(ExternalFailure):
            git.run(["credential", "fill"], folder=app, environment=environment, stdin=b"protocol=https\nhost=x\n\n")


def test_ours_win_over_those_of_the_machine(forge: str, user: User, credentials: None) -> None:
    user.set("credential.helper", "!printf 'username=other\\npassword=other\\n'; :")
    user.set(f"credential.{forge}.helper", "!printf 'username=other\\npassword=other\\n'; :")
    refused(f"{forge}/x.git")
    assert {given for _, given in Forge.seen} == {"", BASIC}


def test_how_the_machine_reaches_others_holds_for_mirrors_and_checkouts(
    forge: str, user: User, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "")
    user.set("http.proxy", forge)
    refused("http://forge.example/x.git")
    assert Forge.seen[0][0] == "forge.example"
    user.set(f"url.{app.parent.as_uri()}/.insteadOf", "https://forge.example/")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(user.file.rename(tmp_path / "again")))
    git.checkout("https://forge.example/app", head(app), tmp_path / "into")
    assert (tmp_path / "into" / "one.txt").exists()


def test_settings_in_the_environment_count_as_the_users(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(app, "lines.txt", "one\n")
    pairs = {f"url.{app.parent.as_uri()}/.insteadOf": "https://forge.example/", "core.autocrlf": "true"}
    for number, (key, value) in enumerate(pairs.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    assert git.read_file("https://forge.example/app", "main", "one.txt") == b"x"
    assert not git.state(cloned(app)).dirty


@pytest.mark.parametrize("count", ["abc", "-1", "1e3", "9999999", " "])
def test_a_number_of_settings_that_is_none_is_told(app: Path, monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    made = head(app)
    monkeypatch.setenv("GIT_CONFIG_COUNT", count)
    looks = (
        lambda: git.state(app),
        lambda: git.reachable(str(app)),
        lambda: git.checkout(str(app), made, app / "into"),
    )
    for look in looks:
        with pytest.raises(BadInput, match="GIT_CONFIG_COUNT"):
            look()


def test_a_number_of_settings_that_are_not_there_is_told(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "3")
    with pytest.raises(BadInput, match="missing config key"):
        git.reachable(str(app))


def test_a_configuration_that_cannot_be_read_is_told(app: Path, user: User) -> None:
    user.file.write_text("[broken\n")
    with pytest.raises(BadInput, match="configuration cannot be read"):
        git.reachable(str(app))


@pytest.mark.parametrize(
    "value", ['a "quoted" one', "back\\slash", "# no comment; nor this", " spaces ", "two\nlines", ""]
)
def test_settings_are_handed_on_as_they_are(user: User, app: Path, value: str) -> None:
    user.set('http.https://a "b"\\c.example/.proxy', value)
    environment = git_environment.to("https://x.example/x", app)
    said = git.run(["config", "--list", "-z"], folder=app, environment=environment).decode()
    assert f'http.https://a "b"\\c.example/.proxy\n{value}\0' in said


def test_no_argument_and_no_other_program_has_the_password(credentials: None, app: Path) -> None:
    there = git_environment.to("https://forge.example/x", app)
    assert PASSWORD in there.variables.values()
    assert all(PASSWORD not in value for key, value in there.variables.items() if key != "JENKINS_CD_GIT_PASSWORD")
    for none in (git_environment.within(app), git_environment.checkout(), git_environment.to(app.as_uri(), app)):
        assert PASSWORD not in none.variables.values()
        assert {"JENKINS_CD_GIT_PASSWORD"} <= set(none.dropped)


def test_ssh_never_asks(monkeypatch: pytest.MonkeyPatch, app: Path) -> None:
    assert "BatchMode=yes" in git_environment.to("git@x.example:x", app).variables["GIT_SSH_COMMAND"]
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    there = git_environment.to("git@x.example:x", app)
    assert "GIT_SSH_COMMAND" not in {*there.variables, *there.dropped}


def test_a_way_over_ssh_that_the_user_has_set_holds(user: User, app: Path) -> None:
    user.set("core.sshCommand", "ssh -i key")
    assert "GIT_SSH_COMMAND" not in git_environment.to("git@x.example:x", app).variables


def test_a_key_is_the_only_one_that_ssh_offers(monkeypatch: pytest.MonkeyPatch, app: Path) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_SSH_KEY", "/run/a key's/id; rm -rf x")
    command = shlex.split(git_environment.to("git@x.example:x", app).variables["GIT_SSH_COMMAND"])
    assert command[0] == "ssh"
    assert command[command.index("-i") + 1] == "/run/a key's/id; rm -rf x"
    assert {"BatchMode=yes", "IdentitiesOnly=yes"} <= set(command)
    assert "GIT_SSH_COMMAND" not in git_environment.within(app).variables
    assert "JENKINS_CD_GIT_SSH_KEY" in git_environment.within(app).dropped


def test_a_repository_above_a_folder_of_ours_is_not_looked_for(
    forge: str, credentials: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, seen = spy(tmp_path, "helper")
    run(tmp_path, "init", "-q")
    run(tmp_path, "config", "credential.helper", f"!{program}")
    run(tmp_path, "config", f"url.{forge}/.insteadOf", "https://forge.example/")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ExternalFailure):
        git.reachable(f"{forge}/x.git")
    with pytest.raises(ExternalFailure):
        git.reachable("https://forge.example/x.git")
    assert not seen.exists()
    assert BASIC in {given for _, given in Forge.seen}
