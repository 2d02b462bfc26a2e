"""What is not as declared, for people: an object a line, and its fields below it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jenkins_cd.argocd.managed import Managed
from jenkins_cd.drift import compare, values
from jenkins_cd.drift.compare import Difference, Object
from jenkins_cd.drift.paths import show
from jenkins_cd.report.text import clean, fit, one_line

WIDEST = 60  # columns of a value
EACH = 8  # fields of one object


def lines(items: Iterable[Managed]) -> list[str]:
    """Return a line for each object that is not as declared, and one for each of its fields. Secrets are not shown."""
    return [line for item in items if not item.hook for line in _of(item)]


def _of(item: Managed) -> Iterator[str]:
    if item.compared is None:
        yield f"{item.title} is declared and is not there"
    elif item.predicted is None:
        yield f"{item.title} is there and is not declared"
    elif item.compared != item.predicted:
        yield f"{item.title} is not as declared:"
        yield from _fields(item.predicted, item.compared, item.kind)


def _fields(wanted: Object, live: Object, kind: str) -> Iterator[str]:
    """Yield `path: live → wanted` for each field that differs."""
    if kind == "Secret":
        yield "  a Secret: what differs is not shown"
        return
    found = sorted(compare.both_ways(wanted, live), key=lambda difference: show(difference.path))
    yield from (_line(difference, kind) for difference in found[:EACH])
    if len(found) > EACH:
        yield f"  and {len(found) - EACH} more"


def _line(found: Difference, kind: str) -> str:
    sides = [
        fit(one_line(clean(values.shown(value, found.path, kind))), WIDEST) if value is not None else "nothing"
        for value in (found.live, found.wanted)
    ]
    return f"  {clean(show(found.path))}: {' → '.join(sides)}"
