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


@pytest.mark.parametrize("total", [HELD - 5, HELD, HELD + 4, HELD + 5_000, 2 * HELD, 3 * HELD])
@pytest.mark.parametrize("cut", [1, 9, len(SECRET) - 1])
def test_a_line_without_end_is_not_cut_within_a_secret(total: int, cut: int) -> None:
    text = f"{'-' * (total - cut)}{SECRET} and on {'-' * HELD}{SECRET}"
    pieces = [text[:total], *(text[at : at + 999] for at in range(total, len(text), 999))]
    assert written(pieces) == text.replace(SECRET, "****")


def test_a_line_without_end_is_shown_before_its_end() -> None:
    shown: list[str] = []
    log = MaskedLog(shown.append)
    for _ in range(20):
        log.write("-" * 30_000)
    assert sum(map(len, shown)) > 20 * 30_000 - 2 * HELD


def test_nothing_is_kept_back_where_there_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    shown: list[str] = []
    MaskedLog(shown.append).write("x" * 63)
    assert shown == ["x" * 63]


def test_nothing_is_lost_and_nothing_shown_twice() -> None:
    lines = [f"{number} {'x' * (number % 40)}{'' if number % 3 else chr(10)}" for number in range(500)]
    assert written(lines) == "".join(lines)
