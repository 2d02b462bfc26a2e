"""The resources of an app as a tree for people: the sick first, and what is well folded until it fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jenkins_cd.model import Resource
from jenkins_cd.report.text import cells, fit, one_line, wrapped

ORDER = ("Degraded", "Missing", "Unknown", "Progressing", "Suspended", "Healthy", "")  # the worst first
QUIET = ORDER.index("Healthy")  # from here on there is no trouble
SIGNS: Mapping[str, str] = {
    "Healthy": "✓",
    "Degraded": "✗",
    "Progressing": "…",
    "Missing": "?",
    "Unknown": "?",
    "Suspended": "‖",
}
DEEPEST = 7  # levels; nothing that is real has as many
# How many children that are sick, and that are not, are shown, and whether what is well is shown with its own:
# from generous to scarce, until it fits.
_SIZES = ((8, 4, True), (8, 3, False), (6, 2, False), (4, 2, False), (3, 1, False), (2, 0, False), (1, 0, False))


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A resource, or several that are folded into one line, with what stands below it."""

    resource: Resource
    folded: int = 0  # how many it stands for
    below: tuple[Branch, ...] = ()

    @property
    def rank(self) -> int:
        """Return how bad the worst of it is: an index of ORDER."""
        return min([rank(self.resource), *(one.rank for one in self.below)])

    @property
    def label(self) -> str:
        """Return what it is called."""
        return self.resource.name if self.folded else f"{self.resource.kind}/{self.resource.name}"


def rank(resource: Resource) -> int:
    """Return how bad it is: an index of ORDER."""
    return ORDER.index(resource.health) if resource.health in ORDER else ORDER.index("Unknown")


def worst(resources: Sequence[Resource], most: int) -> tuple[Resource, ...]:
    """Return no more than about `most` of them in their order, the sick before others, with all that they belong to."""
    if len(resources) <= most:
        return tuple(resources)
    by_uid = {one.uid: one for one in resources}
    kept: set[str] = set()
    for one in sorted(resources, key=rank):
        if len(kept) >= most:
            break
        kept |= set(_line_of(one, by_uid))
    return tuple(one for one in resources if one.uid in kept)


def grown(resources: Sequence[Resource], title: str, rows: int, count: Callable[[Branch], int]) -> Branch:
    """Return the tree, folded until `count` of it is no more than `rows`, or as far as it goes.

    Its root is the Application among the resources, else a made up one that is called `title`.
    """
    whole = _whole(resources, title)
    for sick, quiet, opened in _SIZES:
        tree = _folded(whole, sick, quiet, opened=opened or whole.rank >= QUIET)
        if count(tree) <= rows:
            break
    return tree


def leaves(branch: Branch) -> int:
    """Return how many have nothing below them."""
    return sum(map(leaves, branch.below)) or 1


def size(branch: Branch) -> int:
    """Return how many there are in all."""
    return 1 + sum(map(size, branch.below))


def lines(resources: Sequence[Resource], title: str, rows: int, columns: int) -> list[str]:
    """Return the tree as text: no more than `rows` lines, none wider than `columns`."""
    tree = grown(resources, title, rows, lambda branch: len(list(_lines(branch, "", "", columns))))
    found = list(_lines(tree, "", "", columns))
    return found if len(found) <= rows else [*found[: rows - 1], f"and {len(found) - rows + 1} more lines"]


def described(resource: Resource) -> str:
    """Return how it is in words, as `Degraded, OutOfSync`."""
    return ", ".join(part for part in (resource.health, unsynced(resource)) if part)


def unsynced(resource: Resource) -> str:
    """Return in words that it is not as declared, or that nobody knows; empty where it is."""
    return {"": "", "Synced": "", "Unknown": "sync unknown"}.get(resource.sync, resource.sync)


def _lines(branch: Branch, first: str, later: str, columns: int) -> Iterator[str]:
    one = branch.resource
    words = (branch.label,) if branch.folded else (SIGNS.get(one.health, "·"), branch.label, described(one))
    head = first + one_line(" ".join(words))
    said = one_line(one.message)
    if said and cells(head) + 2 + cells(said) <= columns:
        yield f"{head}: {said}"
        said = ""
    else:
        yield fit(head, columns)
    if said:
        margin = f"{later}{'│' if branch.below else ' '}     "
        told = wrapped(said, max(columns - cells(margin), 20))
        yield from (fit(f"{margin}{line}", columns) for line in told[:2])
    for index, child in enumerate(branch.below):
        last = index == len(branch.below) - 1
        yield from _lines(child, f"{later}{'└─ ' if last else '├─ '}", f"{later}{'   ' if last else '│  '}", columns)


def _line_of(one: Resource, by_uid: Mapping[str, Resource]) -> Iterator[str]:
    for _ in range(DEEPEST):
        yield one.uid
        above = by_uid.get(one.parent)
        if above is None:
            return
        one = above


def _whole(resources: Sequence[Resource], title: str) -> Branch:
    root = next((one for one in resources if one.kind == "Application" and one.group == "argoproj.io"), None)
    rest = [one for one in resources if one is not root]
    if root is None or root.parent:
        rest = list(resources)
        health = ORDER[min((rank(one) for one in rest), default=ORDER.index(""))]
        root = Resource(uid="", kind="Application", name=title, health=health)
    known, children = {one.uid for one in rest}, dict[str, list[Resource]]()
    for one in rest:
        children.setdefault(one.parent if one.parent in known else "", []).append(one)
    return Branch(resource=root, below=tuple(_branch(one, children, 1) for one in children.get("", ())))


def _branch(one: Resource, children: Mapping[str, Sequence[Resource]], depth: int) -> Branch:
    below = children.get(one.uid, ()) if one.uid and depth < DEEPEST else ()
    return Branch(resource=one, below=tuple(_branch(each, children, depth + 1) for each in below))


def _folded(branch: Branch, sick: int, quiet: int, *, opened: bool) -> Branch:
    if branch.rank >= QUIET and not opened:
        return replace(branch, below=())
    every = sorted(branch.below, key=lambda one: (one.rank, not one.below, one.resource.kind, one.resource.name))
    bad, good = [one for one in every if one.rank < QUIET], [one for one in every if one.rank >= QUIET]
    kept = [*_some(bad, sick), *_some(good, quiet)]
    return replace(branch, below=tuple(_folded(one, sick, quiet, opened=opened) for one in kept))


def _some(branches: Sequence[Branch], most: int) -> list[Branch]:
    """Return the first of them, and the rest as one; that would take no less room than a single one."""
    if len(branches) <= most + (most > 0):
        return list(branches)
    return [*branches[:most], _fold(branches[most:])]


def _fold(branches: Sequence[Branch]) -> Branch:
    healths = {one.resource.health for one in branches}
    if len(healths) == 1 and healths != {""}:
        word = healths.pop()
        word = "healthy" if word == "Healthy" else word
    else:
        word = "in order" if all(one.rank >= QUIET for one in branches) else "not well"
    health = ORDER[min(one.rank for one in branches)]
    resource = Resource(
        uid="",
        kind="",
        name=f"+{len(branches)} {word}",
        health=health,
        message=_kinds(one.resource for one in branches),
    )
    return Branch(resource=resource, folded=len(branches))


def _kinds(resources: Iterable[Resource]) -> str:
    """Return what kinds there are, as `ConfigMap x3, Service`."""
    counted = Counter(one.kind for one in resources).most_common()
    return ", ".join(f"{kind} x{number}" if number > 1 else kind for kind, number in counted)
