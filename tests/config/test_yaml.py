from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd.config import yaml as room
from jenkins_cd.config.check import parse
from jenkins_cd.config.types import AppFile
from jenkins_cd.config.yaml import MAX_NODES, Malformed, compose, decode, read
from tests.config.files import APP


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Read with libyaml and without: a machine may lack the binding."""
    loader = getattr(yaml, request.param)
    monkeypatch.setattr(room, "LOADER", loader)
    return loader


def test_both_readers_read_the_same(loader: Any) -> None:
    assert parse(APP, AppFile, "cd.yaml", "app")[0].tests["smoke"].run == "./smoke.sh"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a:\n\tb: 1\n", 2, "is indented with a tab"),
        ("a: b: c\n", 1, "is not valid YAML: mapping values are not allowed"),
        ("a: 1\n---\nb: 2\n", 2, "holds a second document"),
        ("a: 1\nb: \x00\n", 2, "holds the control character U+0000"),
        ("ä: ö\nb: \x07\n", 2, "holds the control character U+0007"),
        ("", 1, "is empty"),
        ("[" * 100_000, 1, "is nested deeper than 50 levels"),
        ("a: &a [*a]\n", 1, "holds itself"),
        (f"- &a [{'x, ' * 300}]\n- [{'*a, ' * 300}]\n", 2, f"holds more than {MAX_NODES:,} values"),
    ],
)
def test_both_readers_tell_what_is_wrong_and_in_which_line(loader: Any, text: str, line: int, said: str) -> None:
    with pytest.raises(Malformed) as caught:
        compose(text)
    assert caught.value.message.startswith(said)
    assert caught.value.line == line


def test_nesting_that_people_write_is_read(loader: Any) -> None:
    assert compose("".join(" " * n + "a:\n" for n in range(40)))


def test_a_file_of_just_the_size_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    file = tmp_path / "cd.yaml"
    file.write_bytes(b"#" * room.MAX_BYTES)
    assert len(read(file)) == room.MAX_BYTES
    file.write_bytes(b"#" * (room.MAX_BYTES + 1))
    with pytest.raises(Malformed, match="expected at most 1 MiB"):
        read(file)
    with pytest.raises(Malformed, match="expected at most 1 MiB"):
        decode(b"#" * (room.MAX_BYTES + 1))


@pytest.mark.parametrize("name", ["gone.yaml", "a\0b", "x" * 300, "."])
def test_what_cannot_be_read_as_a_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(tmp_path / name)
    assert caught.value.line == 0
