from __future__ import annotations

import dataclasses
import pickle

import msgspec
import pytest

from jenkins_cd.config.record import record


@record(frozen=True)
class Point:
    x: int
    y: int = 2
    tags: tuple[str, ...] = dataclasses.field(default_factory=tuple)


@record(frozen=True)
class Deep(Point):
    z: int = 3


def test_it_is_made_as_a_dataclass_is() -> None:
    assert Point(1) == Point(x=1, y=2, tags=())
    assert (Point(1, 5).y, Point(1, y=7).y, Deep(1).z) == (5, 7, 3)


def test_it_is_one_to_the_functions_of_dataclasses_and_to_json() -> None:
    assert dataclasses.is_dataclass(Point)
    assert [field.name for field in dataclasses.fields(Deep(1))] == ["x", "y", "tags", "z"]
    assert dataclasses.replace(Point(1), y=9) == Point(1, 9)
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 2, "tags": ()}
    assert msgspec.json.decode(msgspec.json.encode(Point(1, tags=("a",))), type=Point) == Point(1, tags=("a",))
    assert pickle.loads(pickle.dumps(Point(1))) == Point(1)  # noqa: S301 - our own


def test_equal_values_are_equal_and_of_one_hash_but_not_those_of_another_type() -> None:
    assert (Point(1) == Point(1), Point(1) == Point(2)) == (True, False)
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert Point(1) != Deep(1)
    assert Point(1) != object()
    assert repr(Point(1)) == "Point(x=1, y=2, tags=())"


def test_it_cannot_be_changed() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot change x of Point"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot change x of Point"):
        del point.x


@pytest.mark.parametrize(
    ("arguments", "named"), [((), {}), ((1, 2, (), 4), {}), ((1,), {"x": 1}), ((1,), {"zz": 1}), ((), {"y": 1})]
)
def test_too_many_too_few_and_unknown_arguments_are_refused(arguments: tuple[int, ...], named: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"Point (has|needs)"):
        Point(*arguments, **named)  # type: ignore[arg-type]
