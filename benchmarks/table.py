"""The results as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.measure import Benchmark, Figure, Machine


def machine(value: Machine) -> str:
    """Return the line that says where it was measured."""
    return f"{value.cores} cores, {value.system}, Python {value.python}, helm {value.helm}, git {value.git}"


def table(value: Benchmark) -> str:
    """Return the table of a benchmark, with a column for each thing that it is compared with."""
    load = " to ".join(f"{load:.1f}" for load in value.load)
    compared = {name for figure in value.figures for name in figure.ratios}
    against = [figure.name for figure in value.figures if figure.name in compared]
    headers = ("", "median", "min-max", *(f"x {name}" for name in against), "aim")
    rows = [headers, *(tuple(_cells(figure, against)) for figure in value.figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"{value.title} ({value.runs} runs after {value.warm_up} to warm up, load {load})",
        *("  " + _line(row, widths) for row in rows),
        f"  {value.note}",
    ]
    return "\n".join(lines)


def _cells(figure: Figure, against: Sequence[str]) -> Iterator[str]:
    yield figure.name
    yield f"{figure.median * 1000:.0f} ms"
    yield f"{figure.lowest * 1000:.0f}-{figure.highest * 1000:.0f}"
    yield from (f"{figure.ratios[name]:.2f}" if name in figure.ratios else "1" for name in against)
    yield _aim(figure)


def _aim(figure: Figure) -> str:
    if not figure.aim:
        return ""
    limit = (
        f"{figure.aim.limit:g} x {figure.aim.against}" if figure.aim.against else f"{figure.aim.limit * 1000:.0f} ms"
    )
    return f"≤ {limit}: {'met' if figure.met else 'not met'}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers, aim = cells
    middle = (cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
    return "  ".join((name.ljust(widths[0]), *middle, aim)).rstrip()
