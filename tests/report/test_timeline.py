"""The timeline is drawn to scale."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from jenkins_cd.report import timeline
from jenkins_cd.report.timeline import LAYOUTS, THINNEST, VARIANTS, Bar
from tests.report.samples import at, phases, stage

SVG = "{http://www.w3.org/2000/svg}"
BARS = [
    Bar("build", "passed", at(0), 10.0),
    Bar("unit-tests", "failed", at(0), 40.0),
    Bar("package", "passed", at(20), 30.0),
    Bar("upload", "passed", at(50), 50.0),
]


def drawn(bars: list[Bar], variant: str = "") -> ElementTree.Element:
    return ElementTree.fromstring(timeline.draw(bars, variant))  # noqa: S314 - ours


def boxes(bars: list[Bar], variant: str = "") -> list[tuple[float, float, float]]:
    rects = drawn(bars, variant).iter(f"{SVG}rect")
    return [(float(one.attrib["x"]), float(one.attrib["width"]), float(one.attrib["y"])) for one in rects]


def words(bars: list[Bar], variant: str = "") -> list[str]:
    return [one.text or "" for one in drawn(bars, variant).iter(f"{SVG}text")]


@pytest.mark.parametrize("variant", VARIANTS)
def test_places_and_lengths_are_proportional_to_time(variant: str) -> None:
    layout = LAYOUTS["-narrow" if "narrow" in variant else ""]
    scale = (layout.width - layout.left - layout.right) / 100
    for bar, (x, width, _) in zip(BARS, boxes(BARS, variant), strict=True):
        assert x == pytest.approx(layout.left + (bar.started - at(0)).total_seconds() * scale, abs=0.01)
        assert width == pytest.approx(bar.seconds * scale, abs=0.01)


def test_what_ran_at_once_stands_in_lanes_below_one_another() -> None:
    tops = [y for _, _, y in boxes(BARS)]
    assert tops == sorted(set(tops))


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_drawn_outside_of_the_image(variant: str) -> None:
    width, height = (float(drawn(BARS, variant).attrib[name]) for name in ("width", "height"))
    assert all(x >= 0 and x + length <= width + 0.01 and y + 14 <= height for x, length, y in boxes(BARS, variant))


def test_the_axis_has_ticks_at_round_times() -> None:
    assert words(BARS)[:7] == ["0 s", "15 s", "30 s", "45 s", "1 min", "1.25 min", "1.5 min"]


@pytest.mark.parametrize("seconds", [0.0, 0.05, 3, 59, 61, 4000, 100_000, 5_000_000])
def test_the_axis_has_few_ticks_however_long_it_took(seconds: float) -> None:
    for variant in ("", "-narrow"):
        ticks = len(words([Bar("build", "passed", at(0), seconds)], variant)) - 2
        assert 1 <= ticks <= LAYOUTS[variant].ticks + 1


def test_a_failure_is_told_in_words_too() -> None:
    assert "40.0 s, failed" in words(BARS)
    assert "10.0 s" in words(BARS)


def test_a_step_too_short_to_see_is_drawn_all_the_same() -> None:
    assert boxes([*BARS, Bar("policy", "passed", at(99), 0.001)])[-1][1] == THINNEST


def test_skipped_stages_have_no_bar_and_the_earliest_stands_first() -> None:
    steps = [stage("upload", 9, 1), stage("sonar-scan", 0, 0, "skipped"), stage("build", 0, 5)]
    assert [bar.name for bar in timeline.bars(steps)] == ["build", "upload"]


def test_phases_of_a_deployment_have_bars_too() -> None:
    assert [bar.name for bar in timeline.bars(phases())] == ["resolve", "plan", "apply", "verify", "tests"]


def test_hostile_and_long_names_stay_text_and_are_cut() -> None:
    assert "<&\"'>" in words([replace(BARS[0], name="<&\"'>")])
    assert "x" * 19 + "…" in words([replace(BARS[0], name="x" * 300)])


@pytest.mark.parametrize("scheme", timeline.SCHEMES)
def test_words_can_be_read_on_the_page(scheme: str) -> None:
    page = {"": "#ffffff", "-dark": "#15191e"}[scheme]
    colours = timeline.SCHEMES[scheme]
    assert all(contrast(one, page) >= 4.5 for one in (colours.ink, colours.muted))
    assert all(contrast(one, page) >= 2.4 for one in colours.bars.values())


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
