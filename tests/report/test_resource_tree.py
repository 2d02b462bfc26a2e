"""The resources of an app as a tree: what is shown, what is folded, and that the drawing is well made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from jenkins_cd.model import Resource
from jenkins_cd.report import outline, resource_tree
from tests.report.resources import PULL, broken, many, resource

SVG = "{http://www.w3.org/2000/svg}"
SETS: dict[str, Sequence[Resource]] = {
    "one": broken()[1:2],
    "broken": broken(),
    "60": many(4, 13),
    "300": many(30, 8),
    "none": (),
    "odd": (
        resource("a", "X" * 90, "b", "Weird", "<&>" * 200), resource("b", "B", "a"), resource("", "C"),
        resource("d", "漢" * 40),
    ),
}  # fmt: skip


def drawn(resources: Sequence[Resource], variant: str = "") -> Element:
    return ElementTree.fromstring(resource_tree.svg(resources, "storefront", variant))  # noqa: S314 - ours


def words(drawing: Element) -> list[str]:
    return [one.text or "" for one in drawing.iter(f"{SVG}text")]


@pytest.mark.parametrize("variant", resource_tree.VARIANTS)
@pytest.mark.parametrize("name", SETS)
def test_boxes_stand_within_the_drawing_and_do_not_overlap(name: str, variant: str) -> None:
    drawing = drawn(SETS[name], variant)
    width, height = float(drawing.attrib["width"]), float(drawing.attrib["height"])
    boxes = [[float(one.attrib[key]) for key in ("x", "y", "width", "height")] for one in drawing.iter(f"{SVG}rect")]
    assert boxes
    for index, (x, y, wide, high) in enumerate(boxes):
        assert 0 <= x < x + wide <= width
        assert 0 <= y < y + high <= height
        for left, top, other_wide, other_high in boxes[:index]:
            apart = x >= left + other_wide or left >= x + wide or y >= top + other_high or top >= y + high
            assert apart


@pytest.mark.parametrize("name", SETS)
def test_there_is_nothing_that_a_policy_forbids(name: str) -> None:
    for one in drawn(SETS[name]).iter():
        assert one.tag in {f"{SVG}{tag}" for tag in ("svg", "title", "path", "rect", "text")}
        assert not {"style", "class", "href"} & set(one.attrib)


def test_health_is_told_by_sign_and_word() -> None:
    said = words(drawn(broken()))
    assert {"✗ Degraded", "… Progressing", "? Missing", "✓ Healthy"} <= set(said)
    assert "OutOfSync" in said
    assert "+9 in order" in said
    assert "ConfigMap x9" in said


def test_levels_are_aligned_and_the_sick_come_first() -> None:
    drawing = drawn(broken())
    xs = sorted({one.attrib["x"] for one in drawing.iter(f"{SVG}rect")}, key=float)
    assert len(xs) == 4
    said = words(drawing)
    assert said.index("web-7d5f8b9c4-2") < said.index("migrate") < said.index("settings-0")


def test_a_long_name_is_cut_in_its_middle() -> None:
    cut = [one for one in words(drawn(broken())) if "…" in one and one.startswith("storefront-")]
    assert len(cut) == 2
    assert all(re.fullmatch(r"storefront-\w*.*…\S*eu-west(-0)?", one) for one in cut)
    assert resource_tree.shortened("abcdefghij", 5) == "ab…ij"


@pytest.mark.parametrize(("name", "most"), [("60", 22), ("300", 30)])
def test_many_are_folded_until_it_is_short(name: str, most: int) -> None:
    for variant in resource_tree.VARIANTS:
        drawing = drawn(SETS[name], variant)
        assert len(list(drawing.iter(f"{SVG}rect"))) <= most
        assert any(re.match(r"\+\d+ ", one) for one in words(drawing))


def test_the_text_is_bounded_and_shows_what_is_wrong() -> None:
    lines = outline.lines(SETS["300"], "storefront", 30, 100)
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 100
    assert lines[0] == "✗ Application/storefront Degraded"
    assert any("✗ Pod/web-0-1-0 Degraded" in line for line in lines)


def test_what_is_kept_of_very_many_is_the_sick_with_what_they_belong_to() -> None:
    kept = outline.worst(SETS["300"], 100)
    assert len(kept) < 105
    assert sum(one.message == PULL for one in kept) == 30
    assert {one.parent for one in kept if one.parent} <= {one.uid for one in kept}


def test_for_those_who_cannot_see_it_the_drawing_is_text() -> None:
    said = resource_tree.described(broken(), "storefront")
    assert said.startswith("Resources:\n✗ Application/shop-storefront-test Degraded, OutOfSync\n")
    assert f"✗ Pod/web-7d5f8b9c4-0 Degraded: {PULL}" in said
