"""What a program writes to its log, whatever pieces it comes in."""

from __future__ import annotations

import base64
import io

import pytest

from jenkins_cd import masking
from jenkins_cd.masking_log import HELD, MaskedLog

SECRET = "a-s3cret/of the log that is long enough for two lines of base64, if not for three"


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    monkeypatch.setattr(masking, "_pattern", None)
    masking.register(SECRET)


def written(lines: list[str]) -> str:
    sink = io.BytesIO()
    log = MaskedLog(sink)
    for line in lines:
        log.write(line.encode())
    log.flush()
    return sink.getvalue().decode()


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
    sink = io.BytesIO()
    log = MaskedLog(sink)
    log.write(f"the password is {SECRET}.\n".encode())
    assert sink.getvalue() == b"the password is ****.\n"


def test_no_more_than_a_bounded_part_is_kept_back() -> None:
    sink = io.BytesIO()
    log = MaskedLog(sink)
    for _ in range(HELD // 64 + 2):
        log.write(b"x" * 63 + b"\n")
    assert sink.getvalue()


def test_nothing_is_kept_back_where_there_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    sink = io.BytesIO()
    MaskedLog(sink).write(b"x" * 63 + b"\n")
    assert len(sink.getvalue()) == 64


def test_what_is_no_utf_8_is_written_all_the_same() -> None:
    assert written(["\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + "\n"]).strip()
