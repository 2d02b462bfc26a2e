"""Keys that are missing in a file that people keep are put in, and nothing else changes."""

from __future__ import annotations

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit, insert

WHERE = ("common-chart", "image")
IMAGE = {"repository": "registry.local/apps/x", "tag": "1.10.0"}
DEEP = "repository: registry.local/apps/x\n        tag: 1.10.0\n        "
NESTED = "  image:\n    repository: registry.local/apps/x\n    tag: 1.10.0\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "common-chart:\n" + NESTED),
        ("{}\n", "common-chart:\n" + NESTED),
        ("# x\r\n{}", "# x\r\ncommon-chart:\r\n" + NESTED.replace("\n", "\r\n")),
        ("{} # none\n", " # none\ncommon-chart:\n" + NESTED),
        ("# nothing yet\n", "# nothing yet\ncommon-chart:\n" + NESTED),
        ("a: 1", "a: 1\ncommon-chart:\n" + NESTED),
        ("---\na: 1 # x\n", "---\na: 1 # x\ncommon-chart:\n" + NESTED),
        ("common-chart:\n", "common-chart:\n" + NESTED),
        ("common-chart: # ours\n", "common-chart: # ours\n" + NESTED),
        (
            "common-chart: # ours\n  # many\n  replicaCount: 7\nb: 1\n",
            "common-chart: # ours\n" + NESTED + "  # many\n  replicaCount: 7\nb: 1\n",
        ),
        (
            "common-chart:\n    image:\n        pullPolicy: Always   # x\n",
            "common-chart:\n    image:\n        " + DEEP + "pullPolicy: Always   # x\n",
        ),
        (
            "common-chart: {replicaCount: 7}\n",
            "common-chart: {image: {repository: registry.local/apps/x, tag: 1.10.0}, replicaCount: 7}\n",
        ),
        ("common-chart: {}", "common-chart: {image: {repository: registry.local/apps/x, tag: 1.10.0}}"),
        ("x: &a {b: 1}\ny: *a\n", "x: &a {b: 1}\ny: *a\ncommon-chart:\n" + NESTED),
    ],
)
def test_only_the_keys_are_new(before: str, after: str) -> None:
    assert inserted(before) == after
    assert edit.load(after.encode(), "f")["common-chart"]["image"]["tag"] == "1.10.0"


def test_line_ends_and_the_mark_of_the_byte_order_stay() -> None:
    before = "\ufeffa: 1\r\ncommon-chart:\r\n  # ünï 🎉\r\n  b: 2\r\n"
    head, tail = before.split("  # ")
    assert inserted(before) == head + NESTED.replace("\n", "\r\n") + "  # " + tail


@pytest.mark.parametrize("closing", ["...\n", "---\n"])
def test_what_closes_the_document_stays_last(closing: str) -> None:
    assert inserted(f"a: 1\n{closing}").endswith(closing)


@pytest.mark.parametrize(
    "before",
    [
        "common-chart: 1\n",
        "common-chart: [a]\n",
        "x: &a {b: 1}\ncommon-chart: *a\n",
        "base: &b\n  c: 1\ncommon-chart: *b\n",
    ],
)
def test_what_cannot_be_put_in_alone_is_an_error_that_says_what_to_add(before: str) -> None:
    with pytest.raises(BadInput, match="without changing something else") as caught:
        inserted(before)
    assert "add common-chart.image" in caught.value.hint


def inserted(before: str) -> str:
    return insert.add(before.encode(), WHERE, IMAGE, "f").decode()
