"""What is written is read back by Helm, which it is for: whatever a string looks like, it stays that string."""

from __future__ import annotations

import base64
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import jenkins_cd
from jenkins_cd.tools import helm
from jenkins_cd.tools.kubernetes_yaml import load_all
from jenkins_cd.tools.yaml_writer import dump, scalar

LOOKS_LIKE_MORE = (
    "1e5 6063e25 0888 y n Y N yes No TRUE on off 0o17 017 1.5e3 0x1F 0b11 1_000 _1 ~ null Null NULL 1. 1.10 .inf -.Inf "
    "2001-01-01 2001-1-1 2001-01-01T00:00:00Z 12:30:45 = << .5 +5 -7 .nan 1e400 12345678901234567890 --- ... - ? "
    ": , [ ] { } # & * ! | > @ ` % ' \" \\ a: a:b #x a#b &x *x !x %x @x `x -x ?x :x 1.2.3 10.20.30-rc.1+5 0.1.2.3 1.2 "
    "sha256:0a1b oci://registry.local/charts registry.local:5000/x /health v1.2.3 (hidden) true/false null.x"
)
# fmt: off
ODD = [
    "", " ", "a b", " a", "a ", "\ta", "a\tb", "a\n", "\na", "a\nb", "a\nb\n", "a\n\nb\n\n", "a\n b\n", " a\nb\n",
    "a \nb", "a\r\nb", "a\rb", "a\x85b", "a\u2028b", "a\u2029b", "\ufeffa", "a\u00a0b", "a\u200db", "🎉 ünï", "é",
    "a\u200d🎉\nline", "\x00", "\x07\x1b[0m", "\x7f\x80\x9f", "\ufffe\uffff", "\U0010ffff", "a: b", "a #b", "no 1",
    "key: |\n  text\n", "# none\n# at all", "---\na: b", "%YAML 1.1\n", "it's", "\\n", "a\n\tb", "x" * 3000, "y es",
    "{{ .Values.x }}", "- a\n- b", "a\n   \nb", "\n\n", "e\u0301",
]
# fmt: on


def strings() -> list[str]:
    chance = random.Random(5)  # noqa: S311
    letters = "01289.eExXoObB_+-:~yYnN=<>#&*!|%@`'\"{}[],? \t\n\\aZ/üß\x85\u2028🎉\x00"
    made = ["".join(chance.choice(letters) for _ in range(chance.randrange(1, 9))) for _ in range(1500)]
    return list(dict.fromkeys([*LOOKS_LIKE_MORE.split(), *ODD, *made]))


def read_by_helm(values: str, tmp_path: Path) -> dict[str, tuple[str, Any]]:
    """Return type and value of each key below `all`, as a template of Helm sees them."""
    chart = tmp_path / "seen"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: seen\nversion: 1.0.0\n", encoding="utf-8")
    seen = "={{ $k | b64enc }} {{ typeOf $v | b64enc }} {{ $v | toJson | b64enc }}="
    lines = ["{{- range $k, $v := .Values.all }}", seen, "{{- end }}"]
    marked = "\n".join(["kind: ConfigMap", "data:", "  all: |", *(f"    {line}" for line in lines), ""])
    (chart / "templates" / "all.yaml").write_text(marked, encoding="utf-8")
    (chart / "values.yaml").write_text(values, encoding="utf-8")
    shown = helm.template(chart, "seen", "dev")
    found = re.findall(r"=(\S*) (\S+) (\S+)=$", shown, re.MULTILINE)
    plain = [[base64.b64decode(part).decode() for part in row] for row in found]
    return {key: (kind, json.loads(value)) for key, kind, value in plain}


def test_every_string_is_that_string_for_helm_as_a_value_as_a_key_and_in_a_list(tmp_path: Path) -> None:
    wanted = strings()
    seen = read_by_helm(dump({"all": {"values": wanted, "keys": dict.fromkeys(wanted, 1)}}), tmp_path)
    assert seen["values"][1] == wanted
    assert sorted(seen["keys"][1]) == sorted(wanted)


def test_numbers_booleans_and_nothing_stay_what_they_are(tmp_path: Path) -> None:
    wanted: dict[str, Any] = {
        "zero": 0, "port": 8080, "negative": -7, "big": 2**53, "ratio": 0.5, "small": 1e-7, "huge": 1e16, "one": 1.0,
        "yes": True, "no": False, "empty": {}, "none": [], "nil": [None], "deep": [[1, [2]], {"a": [{"b": "1"}, []]}],
        "text": "a\nb\n", "in-list": ["a\nb", {"c": "d\ne\n", "f": 1}],
    }  # fmt: skip
    seen = read_by_helm(dump({"all": wanted}), tmp_path)
    assert {key: value for key, (_, value) in seen.items()} == wanted
    assert {seen[key][0] for key in ("port", "big", "ratio", "huge")} <= {"float64", "int64", "int"}
    assert seen["yes"][0] == "bool"


@pytest.mark.parametrize("load", [yaml.safe_load, lambda text: load_all(text)[0]], ids=["PyYAML", "ours"])
def test_the_other_readers_see_the_same(load: Any) -> None:
    wanted = {"values": strings(), "keys": dict.fromkeys(strings(), True)}
    text = dump(wanted)
    assert load(text) == wanted
    assert load(dump({"n": [1, 1.5, 1e22, -2e-9, 2**70, True, None]})) == {
        "n": [1, 1.5, 1e22, -2e-9, 2**70, True, None]
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("storefront", "storefront"), ("1.4.0-dev.3.g1a2b3c", "1.4.0-dev.3.g1a2b3c"), ("1.10", '"1.10"'), ("y", '"y"'),
        ("a b", "a b"), ("a: b", '"a: b"'), ("oci://x.local/y", "oci://x.local/y"), ("ü", '"ü"'), ("\x85", '"\\x85"'),
    ],
)  # fmt: skip
def test_text_is_bare_only_where_nobody_sees_anything_else_in_it(value: str, text: str) -> None:
    assert scalar(value) == text


def test_it_looks_as_people_write_it() -> None:
    written = dump({"a": {"b": [1, {"c": "d", "e": []}]}, "text": "one\n\n two\n", "last": "x\ny", "none": None})
    lines = ["a:", "  b:", "  - 1", "  - c: d", "    e: []", "text: |", "  one", "", "   two", "last: |-", "  x", "  y"]
    assert written == "\n".join([*lines, "none: null", ""])


def test_what_stands_twice_is_written_out_twice() -> None:
    same = {"a": 1}
    assert dump({"x": same, "z": same}) == "x:\n  a: 1\nz:\n  a: 1\n"


def test_keys_can_be_sorted_and_what_json_does_not_know_is_an_error() -> None:
    assert dump({"b": {"d": 1, "c": 2}, "a": 3}, sort_keys=True) == "a: 3\nb:\n  c: 2\n  d: 1\n"
    with pytest.raises(TypeError, match="bytes"):
        dump({"a": b"x"})


def test_nothing_else_in_the_package_writes_yaml() -> None:
    writes = re.compile(r"\b(safe_)?dump(_all)?\(.*\byaml\b|yaml\.(safe_)?(dump|emit|serialize)|Dumper|ruamel")
    found = [
        f"{file.name}: {line.strip()}"
        for file in Path(jenkins_cd.__file__).parent.rglob("*.py")
        for line in file.read_text(encoding="utf-8").split("\n")
        if writes.search(line)
    ]
    assert not found


def test_nothing_in_the_package_reads_yaml_without_libyaml() -> None:
    """PyYAML's own scanner refuses a tab between tokens; each reader takes its loader from one of two places."""
    slow = re.compile(
        r"yaml\.(safe_load|full_load|load|load_all|safe_load_all|scan|parse|compose)(_all)?\((?!.*[Ll]oader)"
    )
    package = Path(jenkins_cd.__file__).parent
    found = [
        f"{file.name}: {line.strip()}"
        for file in package.rglob("*.py")
        for line in file.read_text(encoding="utf-8").split("\n")
        if slow.search(line) and "getattr(yaml" not in line and "kubernetes_yaml" not in line
    ]
    assert not found
