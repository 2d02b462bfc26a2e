from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from jenkins_cd import masking
from jenkins_cd.errors import BadInput

SECRET = 'p@ss/wörd "42"+x'


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    monkeypatch.setattr(masking, "_pattern", None)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        json.dumps(SECRET)[1:-1],
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET}".encode()).decode(),
        base64.b64encode(f"x:{SECRET}".encode()).decode(),
    ],
)
def test_a_registered_secret_is_masked_in_every_form(form: str) -> None:
    masking.register(SECRET)
    masked = masking.mask(f"before {form} after")
    assert masking.MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert not any(form[at : at + 8] in masked for at in range(len(form) - 8))


def test_a_password_in_a_url_is_masked_without_being_registered() -> None:
    assert masking.mask("git clone https://jane:s3cr3t@git.local/x.git") == "git clone https://****@git.local/x.git"


def test_text_without_secrets_stays_as_it_is() -> None:
    masking.register(SECRET)
    assert masking.mask("https://git.local/a@b and user@host:path") == "https://git.local/a@b and user@host:path"


def test_a_value_too_short_to_be_told_from_text_is_not_masked() -> None:
    masking.register("abc")
    assert masking.mask("abc abcd") == "abc abcd"


def test_a_secret_is_read_from_the_variable_or_from_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    assert masking.from_environment("TOKEN") == "from-a-file"
    monkeypatch.setenv("TOKEN", "from-the-variable")
    assert masking.from_environment("TOKEN") == "from-the-variable"
    assert masking.mask("from-a-file from-the-variable") == "**** ****"


def test_no_secret_is_none_and_a_file_that_cannot_be_read_is_an_error_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert masking.from_environment("NO_SUCH_TOKEN") is None
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "missing"))
    with pytest.raises(BadInput, match=r"TOKEN_FILE names .*missing"):
        masking.from_environment("TOKEN")


@pytest.mark.parametrize(
    "name",
    [
        "JENKINS_CD_REGISTRY_PASSWORD",
        "JENKINS_CD_REGISTRY_PASSWORD_FILE",
        "JENKINS_CD_GIT_PASSWORD",
        "JENKINS_CD_GIT_PASSWORD_FILE",
        "JENKINS_CD_GIT_SSH_KEY",
        "JENKINS_CD_SONAR_TOKEN",
        "JENKINS_CD_JENKINS_TOKEN",
        "JENKINS_CD_JENKINS_TOKEN_FILE",
        "JENKINS_TOKEN",
        "JENKINS_TOKEN_FILE",
    ],
)
def test_an_environment_without_secrets_lacks_what_holds_or_names_one(name: str) -> None:
    assert masking.without_secrets({name: SECRET, "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "APP_PASSWORD",
        "TOKEN",
        "SSH_AUTH_SOCK",
        "JENKINS_CD_GIT_USERNAME",
        "JENKINS_CD_PLATFORM",
        "JENKINS_CD_PLATFORM_DIGEST",
        "JENKINS_URL",
        "MY_JENKINS_CD_GIT_PASSWORD",
    ],
)
def test_what_is_no_secret_of_ours_stays(name: str) -> None:
    assert masking.without_secrets({name: "x"}) == {name: "x"}


def test_every_secret_that_is_read_anywhere_is_one_that_is_kept_from_the_apps_commands() -> None:
    from jenkins_cd.tools import jenkins, registry

    names = {registry.PASSWORD, *jenkins.TOKENS, "JENKINS_CD_GIT_PASSWORD", "JENKINS_CD_GIT_SSH_KEY"}
    files = {f"{name}_FILE" for name in names}
    assert masking.without_secrets(dict.fromkeys(names | files, "x")) == {}
