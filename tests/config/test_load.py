from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jenkins_cd.config import Origin
from jenkins_cd.config.load import load, load_any, load_platform
from jenkins_cd.config.types import AppTest, Gate
from jenkins_cd.errors import BadInput
from tests.config.files import APP, PLATFORM, Checkout

DEFAULTS = """\
defaults:
  ci:
    build: {timeout: 5m}
    dead-code: {run: find-dead, format: text, exit_codes: [0, 1, 2]}
  package: {chart: {common: our-chart, values: {replicas: 2, probe: {path: /ready, port: 80}}}}
"""
PLAIN = "app: storefront\nproject: shop\n"


def test_what_no_file_says_is_as_built_in(checkout: Checkout) -> None:
    config = load(checkout.write(PLAIN).folder)
    assert config.platform is None
    assert (config.app.ci.build.timeout, config.app.health.path) == ("30m", "/health")
    assert "ci.build.timeout" not in config.origins


def test_each_layer_lies_over_the_one_below_key_by_key(checkout: Checkout) -> None:
    app = PLAIN + "ci:\n  dead-code: {exit_codes: [0]}\n  unit-tests: {timeout: 1h}\n"
    checkout.write(app, PLATFORM.replace("    tests: [smoke]\n", "") + DEFAULTS)
    config = load(checkout.folder, overrides=["ci.unit-tests.timeout=2h", "ci.unit-tests.coverage.minimum=70"])
    ci = config.app.ci
    assert (ci.build.timeout, ci.dead_code.run, ci.dead_code.exit_codes) == ("5m", "find-dead", (0,))
    assert (ci.unit_tests.timeout, ci.unit_tests.coverage.minimum, ci.code_standard.timeout) == ("2h", 70, "30m")


def test_every_value_knows_its_layer_file_and_line(checkout: Checkout) -> None:
    app = PLAIN + "ci:\n  dead-code:\n    exit_codes: [0]\n"
    checkout.write(app, PLATFORM.replace("    tests: [smoke]\n", "") + DEFAULTS)
    origins = load(checkout.folder, overrides=["ci.unit-tests.timeout=2h"]).origins
    assert origins["app"] == Origin("app", "cd.yaml", 1)
    assert origins["ci.dead-code.exit_codes"] == Origin("app", "cd.yaml", 5)
    assert origins["ci.build.timeout"] == Origin("platform", "platform.yaml", 18)
    assert origins["environments.staging.after"] == Origin("platform", "platform.yaml", 10)
    assert origins["ci.unit-tests.timeout"] == Origin("command line")


def test_what_a_stage_leaves_out_is_as_that_stage_has_it_not_as_others_have(checkout: Checkout) -> None:
    checkout.write(PLAIN + "ci:\n  dead-code: {timeout: 1m}\n  code-standard: {timeout: 1m}\n")
    ci = load(checkout.folder).app.ci
    assert (ci.dead_code.gate, ci.code_standard.gate) == (Gate(new=0), Gate(errors=0))


def test_a_rule_that_is_built_in_is_taken_away_with_null(checkout: Checkout) -> None:
    checkout.write(PLAIN + "ci:\n  code-standard: {gate: {errors: null, total: 3}}\n")
    assert load(checkout.folder).app.ci.code_standard.gate == Gate(total=3)


def test_free_values_are_laid_over_one_another_at_any_depth(checkout: Checkout) -> None:
    app = PLAIN + "package: {chart: {values: {probe: {path: /live}, hosts: [a]}}}\n"
    checkout.write(app, PLATFORM.replace("    tests: [smoke]\n", "") + DEFAULTS)
    values = load(checkout.folder).app.package.chart.values
    assert values == {"replicas": 2, "probe": {"path": "/live", "port": 80}, "hosts": ["a"]}


def test_free_values_keep_their_kinds(checkout: Checkout) -> None:
    text = "a: 1\n      b: 1.5\n      c: yes\n      d: null\n      e: 2026-01-01\n      f: ['1', {g: 1e3}]\n"
    checkout.write(f"{PLAIN}package:\n  chart:\n    values:\n      {text}")
    values = load(checkout.folder).app.package.chart.values
    assert values == {"a": 1, "b": 1.5, "c": True, "d": None, "e": "2026-01-01", "f": ["1", {"g": "1e3"}]}


def test_an_anchor_may_be_used_again(checkout: Checkout) -> None:
    checkout.write(PLAIN + "ci:\n  code-standard: {gate: &none {total: 0}}\n  dead-code: {gate: *none}\n")
    ci = load(checkout.folder).app.ci
    assert (ci.code_standard.gate.total, ci.dead_code.gate.total) == (0, 0)


def test_a_file_with_a_byte_order_mark_and_windows_lines_is_read(checkout: Checkout) -> None:
    checkout.write(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    assert load(checkout.folder).app.app == "storefront"


@pytest.mark.parametrize(
    ("override", "timeout"), [("tests.smoke.timeout=1m", "1m"), ('tests.smoke={run: x, timeout: "2m"}', "2m")]
)
def test_the_command_line_adds_to_what_cd_yaml_has(checkout: Checkout, override: str, timeout: str) -> None:
    tests = load(checkout.write(APP).folder, overrides=[override]).app.tests
    assert tests["smoke"] == AppTest(run="x" if "x" in override else "./smoke.sh", timeout=timeout)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("ci.build.timeout", "command line: --set 'ci.build.timeout': expected KEY=VALUE"),
        ("=5", "expected KEY=VALUE"),
        ("ci..build=5", "expected KEY=VALUE"),
        ("ci.biuld=5", "command line: ci.biuld: no such key (did you mean build?)"),
        ("ci.build.timeout=", "command line: ci.build.timeout: expected a duration"),
        ("ci.build.timeout=[", "command line: --set ci.build.timeout: the value is not valid YAML"),
        ("tests.new.timeout=5m", "command line: tests.new.run: is missing: expected text"),
        ("toolchain=1.10", 'put it in quotes: "1.10"'),
        ("app=x}, y: {z", "command line: --set app: the value is not valid YAML"),
    ],
)
def test_a_bad_override_is_told_as_one(checkout: Checkout, override: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        load(checkout.write(APP).folder, overrides=[override])
    assert said in caught.value.problems[0]


def test_a_test_that_an_environment_asks_for_must_be_there(checkout: Checkout) -> None:
    checkout.write(APP.replace("smoke:", "smokes:"), PLATFORM)
    assert checkout.problem() == (
        "platform.yaml:8 (platform): environments.dev.tests[0]: cd.yaml has no test 'smoke' (did you mean smokes?)"
    )


def test_the_platform_file_alone_asks_no_app_for_tests(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM)
    assert load_platform(None, checkout.folder).environments["dev"].tests == ("smoke",)
    assert load_any(checkout.folder)[0] is None


def test_what_is_wrong_with_the_defaults_is_told_once_and_at_its_own_place(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM + "defaults:\n  ci: {build: {timeout: soon}}\n")
    assert checkout.problem().startswith("platform.yaml:18 (platform): defaults.ci.build.timeout: expected a duration")


def test_a_broken_platform_file_does_not_hide_what_is_wrong_with_the_app(checkout: Checkout) -> None:
    checkout.write("app: a\n", "registry: [\n")
    problems = checkout.refused()
    assert [problem.split(" ")[0] for problem in problems] == ["platform.yaml:2", "cd.yaml:1"]


def test_without_files_the_next_step_is_said(checkout: Checkout) -> None:
    with pytest.raises(BadInput, match=r"no cd\.yaml in this folder") as caught:
        load(Path.cwd())
    assert "jenkins-cd init" in caught.value.hint
    with pytest.raises(BadInput, match="there is no platform file") as caught:
        load_platform(None, checkout.folder)
    assert "JENKINS_CD_PLATFORM" in caught.value.hint
    code, _, err = checkout.run("validate")
    assert (code, "neither cd.yaml nor a platform file" in err) == (2, True)


def test_validation_loads_nothing_that_it_can_do_without(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM)
    script = "import sys, jenkins_cd.cli as c; assert c.run(['validate']) == 0; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout.folder, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "jenkins_cd.config.check" in loaded
    assert not loaded & {"requests", "git", "rich", "jinja2", "msgspec", "tenacity", "subprocess", "difflib", "json"}
