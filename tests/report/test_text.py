"""Text that is safe to show, and figures as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from jenkins_cd import masking
from jenkins_cd.report import text
from tests.report import samples


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("two\r\nlines\tand a tab", "two\nlines\tand a tab"),
        ("over\rwritten", "over<U+000D>written"),
        ("nul\x00", "nul<U+0000>"),
        ("ab\u202eba", "ab<U+202E>ba"),
        ("half \ud800", "half <U+D800>"),
        ("Grüße, 你好, 🚀", "Grüße, 你好, 🚀"),
    ],
)
def test_what_steers_a_terminal_or_breaks_xml_is_dropped_or_spelt_out(given: str, shown: str) -> None:
    assert text.clean(given) == shown


def test_a_model_is_cleaned_however_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    masking.register("price_test.go:31")
    cleaned = text.cleaned(samples.failed())
    tests = cleaned.stages[1].tests
    assert tests is not None
    assert tests.failed[0].message == "****: got 90, want 85"
    assert cleaned.started == samples.BEGIN


def test_a_clean_model_stays_as_it_is() -> None:
    assert text.cleaned(samples.passed()) == samples.passed()


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0 ms"), (0, "0 ms"), (0.0204, "20 ms"), (0.1, "0.1 s"), (3.24, "3.2 s"), (59.94, "59.9 s"),
        (59.96, "1 min 00 s"), (125, "2 min 05 s"), (3599.4, "59 min 59 s"), (3599.6, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)  # fmt: skip
def test_a_duration_reads_well_at_every_size(seconds: float, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_a_moment_is_told_in_utc_whatever_its_zone() -> None:
    east = timezone(timedelta(hours=2))
    assert text.instant(datetime(2026, 1, 2, 5, 4, 5, tzinfo=east)) == "2026-01-02T03:04:05Z"
    assert text.instant(datetime(2026, 1, 2, 3, 4, 5)) == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize(("value", "shown"), [(80.0, "80"), (87.54, "87.5"), (0.0, "0")])
def test_a_figure_has_no_needless_decimals(value: float, shown: str) -> None:
    assert text.number(value) == shown


def test_wide_and_combining_characters_take_their_columns() -> None:
    assert text.cells("你好") == 4
    assert text.cells("e\u0301") == 1
    assert text.fit("你好世界", 5) == "你好…"
    assert text.pad("你", 4) == "你  "


def test_no_wrapped_line_is_wider_than_asked() -> None:
    for given in ("word " * 30, "x" * 200, "你好" * 50, "a\n\nb", ""):
        lines = text.wrapped(given, 20)
        assert lines
        assert all(text.cells(line) <= 20 for line in lines)


def test_what_is_cut_is_counted() -> None:
    assert text.shown("x" * 10, 10) == "x" * 10
    assert text.shown("x" * 2010, 10) == "x" * 10 + "… (2,000 more characters)"
