"""Each bad input that people and attackers hand in, through the command line: exit 2, file:line, no trace of it."""

from __future__ import annotations

import os
import re
import time

import pytest

from tests.config.files import APP, PLATFORM, Checkout

NAMES = ["../x", "a b", "-rf", "$(id)", "x" * 300, "Storefront", "a_b", "9lives", "a-", "\uff53hop", "a\u0000b"]
PLAIN = "app: storefront\nproject: shop\n"


def test_an_unknown_key_is_told_with_the_nearest_name(checkout: Checkout) -> None:
    checkout.write(PLAIN + "ci:\n  unit-test: {enabled: false}\n")
    assert checkout.problem() == "cd.yaml:4 (app): ci.unit-test: no such key (did you mean unit-tests?)"


def test_an_unknown_key_that_is_like_no_other_is_told_with_all_that_there_are(checkout: Checkout) -> None:
    checkout.write(PLAIN + "health: {qqqq: 1}\n")
    assert checkout.problem() == "cd.yaml:3 (app): health.qqqq: no such key: expected one of path, version"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ci: {build: {enabled: maybe}}", "ci.build.enabled: expected true or false, found 'maybe'"),
        ("ci: {unit-tests: {coverage: {minimum: high}}}", "a number of at least 0 and at most 100, found 'high'"),
        ("ci: {unit-tests: {coverage: {minimum: 101}}}", "at most 100, found the number 101"),
        ("ci: {unit-tests: {coverage: {minimum: .nan}}}", "found the number .nan"),
        ("ci: {unit-tests: {coverage: {minimum: true}}}", "found 'true', which YAML reads as true"),
        ("ci: {dead-code: {gate: {new: -1}}}", "expected a whole number of at least 0, found the number -1"),
        ("ci: {dead-code: {gate: {new: 1.5}}}", "expected a whole number of at least 0, found the number 1.5"),
        ("ci: {dead-code: {gate: {new: 010}}}", "found the number 010"),
        ("ci: {dead-code: {gate: {new: 1:30}}}", "found the number 1:30"),
        (f"ci: {{dead-code: {{gate: {{new: {'9' * 5000}}}}}}}", "(5000 characters)"),
        ("ci: {dead-code: {format: sarff}}", "`text`, found 'sarff' (did you mean sarif?)"),
        ("ci: [build]", "ci: expected keys and values (build, unit-tests"),
        ("ci: ", "ci: expected keys and values"),
        ("tests: [smoke]", "tests: expected keys and values, found a list"),
        ("ci: {dead-code: {exit_codes: 1}}", "expected a list such as [a, b], found the number 1"),
        ("ci: {build: {run: [make]}}", "ci.build.run: expected text, found a list"),
        ("ci: {build: {timeout: 10}}", "a duration such as `500ms`, `30s`, `10m` or `1h`, found the number 10"),
        ("health: {path: health}", "health.path: expected a path such as `/health`, found 'health'"),
        ("package: {image: {dockerfile: ../Dockerfile}}", "without `..`, found '../Dockerfile'"),
        ("package: {image: {dockerfile: /etc/passwd}}", "found '/etc/passwd'"),
        ("package: {image: {args: {A: 1}}}", 'text, found the number 1; if it is meant, put it in quotes: "1"'),
        ("package: {image: {args: {1: a}}}", "the key is the number 1: put it in quotes"),
        ("package: {image: {args: {[a]: b}}}", "a list cannot be a key"),
        ("package: {chart: {values: {a: !!python/object:os.system x}}}", "python/object:os.system` is not allowed"),
        ("package: {chart: {values: {a: !!binary x}}}", "is not allowed: expected a value"),
        ("package: {chart: {values: {port: 22:22}}}", "found the number 22:22; text belongs in quotes"),
        ("package: {chart: {values: {<<: {a: 1}}}}", "merge keys are not read: write the keys out"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_kind_is_told_with_what_was_expected(checkout: Checkout, text: str, said: str) -> None:
    problem = checkout.write(f"{PLAIN}{text}\n").problem()
    assert problem.startswith("cd.yaml:3 (app): ")
    assert said in problem


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("yes", "found 'yes', which YAML reads as true; if it is meant, put it in quotes: \"yes\""),
        ("1.10", 'found the number 1.10; if it is meant, put it in quotes: "1.10"'),
        ("~", "found nothing"),
        ("", "found nothing"),
    ],
)
def test_text_that_yaml_reads_as_something_else_must_be_quoted(checkout: Checkout, value: str, said: str) -> None:
    problem = checkout.write(f"app: {value}\nproject: shop\n").problem()
    assert problem.startswith("cd.yaml:1 (app): app: expected a lower-case name")
    assert problem.endswith(said)


def test_a_version_of_two_numbers_must_be_quoted_to_be_seen_to_be_none(checkout: Checkout) -> None:
    checkout.write(PLAIN + "package:\n  chart:\n    version: 1.10\n")
    assert "cd.yaml:5 (app): package.chart.version: expected a SemVer version" in checkout.problem()
    checkout.write(PLAIN + 'package:\n  chart:\n    version: "1.10"\n')
    assert "found '1.10'" in checkout.problem()


def test_a_missing_key_is_told_at_the_place_that_lacks_it(checkout: Checkout) -> None:
    checkout.write("app: storefront\ntests:\n  smoke:\n    junit: a.xml\n")
    problems = checkout.refused()
    assert problems[0].startswith("cd.yaml:1 (app): project: is missing: expected a lower-case name")
    assert problems[1] == "cd.yaml:3 (app): tests.smoke.run: is missing: expected text"


def test_a_missing_key_in_an_item_of_a_list_is_told_at_the_item(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM.replace(", why: the shops are full", ""))
    assert checkout.problem() == (
        "platform.yaml:16 (platform): environments.staging.freeze[0].why: is missing: expected text"
    )


def test_a_key_given_twice_is_told_with_both_lines(checkout: Checkout) -> None:
    checkout.write("app: storefront\nproject: shop\napp: other\n")
    assert checkout.problem() == "cd.yaml:3 (app): app: is given twice: first in line 1"


def test_a_key_given_twice_deep_in_free_values_is_told(checkout: Checkout) -> None:
    checkout.write(PLAIN + "package:\n  chart:\n    values:\n      a: {b: 1,\n        b: 2}\n")
    assert checkout.problem() == "cd.yaml:7 (app): package.chart.values.a.b: is given twice: first in line 6"


@pytest.mark.parametrize("text", ["app: a\nci:\n\tbuild: {}\n", "app: a\nci:\n  build: {}\n\tunit-tests: {}\n"])
def test_a_tab_is_told_as_one(checkout: Checkout, text: str) -> None:
    problem = checkout.write(text).problem()
    assert problem == f"cd.yaml:{text.count(chr(10))} (app): is indented with a tab: YAML takes only spaces"


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n"])
def test_an_empty_file_is_told_as_one(checkout: Checkout, text: str) -> None:
    problem = checkout.write(text).problem()
    assert re.match(r"cd.yaml:[12] \(app\): .*expected keys and values", problem)


@pytest.mark.parametrize(
    ("text", "found"), [("- app: a\n", "a list"), ("storefront\n", "'storefront'"), ("7\n", "the number 7")]
)
def test_a_list_or_a_word_at_the_top_is_told(checkout: Checkout, text: str, found: str) -> None:
    problem = checkout.write(text).problem()
    assert problem.startswith("cd.yaml:1 (app): expected keys and values (app, project")
    assert problem.endswith(f"found {found}")


@pytest.mark.parametrize("data", [b"app: a\nproject: caf\xe9\n", "app: a\nproject: x".encode("utf-16")])
def test_a_file_that_is_not_utf8_is_told_with_the_line_of_the_first_such_byte(checkout: Checkout, data: bytes) -> None:
    problem = checkout.write(data).problem()
    line = 2 if data.startswith(b"app") else 1
    assert problem.startswith(f"cd.yaml:{line} (app): byte 0x{'e9' if line == 2 else 'ff'} is not UTF-8")


def test_fifty_megabytes_are_refused_before_they_are_read(checkout: Checkout) -> None:
    checkout.write("")
    os.truncate(checkout.folder / "cd.yaml", 50 * 1024 * 1024)
    started = time.monotonic()
    assert checkout.problem() == "cd.yaml (app): has 50.0 MiB: expected at most 1 MiB"
    assert time.monotonic() - started < 2


def test_an_alias_bomb_is_counted_and_not_written_out(checkout: Checkout) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]" for n in range(20)]
    started = time.monotonic()
    problem = checkout.write("\n".join(lines)).problem()
    assert "holds more than 20,000 values, aliases written out" in problem
    assert time.monotonic() - started < 2


def test_an_alias_within_what_it_names_is_refused(checkout: Checkout) -> None:
    checkout.write(PLAIN + "package:\n  chart:\n    values: &v {a: [*v]}\n")
    assert checkout.problem() == "cd.yaml:5 (app): holds itself: an alias (`*name`) stands within what it names"


@pytest.mark.parametrize("text", ["[", "- ", "{a: ", "? "])
def test_absurd_nesting_is_refused_before_it_can_overflow_the_stack(checkout: Checkout, text: str) -> None:
    started = time.monotonic()
    assert "is nested deeper than 50 levels" in checkout.write(text * 250_000).problem()
    assert time.monotonic() - started < 5


def test_twenty_thousand_unknown_keys_are_told_in_a_hundred_lines(checkout: Checkout) -> None:
    checkout.write(PLAIN + "".join(f"key{n}: 1\n" for n in range(9000)))
    started = time.monotonic()
    problems = checkout.refused()
    assert len(problems) == 101
    assert problems[-1].endswith("there are more problems: these come first")
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("key", ["registry", "environments", "deploy_repository", "ledger", "defaults"])
def test_an_app_that_sets_a_platform_key_is_told_whose_it_is(checkout: Checkout, key: str) -> None:
    checkout.write(PLAIN + f"{key}: {{}}\n")
    assert checkout.problem() == f"cd.yaml:3 (app): {key}: only the platform file may set it"


def test_the_command_line_cannot_set_a_platform_key_either(checkout: Checkout) -> None:
    checkout.write(APP, PLATFORM)
    problem = checkout.problem("validate", "--set", "environments.staging.promotion=automatic")
    assert problem == "command line: environments: only the platform file may set it"


def test_a_platform_file_that_sets_an_app_key_is_told_where_it_belongs(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM + "ci: {}\n")
    assert "platform.yaml:17 (platform): ci: belongs in cd.yaml, or under `defaults`" in checkout.problem()


def test_an_environment_after_one_that_does_not_exist_is_told_the_nearest(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM.replace("after: dev", "after: dve"))
    assert checkout.problem() == (
        "platform.yaml:11 (platform): environments.staging.after: there is no environment 'dve' (did you mean dev?)"
    )


def test_environments_in_a_circle_are_told_once_with_the_way_round(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM.replace("after: ci", "after: staging"))
    assert checkout.problem() == (
        "platform.yaml:6 (platform): environments.dev.after: runs in a circle: dev after staging after dev; "
        "the first comes after ci"
    )


def test_an_environment_after_itself_is_a_circle(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM.replace("after: dev", "after: staging"))
    assert "staging after staging" in checkout.problem()


@pytest.mark.parametrize("key", ["app", "project"])
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_be_a_path_an_option_or_a_command_is_refused(checkout: Checkout, key: str, name: str) -> None:
    quoted = '"' + name.replace("\0", "\\0") + '"'
    problem = checkout.write(
        PLAIN.replace(f"{key}: {'storefront' if key == 'app' else 'shop'}", f"{key}: {quoted}")
    ).problem()
    assert problem.startswith(f"cd.yaml:{1 if key == 'app' else 2} (app): {key}: ")
    assert "expected a lower-case name" in problem or "U+0000" in problem
    assert len(problem) < 250


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_test_or_an_environment_is_held_to_the_same(checkout: Checkout, name: str) -> None:
    quoted = '"' + name.replace("\0", "\\0") + '"'
    app = PLAIN + f"tests:\n  {quoted}: {{run: x}}\n"
    platform = PLATFORM.replace("  staging:", f"  {quoted}:").replace("    tests: [smoke]\n", "")
    problems = checkout.write(app, platform).refused()
    assert [problem.split(": ")[0] for problem in problems] == ["platform.yaml:8 (platform)", "cd.yaml:4 (app)"]


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c id", "--upload-pack=x", "ssh://-oProxyCommand=id/x", "ssh://git@-oProxyCommand=id/x", "../deploy",
        "https://user:hunter22@git.local/x.git", "https://hunter22@git.local/x.git", "https://hunter22@x y",
        f"https://{'hunter22' * 9}@x/y", "ssh://git:hunter22@git.local/x",
        "file://host/x", "javascript:alert(1)", "https://a b/", "-x@h:p", "a@-h:p", "a@h:-p",
    ],
)  # fmt: skip
def test_a_git_url_that_is_a_command_or_holds_a_password_is_refused(checkout: Checkout, url: str) -> None:
    checkout.write(None, PLATFORM.replace("https://git.local/deploy.git", f'"{url}"'))
    problem = checkout.problem()
    assert problem.startswith(
        "platform.yaml:2 (platform): deploy_repository.url: expected a Git URL without a password"
    )
    assert "hunter22" not in problem


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "x.lock", "a//b", "~x", "a:b", "@{1}"])
def test_a_branch_that_git_would_not_take_is_refused(checkout: Checkout, branch: str) -> None:
    checkout.write(None, PLATFORM.replace("deploy.git}", f'deploy.git, branch: "{branch}"}}'))
    assert "deploy_repository.branch: expected a Git branch name" in checkout.problem()


def test_a_nul_byte_is_told_with_its_line(checkout: Checkout) -> None:
    checkout.write(b"app: a\nproject: b\x00c\n")
    assert checkout.problem() == "cd.yaml:2 (app): holds the control character U+0000: remove it"


def test_an_escaped_nul_byte_or_terminal_sequence_in_a_command_is_refused(checkout: Checkout) -> None:
    checkout.write(PLAIN + 'ci: {build: {run: "make\\0"}}\ntests: {a: {run: "\\e[2J"}}\n')
    assert checkout.refused() == [
        "cd.yaml:3 (app): ci.build.run: holds the control character U+0000: remove it",
        "cd.yaml:4 (app): tests.a.run: holds the control character U+001B: remove it",
    ]


def test_a_key_with_a_terminal_sequence_is_shown_without_it(checkout: Checkout) -> None:
    checkout.write(PLAIN + '"\\e[2Jx": 1\n')
    assert "\x1b" not in checkout.problem()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("app: a: b\n", "cd.yaml:1 (app): is not valid YAML: mapping values are not allowed"),
        ("app: [a\n", "cd.yaml:2 (app): is not valid YAML"),
        ("app: 'a\n", "cd.yaml:2 (app): is not valid YAML"),
        ("app: *a\n", "cd.yaml:1 (app): is not valid YAML: found undefined alias"),
        ("app: a\n---\napp: b\n", "cd.yaml:2 (app): holds a second document (`---`): expected one"),
        ("app: @a\n", "cd.yaml:1 (app): is not valid YAML"),
        ("%YAML 9.9\n---\napp: a\n", "cd.yaml:1 (app): is not valid YAML"),
        ('app: "\\ud800"\nproject: shop\n', "cd.yaml:1 (app): "),
    ],
)
def test_a_syntax_error_is_told_with_its_line(checkout: Checkout, text: str, said: str) -> None:
    assert checkout.write(text).problem().startswith(said)


def test_a_folder_a_pipe_and_an_unreadable_name_are_no_files(checkout: Checkout) -> None:
    (checkout.folder / "cd.yaml").mkdir()
    assert checkout.problem() == "cd.yaml (app): is not a file"
    os.mkfifo(checkout.folder / "platform.yaml")
    assert "platform.yaml (platform): is not a file" in checkout.refused()


def test_every_problem_of_both_files_and_the_command_line_comes_at_once(checkout: Checkout) -> None:
    checkout.write(
        "app: A\nproject: shop\nregistry: x\nci:\n  biuld: {}\n  dead-code: {gate: {new: -1}}\n",
        PLATFORM.replace("after: dev", "after: nowhere").replace("model: flux", "model: fluxx", 1),
    )
    problems = checkout.refused("validate", "--set", "ci.build.timeout=soon", "--set", "nonsense")
    assert [problem.split(": ")[:2] for problem in problems[:5]] == [
        ["platform.yaml:5 (platform)", "environments.dev.model"],
        ["cd.yaml:1 (app)", "app"],
        ["cd.yaml:3 (app)", "registry"],
        ["cd.yaml:5 (app)", "ci.biuld"],
        ["cd.yaml:6 (app)", "ci.dead-code.gate.new"],
    ]
    assert len(problems) == 7
    assert problems[5].startswith("command line: ci.build.timeout: expected a duration")
    assert problems[6].startswith("command line: --set 'nonsense': expected KEY=VALUE")


@pytest.mark.parametrize("command", ["ci", "explain", "validate", "doctor"])
def test_every_command_refuses_a_bad_file_before_it_does_anything(checkout: Checkout, command: str) -> None:
    checkout.write(APP.replace("shop", "../shop"), PLATFORM)
    assert checkout.problem(command).startswith("cd.yaml:2 (app): project: expected a lower-case name")
