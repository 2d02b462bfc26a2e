"""Each race once, on the real Argo CD, with manual and with automated sync; races.py runs them often."""

from __future__ import annotations

import pytest

from tests.argocd import races
from tests.argocd.apps import app_charts, app_of_either_kind  # noqa: F401
from tests.argocd.delivered import Delivered
from tests.argocd.races import Race


@pytest.mark.parametrize("race", races.RACES, ids=lambda race: race.__name__)
def test_the_verdict_is_right(app: Delivered, race: Race) -> None:
    race(app)


@pytest.mark.parametrize("race", races.LONELY, ids=lambda race: race.__name__)
@pytest.mark.usefixtures("alone")
def test_the_verdict_is_right_whatever_is_away(app: Delivered, race: Race) -> None:
    race(app)


def test_the_table_counts_what_was_right() -> None:
    runs = [races.Run(race="one", mode="manual", seconds=second, verdict=word) for second, word in
            ((1.0, "right"), (3.0, "wrong"), (2.0, "broken"))]  # fmt: skip
    assert races.table(runs).splitlines()[1].split() == ["one", "manual", "3", "1", "1", "1", "2.0"]
