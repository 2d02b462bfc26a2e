"""Each model satisfies the Protocol, and is found by the name that the platform file has for it."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from jenkins_cd import delivery
from jenkins_cd.config.types import Environment
from jenkins_cd.delivery import DELIVERY, DeliveryModel, argocd, flux, helm

MODELS: dict[str, DeliveryModel] = {"argocd": argocd, "flux": flux, "helm": helm}  # mypy looks at each


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_found_by_its_name(name: str) -> None:
    assert delivery.load(name) is MODELS[name]


def test_the_platform_file_has_a_name_for_each() -> None:
    assert set(get_args(get_type_hints(Environment)["model"])) == set(DELIVERY) == set(MODELS)
