"""Plain text in YAML means what Kubernetes takes it for. What kubectl sends to the server was looked up for each."""

from __future__ import annotations

from typing import Any

import pytest

from jenkins_cd.tools.kubernetes_yaml import load_all


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("y", True),
        ("on", True),
        ("True", True),
        ("N", False),
        ("off", False),
        ("yEs", "yEs"),
        ("0o17", 15),
        ("017", 15),
        ("0x1f", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("0", 0),
        ("-7", -7),
        ("08", 8.0),
        ("-0o17", -15),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("12:30", "12:30"),
        ("8080:50", "8080:50"),
        ("2026-01-02", "2026-01-02"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("~", None),
        ("", None),
        ("'1'", "1"),
    ],
)
def test_plain_text_is_taken_for_what_kubernetes_takes_it_for(text: str, value: Any) -> None:
    [document] = load_all(f"a: {text}\n")
    assert document == {"a": value}
    assert type(document["a"]) is type(value)


def test_keys_are_text() -> None:
    text = "no: 1\n010: 2\n1e3: 3\n0x1f: 4\nyes: 5\n1.50: 6\n12:30: 7\n"
    assert list(load_all(text)[0]) == ["false", "8", "1000", "31", "true", "1.5", "12:30"]


def test_documents_come_one_by_one_and_keys_are_merged() -> None:
    assert load_all("---\n# nothing\n---\na: &a {b: 1}\nc: {<<: *a, d: 2}\n") == [
        None,
        {"a": {"b": 1}, "c": {"b": 1, "d": 2}},
    ]
    assert load_all("") == []


@pytest.mark.parametrize("text", ["a: [", "a: !!python/object:os.system x", "a: *b"])
def test_what_is_no_yaml_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"line \d"):
        load_all(text)
