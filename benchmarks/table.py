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
    against = [figure.name for figure in value.figures if figure.name in compared and ": " not in figure.name]
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
    factor = 1000 if figure.unit == "ms" else 1
    yield f"{figure.median * factor:.0f} {figure.unit}"
    yield f"{figure.lowest * factor:.0f}-{figure.highest * factor:.0f}"
    yield from (_ratio(figure, name) for name in against)
    yield _aim(figure)


def _ratio(figure: Figure, name: str) -> str:
    """Return how many times `name` a figure is; one of another kind is compared with its own."""
    if figure.name == name:
        return "1"
    if name in figure.ratios:
        return f"{figure.ratios[name]:.2f}"
    return next((f"{value:.2f}" for value in figure.ratios.values()), "")


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
