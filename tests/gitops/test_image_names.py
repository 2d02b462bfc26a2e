from __future__ import annotations

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import image_names

NAME = "r.example/apps/storefront"


@pytest.mark.parametrize(
    "text",
    [
        f"image: docker.io/{NAME}:1.0.0\n",
        f'image: "r.example/{NAME}@sha256:00"\n',
        f"image: mirror.local:5000/{NAME}:1\n",
        f"image: docker.io/{NAME}\n",
    ],
)
def test_a_registry_before_the_name_is_told(text: str) -> None:
    with pytest.raises(BadInput, match="puts a registry of its own before it"):
        image_names.check(NAME, text)


@pytest.mark.parametrize(
    "text", [f"image: {NAME}:1\n", f"x: https://{NAME}:1\n", f"image: docker.io/{NAME}-old:1\n", "image: x/y:1\n", ""]
)
def test_the_name_itself_and_others_are_not(text: str) -> None:
    image_names.check(NAME, text)


@pytest.mark.parametrize(
    ("there", "name"),
    [
        ({"registry": "r.example", "repository": "apps/x"}, "r.example/apps/x"),
        ({"registry": "", "repository": "r.example/x"}, "r.example/x"),
        ({"repository": "r.example/x"}, "r.example/x"),
        ({}, ""),
    ],
)
def test_an_image_is_named_by_its_parts(there: dict[str, str], name: str) -> None:
    assert image_names.of(there) == name
