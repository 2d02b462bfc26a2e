from __future__ import annotations

from typing import TypedDict

import pytest

from jenkins_cd.tools import answers
from jenkins_cd.tools.answers import Malformed


class Named(TypedDict):
    name: str


@pytest.mark.parametrize(
    "data", [b'{"name": "a", "more": [1]}', '{"name": "a", "more": [1]}', b'\xef\xbb\xbf{"name": "a"}']
)
def test_a_document_of_the_shape_is_left_as_it_is(data: bytes | str) -> None:
    found = answers.document(data, Named)
    assert found["name"] == "a"
    assert found.get("more", [1]) == [1]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"<html>", "it is no JSON"),
        (b'{"name": "a"', "it is no JSON"),
        (b'{"name": NaN}', "it is no JSON"),
        (b"\xff\xfe", "it is no JSON"),
        ("\udcff", "it is no JSON"),
        (b"[" * 10_000, "it is no JSON"),
        (b"null", "Expected `object`, got `null`"),
        (b"{}", "missing required field `name`"),
        (b'{"name": 7}', r"Expected `str`, got `int` - at `\$.name`"),
    ],
)
def test_what_is_not_of_the_shape_is_told_with_its_place(data: bytes | str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        answers.document(data, Named)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_lines_come_whole_however_they_are_cut(size: int) -> None:
    data = "eins ü\r\n\n\x0cdrei\u2028\nlast".encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert [line.decode() for line in answers.lines(pieces)] == ["eins ü", "", "\x0cdrei\u2028", "last"]


def test_a_line_without_an_end_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LARGEST", 10)
    found = answers.lines(iter([b"short\n", b"x" * 6, b"x" * 6]))
    assert next(found) == b"short"
    with pytest.raises(Malformed, match="longer than 10 bytes"):
        next(found)


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("", 0), ("-1", 0), ("²", 0), ("1" * 19, 0), ("1\n", 0)])
def test_only_a_whole_number_is_one(text: str, number: int) -> None:
    assert answers.whole_number(text) == number


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00"])
def test_a_time_always_has_a_zone(text: str) -> None:
    found = answers.moment(text)
    assert found
    assert found.isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.parametrize("text", ["", None, "soon", 7, "2026-13-01T00:00:00Z", []])
def test_what_is_no_time_is_none(text: object) -> None:
    assert answers.moment(text) is None
