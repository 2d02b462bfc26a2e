"""Take turns on the clock, and say what the times have in common.

A benchmark is a function that does one round: everything that is compared, once, one after the other. Rounds are
repeated (A B A B), so what the rest of the machine does in the meantime falls on all of them alike.
"""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Round = Mapping[str, float]  # seconds by name


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a figure should stay under: seconds, or times the figure `against`. Nothing fails where it does not."""

    limit: float
    against: str = ""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table. A ratio is the median of the ratios of each round."""

    name: str
    median: float
    lowest: float
    highest: float
    ratios: Mapping[str, float]  # by the name of what it is compared with
    aim: Aim | None = None
    met: bool | None = None  # None: there is no aim
    unit: str = "ms"  # what it is shown in; the figures themselves are seconds then, else of that unit


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What was compared, how often, and what came out."""

    name: str
    title: str
    note: str
    runs: int
    warm_up: int
    figures: tuple[Figure, ...]
    load: tuple[float, float]  # the machine's load average over a minute, before and after


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where it was measured."""

    cores: int
    system: str
    python: str
    helm: str
    git: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """What `--json` prints."""

    machine: Machine
    benchmarks: tuple[Benchmark, ...] = field(default=())
    schema: str = "jenkins_cd/benchmarks/v1"


def timed(argv: Sequence[str | Path], folder: Path) -> float:
    """Run a program that must succeed, and return the seconds until it ended. Its output is read, not shown."""
    start = time.perf_counter()
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"benchmarks: {' '.join(map(str, argv))} failed:\n{done.stderr or done.stdout}")
    return seconds


def repeat(once: Callable[[], Round], runs: int, warm_up: int) -> list[Round]:
    """Return the rounds after the first `warm_up`, which fill the caches of the disk and of Python."""
    return [once() for _ in range(warm_up + runs)][warm_up:]


def figures(
    rounds: Sequence[Round], against: Iterable[str], aims: Mapping[str, Aim], units: Mapping[str, str]
) -> tuple[Figure, ...]:
    """Return the figure of each name in the rounds, compared with those in `against` that are of its kind.

    Of a kind are names with the same words after a colon (`helm: memory`), or with none.
    """
    return tuple(_figure(name, rounds, tuple(against), aims.get(name), units.get(name, "ms")) for name in rounds[0])


def _figure(name: str, rounds: Sequence[Round], against: tuple[str, ...], aim: Aim | None, unit: str) -> Figure:
    seconds = [one[name] for one in rounds]
    alike = [other for other in against if other != name and _kind(other) == _kind(name)]
    ratios = {other: statistics.median(_ratio(one[name], one[other]) for one in rounds) for other in alike}
    median = statistics.median(seconds)
    value = ratios[aim.against] if aim and aim.against else median
    met = value <= aim.limit if aim else None
    lowest, highest = min(seconds), max(seconds)
    return Figure(name=name, median=median, lowest=lowest, highest=highest, ratios=ratios, aim=aim, met=met, unit=unit)


def _kind(name: str) -> str:
    return name.partition(": ")[2]


def _ratio(one: float, other: float) -> float:
    return one / other if other else float("inf")
