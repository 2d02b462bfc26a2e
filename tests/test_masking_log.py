"""What a program writes to its log, whatever pieces it comes in."""

from __future__ import annotations

import base64

import pytest

from jenkins_cd import masking
from jenkins_cd.masking_log import HELD, MaskedLog

SECRET = "a-s3cret/of the log that is long enough for two lines of base64, if not for three"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    monkeypatch.setattr(masking, "_pattern", None)
    masking.register(SECRET)


def written(pieces: list[str]) -> str:
    shown: list[str] = []
    log = MaskedLog(shown.append)
    for piece in pieces:
        log.write(piece)
    log.flush()
    return "".join(shown)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 50, 79])
def test_a_secret_over_two_pieces_is_masked(size: int) -> None:
    text = f"login with {SECRET}\nand once more {SECRET}"
    assert written([text[at : at + size] for at in range(0, len(text), size)]) == "login with ****\nand once more ****"


@pytest.mark.parametrize("columns", [20, 64, 76])
@pytest.mark.parametrize("user", ["", "a:", "robot:"])
def test_base64_over_several_lines_is_masked(columns: int, user: str) -> None:
    encoded = base64.b64encode(f"{user}{SECRET}".encode()).decode()
    lines = [f"{encoded[at : at + columns]}\n" for at in range(0, len(encoded), columns)]
    shown = written(["before\n", *lines, "after\n"])
    assert shown.startswith("before\n")
    assert shown.endswith("after\n")
    assert not any(line.strip()[4:16] in shown for line in lines[:-1])


def test_a_line_is_there_at_once_where_it_can_be_no_base64() -> None:
    shown: list[str] = []
    MaskedLog(shown.append).write(f"the password is {SECRET}.\nand")
    assert shown == ["the password is ****.\n"]


def test_no_more_than_a_bounded_part_is_kept_back() -> None:
    shown: list[str] = []
    log = MaskedLog(shown.append)
    for _ in range(HELD // 64 + 2):
        log.write("x" * 63 + "\n")
    assert shown


def test_nothing_is_kept_back_where_there_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    monkeypatch.setattr(masking, "_pattern", None)
    shown: list[str] = []
    MaskedLog(shown.append).write("x" * 63)
    assert shown == ["x" * 63]


def test_nothing_is_lost_and_nothing_shown_twice() -> None:
    lines = [f"{number} {'x' * (number % 40)}{'' if number % 3 else chr(10)}" for number in range(500)]
    assert written(lines) == "".join(lines)
