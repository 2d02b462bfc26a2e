"""What ran when, drawn to scale: one lane a step, so that what ran at once stands below one another.

An SVG file (https://www.w3.org/TR/SVG2/) that a page shows as an image. Styles are presentation attributes only, for a
content security policy that forbids style sheets inside it; hence one drawing a colour scheme and page width.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from jenkins_cd.model import Phase, StageResult, Status
from jenkins_cd.report.text import clean, duration, fit

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)  # seconds
THINNEST = 2.0  # pixels: what took no time is still seen


@dataclass(frozen=True)
class Bar:
    """One step: when it began, how long it took, how it ended."""

    name: str
    status: Status
    started: datetime
    seconds: float


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme: text and lines have a contrast of 4.5 and more to the page."""

    ink: str
    muted: str
    grid: str
    bars: Mapping[Status, str]


@dataclass(frozen=True)
class Layout:
    """Where things stand, in pixels. With `left` 0 the names stand above their bars."""

    width: int
    left: int
    right: int
    lane: int
    ticks: int  # at most


SCHEMES: Mapping[str, Colours] = {
    "": Colours(
        ink="#1c2127",
        muted="#59626c",
        grid="#dfe3e7",
        bars={"passed": "#2f8a5b", "failed": "#c4352b", "stopped": "#b0731a", "skipped": "#98a1aa"},
    ),
    "-dark": Colours(
        ink="#e3e7eb",
        muted="#a4adb6",
        grid="#323a43",
        bars={"passed": "#4fae7c", "failed": "#e8665c", "stopped": "#d9a047", "skipped": "#77818b"},
    ),
}
LAYOUTS: Mapping[str, Layout] = {
    "": Layout(width=920, left=150, right=112, lane=28, ticks=8),
    "-narrow": Layout(width=344, left=0, right=0, lane=42, ticks=4),
}
VARIANTS = tuple(width + scheme for width in LAYOUTS for scheme in SCHEMES)  # what follows a file's name


def bars(steps: Iterable[StageResult | Phase]) -> list[Bar]:
    """Return the steps that took time, the earliest first."""
    ran = [step for step in steps if step.status != "skipped" and (step.seconds > 0 or step.status == "failed")]
    return sorted(
        (Bar(_name(step), step.status, step.started, max(step.seconds, 0.0)) for step in ran),
        key=lambda bar: bar.started,
    )


def draw(steps: Sequence[Bar], variant: str = "") -> str:
    """Return the drawing, one of VARIANTS, as the text of an SVG file. There must be at least one step."""
    colours = SCHEMES["-dark" if variant.endswith("-dark") else ""]
    layout = LAYOUTS["-narrow" if variant.startswith("-narrow") else ""]
    begin = min(bar.started for bar in steps)
    span = max(max((bar.started - begin).total_seconds() + bar.seconds for bar in steps), 0.1)
    scale = (layout.width - layout.left - layout.right) / span
    bottom = layout.lane * len(steps) + 6
    lines = _axis(layout, colours, span, scale, bottom)
    for lane, bar in enumerate(steps):
        x = layout.left + (bar.started - begin).total_seconds() * scale
        lines += _lane(layout, colours, bar, x, max(bar.seconds * scale, THINNEST), lane * layout.lane)
    height = bottom + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{layout.width}" height="{height}"'
        f' viewBox="0 0 {layout.width} {height}" font-family="system-ui, -apple-system, \'Segoe UI\', sans-serif"'
        f' font-size="13">\n' + "\n".join(lines) + "\n</svg>\n"
    )


def described(steps: Sequence[Bar]) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    begin = min(bar.started for bar in steps)
    parts = (
        f"{bar.name} from {duration((bar.started - begin).total_seconds())} for {duration(bar.seconds)}"
        for bar in steps
    )
    return "Timeline: " + "; ".join(parts)


def icon(status: str) -> str:
    """Return the text of an SVG file for the tab of a browser: a dot in the colour of a status."""
    colours = SCHEMES[""].bars
    known: dict[str, str] = {"verified": colours["passed"], **{name: colours[name] for name in colours}}
    dot = f'<circle cx="8" cy="8" r="7" fill="{known.get(status, colours["stopped"])}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{dot}</svg>\n'


def _name(step: StageResult | Phase) -> str:
    return step.stage if isinstance(step, StageResult) else step.name


def _axis(layout: Layout, colours: Colours, span: float, scale: float, bottom: int) -> list[str]:
    step = next((step for step in STEPS if span / step <= layout.ticks), span / layout.ticks)
    lines = []
    for index in range(int(span / step + 1e-9) + 1):
        x = layout.left + index * step * scale
        lines.append(f'<path d="M{x:.2f} 0V{bottom}" stroke="{colours.grid}" shape-rendering="crispEdges"/>')
        anchor = "start" if x < 12 else "end" if x > layout.width - 24 else "middle"
        lines.append(_text(x, bottom + 17, _tick(index * step), colours.muted, anchor, 12))
    return lines


def _lane(layout: Layout, colours: Colours, bar: Bar, x: float, width: float, top: int) -> list[str]:
    """Return a step's bar with its name and time; a status other than passed stands there as a word."""
    took = duration(bar.seconds) + ("" if bar.status == "passed" else f", {bar.status}")
    name = fit(clean(bar.name), 20)
    if layout.left:
        height, y = layout.lane - 10, top + 6
        words = [
            _text(layout.left - 10, top + 20, name, colours.ink, "end"),
            _text(x + width + 7, top + 20, took, colours.muted),
        ]
    else:
        height, y = 14, top + 24
        words = [_text(0, top + 18, name, colours.ink), _text(layout.width, top + 18, took, colours.muted, "end")]
    title = escape(f"{name}: {took}")
    rect = (
        f'<rect x="{x:.2f}" y="{y}" width="{width:.2f}" height="{height}" rx="2" fill="{colours.bars[bar.status]}"'
        f' aria-label="{title}"/>'
    )
    return [rect, *words]


def _text(x: float, y: float, text: str, colour: str, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.2f}" y="{y}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _tick(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:g} s"
    if seconds < 3600:
        return f"{seconds / 60:g} min"
    return f"{seconds / 3600:g} h"
