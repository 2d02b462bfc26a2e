from __future__ import annotations

from typing import Literal

import pytest

from tests.timing import table


def report(name: str, seconds: float, when: Literal["setup", "call", "teardown"] = "call") -> pytest.TestReport:
    return pytest.TestReport(name, (name, 0, name), {}, "passed", None, when, duration=seconds)


def test_a_test_counts_with_its_set_up_and_the_slowest_comes_first() -> None:
    reports = [
        report("tests/a/test_x.py::one", 2.0),
        report("tests/b/test_y.py::two", 1.5),
        report("tests/b/test_y.py::two", 3.0, "setup"),
    ]
    assert table(reports) == [
        "     4.5 s  (3.0 s of it set-up)  tests/b/test_y.py::two",
        "     2.0 s  (0.0 s of it set-up)  tests/a/test_x.py::one",
        "",
        "     4.5 s  tests/b",
        "     2.0 s  tests/a",
    ]


def test_where_all_was_quick_nothing_is_said() -> None:
    assert table([report("tests/a/test_x.py::one", 0.2)]) == []
