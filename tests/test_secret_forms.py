"""Every way of writing that a secret may turn up in, and any mixture of them."""

from __future__ import annotations

import base64
import html
import json
import shlex
import unicodedata
import urllib.parse
from collections.abc import Callable
from typing import Literal
from xml.sax.saxutils import quoteattr

import pytest

from jenkins_cd import masking, secret_forms

Form = Literal["NFC", "NFD"]
SECRETS = (
    "Ca@nG/1:x%y#z&w",
    'p@ss/wörd "42"+x\'s',
    "tab\tand\nline <b>&amp;</b>",
    "back\\slash\\n$HOME`id`",
    "пароль-€-😀",
    "raw-\udcff\udcfe-bytes",
    "~!@#$%^&*()_+{}|[]",
    "plainlettersonly",
    "%2F%2f%",
)


def raw(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogateescape")


def quoted(secret: str) -> str:
    return urllib.parse.quote(raw(secret), safe="")


def wrapped(text: str, columns: int) -> str:
    return "\n".join(text[at : at + columns] for at in range(0, len(text), columns))


WAYS: dict[str, Callable[[str], str]] = {
    "raw": lambda secret: secret,
    "percent, capitals": quoted,
    "percent, small letters": lambda secret: quoted(secret).replace("%2F", "%2f").replace("%3A", "%3a"),
    "percent, but for a slash": lambda secret: urllib.parse.quote(raw(secret), safe="/:@"),
    "percent, all of it": lambda secret: "".join(f"%{byte:02x}" for byte in raw(secret)),
    "percent, twice": lambda secret: urllib.parse.quote(quoted(secret), safe=""),
    "a form": lambda secret: urllib.parse.quote_plus(raw(secret)),
    "JSON in ASCII": lambda secret: json.dumps(secret)[1:-1],
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "JSON of Go": lambda secret: json.dumps(secret)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    "repr": lambda secret: repr(secret)[1:-1],
    "repr of bytes": lambda secret: repr(raw(secret))[2:-1],
    "a shell": lambda secret: shlex.quote(secret).strip("'"),
    "HTML": html.escape,
    "HTML, twice": lambda secret: html.escape(html.escape(secret)),
    "XML in ASCII": lambda secret: html.escape(secret).encode("ascii", "xmlcharrefreplace").decode(),
    "an attribute": lambda secret: quoteattr(secret)[1:-1],
    "UTF-8 that could not be read": lambda secret: raw(secret).decode("utf-8", "replace"),
    "UTF-8 taken for Latin-1": lambda secret: raw(secret).decode("latin-1"),
}


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_whole_however_it_is_written(secret: str, way: str) -> None:
    masking.register(secret)
    assert masking.mask(f"before {WAYS[way](secret)} after") == "before **** after"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "пользователь"])
@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("columns", [20, 64, 76, 10_000])
def test_base64_is_masked_behind_any_user_in_both_alphabets_and_over_lines(
    secret: str, user: str, alphabet: Callable[[bytes], bytes], columns: int
) -> None:
    masking.register(secret)
    for before in range(0, 80, 7):
        encoded = alphabet(f"{user}:".encode() + raw(secret) + b"\n").decode()
        text = wrapped("x" * before + encoded, columns)
        shown = masking.mask(text)
        middle = encoded[len(encoded) * 2 // 3 :][:6]
        assert masking.MASK in shown, text
        assert middle not in shown.replace("\n", ""), text


@pytest.mark.parametrize("breaks", ["\r\n", "\n ", "\n\t\t    ", "\\n", "\\\\n", " "])
def test_base64_is_masked_whatever_a_line_break_looks_like(breaks: str) -> None:
    masking.register("a-s3cret-of-some-length-that-takes-two-lines")
    encoded = base64.b64encode(b"robot:a-s3cret-of-some-length-that-takes-two-lines").decode()
    shown = masking.mask(f"auth: {encoded[:30]}{breaks}{encoded[30:]}")
    assert encoded[10:28] not in shown
    assert encoded[32:50] not in shown


@pytest.mark.parametrize("secret", ["\\" * 3 + "a/b", "&&&;;;##", "%%%25252", "   a   b   "])
def test_a_long_run_of_the_letters_of_a_secret_takes_no_time(secret: str) -> None:
    masking.register(secret)
    for piece in (secret[:4], "\\", "&amp;", "%25", " ", "\\n"):
        masking.mask(piece * 20_000)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_a_letter_with_an_accent_is_one_letter_or_two(form: Form, written: Form) -> None:
    masking.register(unicodedata.normalize(form, "pässwörd-Ünï"))
    shown = unicodedata.normalize(written, "pässwörd-Ünï")
    text = f"{shown} {json.dumps(shown)[1:-1]} {quoted(shown)} {base64.b64encode(raw(shown)).decode()}"
    assert masking.mask(text).startswith("**** **** **** ****")


@pytest.mark.parametrize("secret", [*SECRETS, "+/+/+/+/abcd", "??>>??>>", "ÿÿÿÿÿÿÿÿ>>?", "x" + "?~" * 40])
def test_what_is_looked_for_first_is_in_every_form(secret: str) -> None:
    for way, write in WAYS.items():
        text = f"a {write(secret)} b"
        for form in secret_forms.forms(secret)[:1]:
            found = any(form.spans(text))
            assert form.may_be_in(text, secret_forms.has_percent_encoding(text)) or not found, way
