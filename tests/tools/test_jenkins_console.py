from __future__ import annotations

import pytest

from jenkins_cd.tools import jenkins_console
from jenkins_cd.tools.jenkins_console import Console, clean
from tests.jenkins.controller.builds import NOTE

LOG = b"Started by user \x1b[8mha:////4abc+/=\x1b[0mjane\r\n" + NOTE + "[Pipeline] echo\r\ngrüße → 1.0.0\r\n".encode()
TEXT = "Started by user jane\n[Pipeline] echo\ngrüße → 1.0.0\n"


@pytest.mark.parametrize("size", range(1, 40))
def test_a_log_is_the_same_however_it_is_cut(size: int) -> None:
    console = Console()
    pieces = [console.feed(LOG[at : at + size]) for at in range(0, len(LOG), size)]
    assert "".join(pieces) + console.end() == TEXT
    assert all(piece.endswith("\n") for piece in pieces if piece)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"no end", "no end"),
        (b"10%\r20%\r100%\r\n", "10%\r20%\r100%\n"),
        (b"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"),
        (b"\x1b[8mha:AAAA\x1b[0m\x1b[8mha:BBBB\x1b[0mtwo notes\n", "two notes\n"),
        (b"\x1b[8mha:\x1b[0mempty\n", "empty\n"),
        (b"\x1b[8mhidden\x1b[0m\n", "\x1b[8mhidden\x1b[0m\n"),
        (b"ha:AAAA is no note\n", "ha:AAAA is no note\n"),
        (b"\xff\n", "�\n"),
    ],
)
def test_only_whole_notes_and_line_ends_are_changed(data: bytes, text: str) -> None:
    assert clean(data) == text
    console = Console()
    assert console.feed(data) + console.end() == text


def test_a_secret_that_is_cut_comes_in_one_piece() -> None:
    console = Console()
    assert console.feed(b"curl -u robot:correct-") == ""
    assert console.feed(b"horse\r\nnext") == "curl -u robot:correct-horse\n"


def test_a_line_that_never_ends_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jenkins_console, "LONGEST", 10)
    console = Console()
    assert console.feed("äöüäöü".encode() + b"\xc3") == "äöüäöü"
    assert console.feed(b"\xa4 and on\x1b[8m") == "ä and on"
    assert console.feed(b"ha:AA\x1b[0m, at last\n") == ", at last\n"
