from __future__ import annotations

import ast
from pathlib import Path

import pytest

import jenkins_cd
from jenkins_cd.lines import split_lines, without_escapes

PACKAGE = Path(jenkins_cd.__file__).parent
NO_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("a", ["a"]),
        ("a\nb\n", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("a\r\r\nb", ["a", "b"]),
        ("a\rb\n\n", ["a\rb", ""]),
        *((f"a{character}b\nc", [f"a{character}b", "c"]) for character in NO_LINE_ENDS),
    ],
)
def test_lines_end_with_a_line_feed_and_with_nothing_else(text: str, lines: list[str]) -> None:
    assert split_lines(text) == lines
    assert "".join(split_lines(text, keep_ends=True)) == text


def test_no_other_way_to_split_lines_is_taken() -> None:
    """`str.splitlines` breaks lines where no format does: use `jenkins_cd.lines`."""
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}"
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[38:2::255:0:0mtrue colour\x1b[m", "true colour"),
        ("\x9b31mone byte\x9b0m", "one byte"),
        ("\x1b(B\x1b[mreset", "reset"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;file:///a.c\x1b\\a.c:3\x1b]8;;\x1b\\: error", "a.c:3: error"),
        ("\x1b]0;no end\nafter", "0;no end\nafter"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x1b=\x1b7\x1b[?25lafter\x1b", "after"),
        ("[31m no escape", "[31m no escape"),
    ],
)
def test_escape_sequences_go_and_nothing_else_does(text: str, plain: str) -> None:
    assert without_escapes(text) == plain
