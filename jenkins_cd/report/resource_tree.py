"""The resources of an app, drawn: a column a level from the Application to its pods, the sick first.

An SVG file (https://www.w3.org/TR/SVG2/) that a page shows as an image, made as the timeline is: presentation
attributes only, one drawing a colour scheme and page width. Health is told by sign and word; colour only stresses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from jenkins_cd.model import Resource
from jenkins_cd.report import outline
from jenkins_cd.report.outline import Branch
from jenkins_cd.report.text import cells, clean, fit, one_line, wrapped

ROWS = 14  # boxes one below the other on a wide page
BOXES = 22  # on a narrow one
GAP = 10  # pixels between two rows
BOX = 47  # the height of a box without a message
LINE = 16  # the height of a line of a message
EDGE = 10  # between a box and what is in it
SMALL = 11.5  # the size of letters but for names
ADVANCE = 0.58  # the width of a letter, of its height; fonts differ, and the widest must fit
MESSAGE = 4  # lines of one


@dataclass(frozen=True)
class Colours:
    """The colours of one scheme: text has a contrast of 4.5 and more to its box, lines 3 and more to the page."""

    ink: str
    muted: str
    line: str
    box: str
    good: str
    bad: str
    bad_box: str
    warn: str
    warn_box: str


@dataclass
class Placed:
    """A branch and where its box stands, in pixels."""

    branch: Branch
    x: float
    y: float
    width: float
    said: Sequence[str]  # the lines of its message
    below: list[Placed] = field(default_factory=list)

    @property
    def height(self) -> float:
        """Return the height of its box."""
        return BOX + LINE * len(self.said)


SCHEMES: Mapping[str, Colours] = {
    "": Colours(
        ink="#1c2127", muted="#59626c", line="#8a949e", box="#f5f7f8", good="#176338",
        bad="#a1221a", bad_box="#fceae8", warn="#764a00", warn_box="#fdf1d8",
    ),
    "-dark": Colours(
        ink="#e3e7eb", muted="#a4adb6", line="#6b7681", box="#1d2228", good="#86d9a8",
        bad="#ff9f97", bad_box="#3b1d1b", warn="#f0c674", warn_box="#352a12",
    ),
}  # fmt: skip
WIDTHS: Mapping[str, int] = {"": 920, "-narrow": 344}
VARIANTS = tuple(width + scheme for width in WIDTHS for scheme in SCHEMES)  # what follows a file's name


def svg(resources: Sequence[Resource], title: str, variant: str = "") -> str:
    """Return the drawing, one of VARIANTS, as the text of an SVG file.

    `title` names the Application where it is not among the resources.
    """
    colours = SCHEMES["-dark" if variant.endswith("-dark") else ""]
    narrow = variant.startswith("-narrow")
    width = WIDTHS["-narrow" if narrow else ""]
    root = _indented(resources, title, width) if narrow else _in_columns(resources, title, width)
    boxes = list(_every(root))
    height = max(one.y + one.height for one in boxes) + 1
    lines = [part for one in boxes for part in _connections(one, colours, narrow)]
    lines += [part for one in boxes for part in _box(one, colours)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:g}" viewBox="0 0 {width} {height:g}"'
        f' font-family="system-ui, -apple-system, \'Segoe UI\', sans-serif" font-size="13">\n'
        f"<title>{escape(clean(title))}</title>\n" + "\n".join(lines) + "\n</svg>\n"
    )


def described(resources: Sequence[Resource], title: str) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    return clean("Resources:\n" + "\n".join(outline.lines(resources, title, 30, 200)))


def shortened(text: str, columns: int) -> str:
    """Return `text`, cut in its middle where it takes more than `columns`: names differ at both ends."""
    if cells(text) <= columns:
        return text
    if not text.isascii():
        return fit(text, columns)
    head = columns // 2
    return f"{text[:head]}…{text[len(text) - (columns - head - 1) :]}"


def _in_columns(resources: Sequence[Resource], title: str, width: int) -> Placed:
    tree = outline.grown(resources, title, ROWS, outline.leaves)
    columns = list(_columns(_depth(tree), width))
    return _placed(tree, columns, 0, 0.5)


def _columns(levels: int, width: int) -> Iterator[tuple[float, float]]:
    """Yield where each level begins and how wide it is: the last, where the messages are, is the widest."""
    gap = 30 if levels < 6 else 20
    room = width - 1 - gap * (levels - 1)
    each = room if levels == 1 else min(196.0, room * 0.93 / levels)
    x = 0.5
    for level in range(levels):
        last = level == levels - 1
        yield x, width - 0.5 - x if last else each
        x += each + gap


def _placed(branch: Branch, columns: Sequence[tuple[float, float]], level: int, top: float) -> Placed:
    """Return a branch with all below it; it stands beside the first of those."""
    x, width = columns[level]
    said = _said(branch, width)
    if not branch.below and len(said) > 2:
        width = columns[-1][0] + columns[-1][1] - x  # nothing stands to its right
        said = _said(branch, width)
    one = Placed(branch, x, top, width, said)
    for child in branch.below:
        below = _placed(child, columns, level + 1, top)
        one.below.append(below)
        top = _bottom(below) + GAP
    return one


def _indented(resources: Sequence[Resource], title: str, width: int) -> Placed:
    tree = outline.grown(resources, title, BOXES, outline.size)
    return _stacked(tree, width, 0, 0.5)


def _stacked(branch: Branch, width: int, level: int, top: float) -> Placed:
    """Return a branch with all below it, each a row, further right the deeper it is."""
    x = 0.5 + 18 * level
    one = Placed(branch, x, top, width - 0.5 - x, _said(branch, width - 0.5 - x))
    top += one.height + GAP
    for child in branch.below:
        below = _stacked(child, width, level + 1, top)
        one.below.append(below)
        top = _bottom(below) + GAP
    return one


def _depth(branch: Branch) -> int:
    return 1 + max(map(_depth, branch.below), default=0)


def _bottom(one: Placed) -> float:
    return max([one.y + one.height, *map(_bottom, one.below)])


def _every(one: Placed) -> Iterator[Placed]:
    yield one
    for below in one.below:
        yield from _every(below)


def _letters(width: float, size: float) -> int:
    return int((width - 2 * EDGE) / (size * ADVANCE))


def _said(branch: Branch, width: float) -> list[str]:
    """Return the lines of what is said of a resource; of folded ones it stands where others have their name."""
    resource, columns = branch.resource, _letters(width, SMALL)
    message = clean(one_line(resource.message))
    if branch.folded:
        return []
    sync = clean(outline.unsynced(resource))
    found = ([sync] if sync else []) + (_broken(message, columns) if message else [])
    return found if len(found) <= MESSAGE else [*found[: MESSAGE - 1], fit(f"{found[MESSAGE - 1]}…", columns)]


def _broken(text: str, columns: int) -> list[str]:
    """Return the lines of a text; where a word is too long it is broken behind a slash or colon, if there is one."""
    lines = [""]
    for piece in re.findall(r"\s*[^\s/:@]*[/:@]*", text):
        if lines[-1] and cells(lines[-1] + piece) > columns:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [part for line in lines for part in wrapped(line, columns)]


def _connections(one: Placed, colours: Colours, narrow: bool) -> Iterator[str]:
    """Yield the lines to what stands below it; those to the sick last, so that they are on top."""
    for below in sorted(one.below, key=lambda each: -each.branch.rank):
        colour, wide = (colours.bad, 1.5) if below.branch.rank < 2 else (colours.line, 1)
        y = below.y + BOX / 2
        if narrow:
            path = f"M{one.x + 8:g} {one.y + one.height:g}V{y - 5:g}q0 5 5 5H{below.x:g}"
        elif (start := one.y + BOX / 2) == y:
            path = f"M{one.x + one.width:g} {y:g}H{below.x:g}"
        else:
            middle = below.x - 14
            path = f"M{one.x + one.width:g} {start:g}H{middle - 5:g}q5 0 5 5V{y - 5:g}q0 5 5 5H{below.x:g}"
        yield f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{wide:g}"/>'


def _box(one: Placed, colours: Colours) -> Iterator[str]:
    resource, folded = one.branch.resource, one.branch.folded
    tone, fill = _tone(resource, colours)
    edge = tone if outline.rank(resource) < outline.QUIET else colours.line
    dashes = ' stroke-dasharray="4 3"' if folded else ""
    yield (
        f'<rect x="{one.x:g}" y="{one.y:g}" width="{one.width:g}" height="{one.height:g}" rx="6" fill="{fill}"'
        f' stroke="{edge}"{dashes}/>'
    )
    left, right, name = one.x + EDGE, one.x + one.width - EDGE, clean(one_line(resource.name))
    if folded:
        yield _text(left, one.y + 19, name, colours.ink, bold=True)
        yield _text(left, one.y + 36, fit(clean(resource.message), _letters(one.width, SMALL)), colours.muted, SMALL)
        return
    health = f"{outline.SIGNS.get(resource.health, '')} {resource.health}".strip()
    free = _letters(one.width, SMALL) - cells(health) - 1
    yield _text(left, one.y + 17, fit(clean(resource.kind), max(free, 4)), colours.muted, SMALL)
    if health:
        yield _text(right, one.y + 17, fit(clean(health), 20), tone, SMALL, anchor="end", bold=True)
    yield _text(left, one.y + 36, shortened(name, _letters(one.width, 13)), colours.ink, bold=True)
    for index, line in enumerate(one.said, 1):
        yield _text(left, one.y + 37 + LINE * index, line, colours.ink, SMALL)


def _tone(resource: Resource, colours: Colours) -> tuple[str, str]:
    """Return the colour of a resource's health, and of its box."""
    if resource.health in ("Degraded", "Missing"):
        return colours.bad, colours.bad_box
    if outline.rank(resource) < outline.QUIET or outline.unsynced(resource):
        return colours.warn, colours.warn_box
    return (colours.good if resource.health else colours.muted), colours.box


def _text(
    x: float, y: float, text: str, colour: str, size: float = 13, anchor: str = "start", *, bold: bool = False
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"{weight}>'
        f"{escape(text)}</text>"
    )
