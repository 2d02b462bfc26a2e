from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from jenkins_cd import masking
from jenkins_cd.errors import BadInput

SECRET = 'p@ss/wörd "42"+x'


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())


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


@pytest.mark.parametrize("password", ["Ca@nG/1:x%y#z&w", "p@ss@w0rd", "a/b?c#d:e@f", "sp ace@d out", "two\nlines@once"])
def test_a_registered_password_is_masked_whole_in_a_url_whatever_is_in_it(password: str) -> None:
    masking.register(password)
    masked = masking.mask(f"cannot push to http://robot:{password}@127.0.0.1/deploy.git: declined")
    assert masked == "cannot push to http://****@127.0.0.1/deploy.git: declined"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://jane:p@ss@git.local/x", "https://****@git.local/x"),
        ("https://:s3cr3t@git.local/x", "https://****@git.local/x"),
        ("https://ghp_abcdefghijklmnopqrstuvwx@git.local/x", "https://****@git.local/x"),
        ("a https://j:s3cr3t@b.local c@d https://k:s3cr3t@e.local", "a https://****@b.local c@d https://****@e.local"),
        ("ssh://git@git.local/x", "ssh://git@git.local/x"),
        ("oci://registry.local:5000/app@sha256:0a1b", "oci://registry.local:5000/app@sha256:0a1b"),
        ('["http://127.0.0.1:80","joe@x"]', '["http://127.0.0.1:80","joe@x"]'),
    ],
)
def test_a_url_loses_its_password_and_nothing_else(text: str, masked: str) -> None:
    assert masking.mask(text) == masked


def test_secrets_that_overlap_are_masked_both() -> None:
    masking.register("alpha-beta-7")
    masking.register("beta-7-gamma-8")
    masking.register("alpha")
    assert masking.mask("x alpha-beta-7-gamma-8 y") == "x **** y"


def test_each_line_of_a_secret_is_masked_on_its_own() -> None:
    key = "-----BEGIN KEY-----\nMIIEvgIBADANBg\n0kqhkiG9w0BAQE\n-----END KEY-----\n"
    masking.register(key)
    assert masking.mask(f"+{key.splitlines()[1]}") == "+****"
    assert masking.mask("-----BEGIN KEY-----") == "-----BEGIN KEY-----"
    assert masking.mask(base64.b64encode(key.encode()).decode()).count(masking.MASK) == 1


@pytest.mark.parametrize("limit", range(60))
def test_an_excerpt_has_no_part_of_a_secret_wherever_it_is_cut(limit: int) -> None:
    masking.register(SECRET)
    cut = masking.excerpt(f"x{quote(SECRET)} and {SECRET} end", limit)
    assert len(cut) <= limit
    assert not any(SECRET[at : at + 3] in cut for at in range(len(SECRET) - 3))


def test_the_last_lines_have_no_part_of_a_secret_over_several() -> None:
    encoded = base64.b64encode(f"robot:{SECRET * 9}".encode()).decode()
    masking.register(SECRET * 9)
    lines = [encoded[at : at + 64] for at in range(0, len(encoded), 64)]
    shown = masking.last_lines("first\n" + "\n".join(lines) + "\nlast", 2)
    assert shown[-1] == "last"
    assert not any(line in "\n".join(shown) for line in lines)


def test_more_is_hidden_for_a_time_only() -> None:
    masking.register("kept-s3cret")
    with masking.hiding(["postgres", "kept-s3cret"]):
        assert masking.mask("postgres kept-s3cret") == "**** ****"
    assert masking.mask("postgres kept-s3cret") == "postgres ****"


@pytest.mark.parametrize("order", ["before", "after"])
def test_no_secret_is_masked_that_is_the_name_of_an_app(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    monkeypatch.setattr(masking, "_spared", frozenset())
    if order == "before":
        masking.spare(["Hamster-Wheel"])
    masking.register("hamster-wheel")
    masking.spare(["Hamster-Wheel"])
    assert masking.mask("hamster-wheel 1.0.0") == "hamster-wheel 1.0.0"


def test_text_of_a_hundred_thousand_findings_is_passed_over_quickly() -> None:
    for number in range(5):
        masking.register(f"s3cret-{number}-of-the-agent")
    text = "result of the call is not checked, as it is used in line 12 of main.go\n" * 1000
    assert all(masking.mask(text) is text for _ in range(100))


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


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"crlf-s3cret\r\n", "crlf-s3cret"),
        (b"\xef\xbb\xbfbom-s3cret\n\n", "bom-s3cret"),
        ("пароль-9".encode(), "пароль-9"),
    ],
)
def test_what_an_editor_adds_to_a_file_is_no_part_of_a_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, secret: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    assert masking.from_environment("TOKEN") == secret


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty, or only white space"),
        (b" \t\r\n\n", "is empty, or only white space"),
        (b"s3cret\0", r"control character in it \(U\+0000\)"),
        (b"one\ntwo", r"control character in it \(U\+000A\)"),
        (b"\x1b[31ms3cret", r"control character in it \(U\+001B\)"),
        (b"s3cret-\xff\xfe", "it is no text in UTF-8"),
    ],
)
def test_a_file_with_what_no_secret_has_is_told_without_telling_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes, why: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(BadInput, match=why) as caught:
        masking.from_environment("TOKEN")
    assert "TOKEN_FILE" in caught.value.message
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("value", "why"), [(b"   ", "only white space"), (b"s3cret-\xff", "no UTF-8"), (b"a\x01b", "U")]
)
def test_a_variable_with_what_no_secret_has_is_told(monkeypatch: pytest.MonkeyPatch, value: bytes, why: str) -> None:
    monkeypatch.setitem(os.environb, b"TOKEN", value)
    with pytest.raises(BadInput, match=why):
        masking.from_environment("TOKEN")


def test_odd_letters_of_the_environment_are_masked_and_no_traceback() -> None:
    masking.register_all({"JENKINS_CD_GIT_PASSWORD": "s3cret-\udcff-\ud800-\0-ö", "JENKINS_TOKEN": "\n", "X": "y"})
    assert masking.mask("it is s3cret-\ufffd-\ud800-\0-ö.") == "it is ****."


def test_weak_secrets_are_named_with_the_variable_and_never_told(tmp_path: Path) -> None:
    (tmp_path / "weak").write_text("jenkins\n")
    (tmp_path / "strong").write_text("Zx9-hamster-wheel\n")
    found = masking.weak(
        {
            "JENKINS_CD_REGISTRY_PASSWORD": "package",
            "JENKINS_CD_GIT_PASSWORD": "Zx9-hamster-wheel",
            "JENKINS_CD_GIT_PASSWORD_FILE": str(tmp_path / "strong"),
            "JENKINS_CD_GIT_SSH_KEY": "/key",
            "JENKINS_CD_SONAR_TOKEN": "beef",
            "JENKINS_CD_ARGOCD_TOKEN_FILE": str(tmp_path / "missing"),
            "JENKINS_CD_ARGOCD_PASSWORD": "",
            "JENKINS_TOKEN": "hamster",
            "JENKINS_TOKEN_FILE": str(tmp_path / "weak"),
            "OTHER_PASSWORD": "jenkins",
        },
        ["Hamster"],
    )
    assert [name for name, _ in found] == [
        "JENKINS_CD_ARGOCD_TOKEN_FILE",
        "JENKINS_CD_REGISTRY_PASSWORD",
        "JENKINS_CD_SONAR_TOKEN",
        "JENKINS_TOKEN",
        "JENKINS_TOKEN_FILE",
    ]
    assert not any(secret in why for _, why in found for secret in ("package", "beef", "hamster"))


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
