from __future__ import annotations

import json
from typing import Any

import pytest

from jenkins_cd.findings import sarif

BASES = {
    "SRC": {"uri": "file:///base/src/"},
    "BARE": {"uri": "file:///base/src"},
    "INNER": {"uri": "inner", "uriBaseId": "BARE"},
    "ROOT": {"uri": "sub/dir", "uriBaseId": "UNKNOWN"},
    "EMPTY": {"description": {"text": "where it was checked out"}},
    "LOOP": {"uri": "loop/", "uriBaseId": "POOL"},
    "POOL": {"uri": "pool/", "uriBaseId": "LOOP"},
    "SPACE": {"uri": "file:///a%20b"},
    "DRIVE": {"uri": "file:///C:/src"},
}


def file_of(location: dict[str, Any], **run: Any) -> str:
    result = {"locations": [{"physicalLocation": {"artifactLocation": location}}]}
    runs = [{"tool": {"driver": {"name": "t"}}, "originalUriBaseIds": BASES, "results": [result], **run}]
    [found] = sarif.parse(json.dumps({"version": "2.1.0", "runs": runs}))
    return found.file


@pytest.mark.parametrize(
    ("base", "file"),
    [
        ("SRC", "/base/src/a.c"),
        ("BARE", "/base/src/a.c"),
        ("INNER", "/base/src/inner/a.c"),
        ("ROOT", "sub/dir/a.c"),
        ("EMPTY", "a.c"),
        ("UNKNOWN", "a.c"),
        ("LOOP", "pool/loop/a.c"),
        ("SPACE", "/a b/a.c"),
        ("DRIVE", "C:/src/a.c"),
    ],
)
def test_a_path_is_joined_to_its_base_and_that_ones_base(base: str, file: str) -> None:
    assert file_of({"uri": "a.c", "uriBaseId": base}) == file


@pytest.mark.parametrize(
    ("uri", "file"),
    [
        ("file:///src/a.c", "/src/a.c"),
        ("file:/src/a.c", "/src/a.c"),
        ("FILE:///src/a.c", "/src/a.c"),
        ("file://localhost/src/a.c", "/src/a.c"),
        ("file://server/share/a.c", "//server/share/a.c"),
        ("file:///C:/src/a.c", "C:/src/a.c"),
        ("file://C:/src/a.c", "C:/src/a.c"),
        ("file:/C:/src/a.c", "C:/src/a.c"),
        ("file:///c%3A/src/a.c", "c:/src/a.c"),
        ("C:\\src\\a.c", "C:\\src\\a.c"),
        ("src\\a.c", "src\\a.c"),
        ("src/%5Bid%5D/a%20b.c", "src/[id]/a b.c"),
        ("src/[id]/(x)/a b.c", "src/[id]/(x)/a b.c"),
        ("src/100%25.c", "src/100%.c"),
        ("src/100%.c", "src/100%.c"),
        ("gr%C3%BCn.c", "grün.c"),
        ("grün.c", "grün.c"),
        ("C#/a.cs", "C#/a.cs"),
        ("a.c#L3", "a.c"),
        ("https://example.com/a.c", "https://example.com/a.c"),
        ("./a.c", "./a.c"),
    ],
)
def test_a_uri_is_read_as_tools_write_it(uri: str, file: str) -> None:
    assert file_of({"uri": uri}) == file


def test_an_absolute_uri_has_no_base() -> None:
    assert file_of({"uri": "file:///x/a.c", "uriBaseId": "SRC"}) == "/x/a.c"
    assert file_of({"uri": "/x/a.c", "uriBaseId": "SRC"}) == "/x/a.c"


def test_an_artifact_has_a_base_too() -> None:
    listed = [{"location": {"uri": "a.c", "uriBaseId": "BARE"}}, {}]
    assert file_of({"index": 0}, artifacts=listed) == "/base/src/a.c"
    assert file_of({"index": 1}, artifacts=listed) == ""


def test_a_result_without_a_place_is_of_the_file_that_was_looked_at() -> None:
    result = {"analysisTarget": {"uri": "a.c"}, "locations": [{"logicalLocations": [{"name": "f"}]}]}
    assert file_of({}, results=[result]) == "a.c"
