from __future__ import annotations

import random

import pytest
import yaml

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import edit

TAG: edit.Path = ("common-chart", "image", "tag")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n  tag: 1.0.0\n", "a:\n  tag: 2.0.0\n"),
        ("a:\r\n  tag:  '1.0.0'   # kept  \r\nb: 1\r\n", "a:\r\n  tag:  '2.0.0'   # kept  \r\nb: 1\r\n"),
        ('# ünï 🎉\na: {x: 1,tag: "1.0.0" , y: [1,2 ]}', '# ünï 🎉\na: {x: 1,tag: "2.0.0" , y: [1,2 ]}'),
        ('\ufeff{"a": {"tag":"1.0.0"}}', '\ufeff{"a": {"tag":"2.0.0"}}'),
        ("a:\n  tag:\n", "a:\n  tag: 2.0.0\n"),
        ("a:\n  tag: # why\n  b: 1", "a:\n  tag: 2.0.0 # why\n  b: 1"),
        ("a: {tag: , b: 1}", "a: {tag: 2.0.0 , b: 1}"),
        ("a:\n  tag: 1.5\n", "a:\n  tag: 2.0.0\n"),
        ("a:\n  tag: &v 1.0.0\nb: 2\n", "a:\n  tag: &v 2.0.0\nb: 2\n"),
        ("old: &v 1.0.0\na:\n  tag: *v # same\nb: *v\n", "old: &v 1.0.0\na:\n  tag: 2.0.0 # same\nb: *v\n"),
        ("%YAML 1.1\n---\na:\n  'tag' : !!str 1.0.0\n...\n", "%YAML 1.1\n---\na:\n  'tag' : !!str 2.0.0\n...\n"),
        ("? a\n: ? tag\n  : 1.0.0\n", "? a\n: ? tag\n  : 2.0.0\n"),
        ('a:\n  tag: "1.0\n    .0"\nb: 1\n', 'a:\n  tag: "2.0.0"\nb: 1\n'),
        ("base: &b {tag: 0}\na:\n  <<: *b\n  tag: 1\n", "base: &b {tag: 0}\na:\n  <<: *b\n  tag: 2.0.0\n"),
        ("a:\t\n  tag:\t1.0.0\t# x\t\nb: 1\t\n", "a:\t\n  tag:\t2.0.0\t# x\t\nb: 1\t\n"),
        ("a: {\ttag:\t'1.0.0'\t,\tb:\t1\t}\t", "a: {\ttag:\t'2.0.0'\t,\tb:\t1\t}\t"),
        ("a: {\n\ttag: 1.0.0,\n\tb: 1}\n", "a: {\n\ttag: 2.0.0,\n\tb: 1}\n"),
        ("a:\n  tag:\t\nb: 1\n", "a:\n  tag: 2.0.0\t\nb: 1\n"),
        ("\ufeff# 🎉 ünï\r\na:\r\n  x: 🎉\r\n  tag: 1\r\n", "\ufeff# 🎉 ünï\r\na:\r\n  x: 🎉\r\n  tag: 2.0.0\r\n"),
        ("---\na: {tag: 1}\n---\n", "---\na: {tag: 2.0.0}\n---\n"),
        ("a:\n  tag:\n---\n# end\n", "a:\n  tag: 2.0.0\n---\n# end\n"),
        ("a:\n  tag: 1\n...\n---\n...\n", "a:\n  tag: 2.0.0\n...\n---\n...\n"),
        ("a: {x: '\u2028\x85', tag: 1}\n", "a: {x: '\u2028\x85', tag: 2.0.0}\n"),
    ],
)
def test_only_the_value_changes(before: str, after: str) -> None:
    assert edit.change(before.encode(), {("a", "tag"): "2.0.0"}, "values.yaml").decode() == after


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("sha256:0a1b", "sha256:0a1b"),
        ("1.10", '"1.10"'),
        ("1e5", '"1e5"'),
        ("0x1f", '"0x1f"'),
        ("yes", '"yes"'),
        ("n", '"n"'),
        ("", '""'),
        ("null", '"null"'),
        ("2026-01-01", '"2026-01-01"'),
        ("a: b", '"a: b"'),
        ("# x", '"# x"'),
        ("1:30", '"1:30"'),
        ("ü\n", '"ü\\n"'),
    ],
)
def test_a_string_stays_a_string_for_every_reader(value: str, written: str) -> None:
    assert edit.change(b"tag: x", {("tag",): value}, "f").decode() == f"tag: {written}"


def test_a_number_that_looks_like_the_version_becomes_a_string() -> None:
    assert edit.change(b"version: 1.5\n", {("version",): "1.5"}, "f") == b'version: "1.5"\n'


def test_several_values_are_set_at_once() -> None:
    before = b"version: 1.0.0\ndependencies:\n- {name: x, version: 0.1.0}\n-   name: y\n    version: '0.2.0'\n"
    after = edit.change(before, {("version",): "2.0.0", ("dependencies", 1, "version"): "0.3.0"}, "Chart.yaml")
    assert after == before.replace(b"1.0.0", b"2.0.0").replace(b"0.2.0", b"0.3.0")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("version: &v 1.0.0\nappVersion: *v # same\n", "version: &v 2.0.0\nappVersion: *v # same\n"),
        ("appVersion: &v '1.0.0'\nversion: *v\n", "appVersion: &v '2.0.0'\nversion: *v\n"),
        ("x: &v 1.0.0\nversion: *v\nappVersion: *v\n", "x: &v 1.0.0\nversion: 2.0.0\nappVersion: 2.0.0\n"),
    ],
)
def test_one_value_with_an_anchor_is_set_for_all_that_are_to_be_set(before: str, after: str) -> None:
    values: dict[edit.Path, str] = {("version",): "2.0.0", ("appVersion",): "2.0.0"}
    assert edit.change(before.encode(), values, "Chart.yaml").decode() == after


def test_an_anchor_that_somebody_else_uses_too_is_an_error() -> None:
    values: dict[edit.Path, str] = {("version",): "2.0.0", ("appVersion",): "2.0.0"}
    with pytest.raises(BadInput, match="without changing something else"):
        edit.change(b"version: &v 1.0.0\nappVersion: *v\nold: *v\n", values, "Chart.yaml")


def test_setting_what_is_there_changes_nothing() -> None:
    content = b"a:   'x'  \r\n"
    assert edit.change(content, {("a",): "x"}, "f") == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: {image: 1}", "there is no a.tag"),
        (b"a:\n  tag: &v 1\nb: *v\n", "without changing something else"),
        (b"img: &i {tag: 1}\na: *i\n", "without changing something else"),
        (b"a: {tag, b: 1}", "without changing something else"),
        (b"a:\n  tag: !!int 5\n", "without changing something else"),
        (b"a:\n  tag: |\n    x\nb: 1\n", "f:2: a.tag must be a value on one line"),
        (b"a:\n  tag:\n  - 1\n", "must be a value on one line"),
        (b"a:\n  tag: {x: 1}\n", "must be a value on one line"),
        (b"a:\n  tag: 1\n  tag: 2\n", "f:3: a.tag is there twice"),
        (b"a: {tag: 1}\n---\nb: 1\n", "f:3: expected a single document"),
        (b"---\n---\na: {tag: 1}\n", "f:3: expected a single document"),
        (b"a: {tag: 1}\nb: [" + b"[" * 60 + b"]" * 60 + b"]", "nested deeper"),
        (b"base: &b {tag: 1}\na: {<<: *b}\n", "there is no a.tag"),
        (b"- 1", "expected keys and values"),
        (b"", "expected keys and values"),
        (b"a:\n\ttag: 1", "f:2: "),
        (b"a: &a [*a]", "there is no a.tag"),
        (b"a: &a {tag: 1, b: *a}", "f: "),
        (b"a: {tag: \xff}", "not UTF-8"),
        (b"a: {tag: \x00}", "f: "),
        (b"a: {tag: 1}" + b"#" * 1_000_000, "bytes"),
        (b"a: " + b"[" * 5000, "f"),
    ],
)
def test_what_cannot_be_changed_alone_is_an_error(content: bytes, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        edit.change(content, {("a", "tag"): "2.0.0"}, "f")
    assert message in caught.value.message


def test_aliases_cannot_make_it_run_for_ever() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 15)]
    bomb = "\n".join(["l0: &l0 x", *levels, "a: {tag: 1}"]).encode()
    with pytest.raises(BadInput, match="stands for more than"):
        edit.change(bomb, {("a", "tag"): "2.0.0"}, "f")


def test_a_path_is_shown_as_people_write_it() -> None:
    assert edit.show(("dependencies", 0, "version")) == "dependencies[0].version"


def test_loading_keeps_every_scalar_as_its_text() -> None:
    assert edit.load(b"a: [1.10, yes, 0x1, ~, !x y]", "f") == {"a": ["1.10", "yes", "0x1", "~", "y"]}


@pytest.mark.parametrize("seed", range(60))
def test_of_any_document_only_the_value_changes(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    end = chance.choice(["\n", "\r\n"])
    lines, old = _document(chance)
    text = chance.choice(["", "\ufeff"]) + end.join(lines) + chance.choice(["", end, end * 3])
    assert text.count(old) == 1
    new = chance.choice(["10.20.30", "1.0.0-rc.1", "sha256:" + "a1" * 32, "registry.local:5000/apps/x"])
    after = edit.change(text.encode(), {TAG: new}, "values.yaml").decode()
    head, _, tail = text.partition(old)
    assert after.startswith(head.rstrip("'\""))
    assert after.endswith(tail.lstrip("'\""))
    assert len(after) - len(text) == len(new) - len(old)
    expected = yaml.safe_load(text)
    expected["common-chart"]["image"]["tag"] = new
    assert yaml.safe_load(after) == expected


def _document(chance: random.Random) -> tuple[list[str], str]:
    """Return the lines of a values file of random shape, and the old value that stands once in it."""
    old, any_of = f"OLD-{chance.randrange(10**6)}", chance.choice
    quote = any_of(["", "'", '"'])
    tag, comment = f"{quote}{old}{quote}", any_of(["", " # note: {x}", "   #", "  "])
    if chance.random() < 0.3:
        image = [f"  image: {{{_noise(chance)}, tag: {tag} , z: '#'}}{comment}"]
    else:
        pad, key = " " * chance.randrange(4, 9), any_of(["tag", '"tag"', "'tag'", "tag "])
        image = ["  image:" + any_of(["", "  # img", " &img", " !!map"])]
        image += [f"{pad}{_noise(chance)}" for _ in range(chance.randrange(3))]
        image += [f"{pad}{key}: {tag}{comment}"]
        image += [f"{pad}{_noise(chance)}" for _ in range(chance.randrange(3))]
    before, after = ([line for _ in range(chance.randrange(4)) for line in _block(chance)] for _ in range(2))
    beside = [f"  {_noise(chance)}"] if chance.random() < 0.5 else []
    return [*before, "common-chart:" + any_of(["", " ", "  # x"]), *beside, *image, *after], old


def _noise(chance: random.Random) -> str:
    values = ["1", "~", "yes", "[a, {b: c}]", '"x: y # z"', "'it''s'", "ü 🎉", "1.10", "2026-01-01"]
    return f"k{chance.randrange(10**6)}: {chance.choice(values)}"


def _block(chance: random.Random) -> list[str]:
    key = f"b{chance.randrange(10**6)}"
    return chance.choice(
        [
            [f"# tag: nothing {key}", ""],
            [f"{key}: |", "  tag: text", "", "  # no comment"],
            [f"{key}: >-", "  folded", "  text"],
            [f"{key}: &{key} {{tag: 1}}", f"{key}x: *{key}"],
            [f"{key}:", "- tag: 1", "-   - nested", "  # comment", "- ~"],
            [f'{key}: "two', '  lines"'],
            [f"{key}:   ", f"  <<: &{key} {{a: 1}}", "  b: 2"],
        ]
    )
