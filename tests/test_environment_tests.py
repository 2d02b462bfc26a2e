"""The tests that an environment asks for, as an app may write them: careless, unlucky or hostile."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import environment_tests
from jenkins_cd.config.types import Environment, PlatformFile, Registry
from jenkins_cd.delivery import Target
from jenkins_cd.environment_tests import TestOutcome
from jenkins_cd.errors import BadInput
from jenkins_cd.findings import reports
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare, git
from tests.gitops.samples import release

PASSED = '<testsuite><testcase name="a"/></testsuite>'
Go = Callable[..., TestOutcome]


@pytest.fixture
def go(tmp_path: Path) -> Go:
    """Run an app's test, given its command and the pattern of its JUnit files."""

    def run(command: str, junit: str = "", timeout: str = "20s", **files: str) -> TestOutcome:
        more = f", junit: '{junit}'" if junit else ""
        (tmp_path / "smoke.sh").write_text(command)
        app = f"app: storefront\nproject: shop\ntests:\n  smoke: {{run: sh smoke.sh, timeout: {timeout}{more}}}\n"
        content = {"cd.yaml": app.encode(), "smoke.sh": command.encode()}
        source = bare(tmp_path / "app.git", content | {name: text.encode() for name, text in files.items()})
        return environment_tests_of(source, tmp_path)

    return run


def environment_tests_of(source: Path, folder: Path) -> TestOutcome:
    dev = Environment(model="flux", after="ci", tests=("smoke",), health_url="http://127.0.0.1:9")
    registry = Registry(images="registry.local/apps", charts="oci://registry.local/charts")
    platform = PlatformFile(registry=registry, environments={"dev": dev})
    target = Target(name="dev", environment=dev, platform=platform, url="http://127.0.0.1:9", progress=Notes())
    commit = git(source, "rev-parse", "main").strip()
    released = replace(release("1.0.0"), commit=commit, source=str(source))
    environment_tests.fetch(released, target, folder / "out")
    return environment_tests.run(released, target, folder / "out")


def written(text: str = PASSED, file: str = "reports/a.xml") -> str:
    return f"mkdir -p $(dirname {file}); echo '{text}' > {file}\n"


@pytest.mark.parametrize(
    "pattern",
    ["reports/*.xml", "reports/**.xml", "**/*.xml", "reports/[a-z].xml", "reports/a.xml", "**/**/a.xml"],
)
def test_every_pattern_that_ci_takes_is_taken_here_and_means_the_same(go: Go, tmp_path: Path, pattern: str) -> None:
    outcome = go(written(), pattern)
    in_ci = tmp_path / "ci"
    (in_ci / "reports").mkdir(parents=True)
    (in_ci / "reports" / "a.xml").write_text(PASSED)
    assert bool(reports.seen(in_ci, pattern)) == (outcome.failure == "")


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("mkdir reports; mkfifo reports/a.xml", "reports/a.xml is no file"),
        ("mkdir reports; ln -s /dev/zero reports/a.xml", "is a link out of "),
        ("mkdir reports; ln -s /etc/passwd reports/a.xml", "is a link out of "),
        ("mkdir reports; mkfifo fifo; ln -s ../fifo reports/a.xml", "reports/a.xml is no file"),
        ("mkdir reports; ln -s nowhere reports/a.xml", "cannot be read: No such file"),
        ("mkdir reports; ln -s a.xml reports/a.xml", "cannot be read: Too many levels"),
        ("ln -s / reports", "reports is a link out of "),
        ("ln -s /proc reports", "reports is a link out of "),
        ("mkdir reports; truncate -s 300M reports/a.xml", "larger than 200 MB"),
        ("mkdir reports; for n in 1 2 3; do truncate -s 90M reports/$n.xml; done", "larger than 200 MB"),
        ("mkdir reports; echo '<' > reports/a.xml", "is no XML"),
        ("mkdir reports; echo '<a/>' > reports/a.xml", "is no JUnit report"),
        ("mkdir -p reports/a.xml", "is missing: nothing wrote it"),
        ("true", "is missing: nothing wrote it"),
        (written("<testsuite/>"), "hold no test"),
        (written('<!DOCTYPE x [<!ENTITY e "e">]><testsuite/>'), "entities are not read"),
    ],
)
def test_what_is_no_report_fails_the_test_and_is_not_read(go: Go, command: str, why: str) -> None:
    outcome = go(command, "reports/*.xml")
    assert outcome.failure.startswith("smoke: ")
    assert why in outcome.failure


def test_what_a_test_cannot_have_written_does_not_stand_for_it(go: Go) -> None:
    outcome = go("true", "reports/*.xml", **{"reports/a.xml": PASSED})
    assert outcome.failure.endswith("is of an earlier run: this one did not write it")
    assert go("touch -d 2001-01-01 reports/b.xml; true", "reports/a.xml", **{"reports/a.xml": PASSED}).failure
    assert go(written(), "reports/*.xml", **{"reports/a.xml": "<old/>"}).failure == ""


def test_a_link_within_the_checkout_is_followed_to_its_file(go: Go) -> None:
    to_a_file = f"{written(file='build/out.xml')}mkdir reports; ln -s ../build/out.xml reports/a.xml"
    assert go(to_a_file, "reports/*.xml") == go(written(), "reports/*.xml")
    assert go(f"{written(file='build/a.xml')}ln -s build reports", "reports/*.xml").failure == ""


@pytest.mark.parametrize("link", ["ln -s . reports/loop", "ln -s .. reports/loop", "ln -s / reports/loop"])
def test_links_to_folders_are_not_followed_without_end(go: Go, link: str) -> None:
    outcome = go(f"{written()}{link}", "**/*.xml")
    assert outcome.failure == ""
    assert len(outcome.tests.cases) == 1


def test_folders_in_folders_without_end_are_no_trouble(go: Go, tmp_path: Path) -> None:
    deep = f"{written()}python3 -c \"import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\""
    assert go(deep, "**/*.xml").failure == ""
    subprocess.run(["rm", "-rf", tmp_path / "out"], check=True)  # pytest cannot


def test_more_files_than_anybody_writes_are_refused(go: Go, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "MOST", 3)
    assert (
        "matches more than 3 files"
        in go("mkdir reports; touch reports/1 reports/2 reports/3 reports/4", "reports/*").failure
    )


@pytest.mark.parametrize("target", ["/dev/zero", "/etc/passwd", "nowhere"])
def test_a_configuration_that_is_a_link_out_of_the_commit_is_not_read(tmp_path: Path, target: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    git(app, "init", "-q")
    (app / "cd.yaml").symlink_to(target)
    git(app, "add", "cd.yaml")
    git(app, "commit", "-q", "-m", "A link")
    with pytest.raises(BadInput, match=r"cd\.yaml (is a link out of|cannot be read)"):
        environment_tests_of(app, tmp_path)


def test_a_test_that_leaves_a_program_behind_is_rid_of_it(go: Go, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    command = (
        f"setsid sh -c 'echo $$ > {pid}; exec sleep 300' >/dev/null 2>&1 &\nwhile ! [ -s {pid} ]; do sleep 0.05; done"
    )
    assert go(command).failure == ""
    assert not Path(f"/proc/{pid.read_text().strip()}/cmdline").exists()


def test_a_test_finds_no_credentials(go: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "canary-for-tests")
    assert go("env; cat /proc/self/environ /proc/$PPID/environ 2>&1; true").failure == ""
    log = tmp_path / "out" / "tests" / "dev" / "smoke.log"
    assert "APP_VERSION=1.0.0" in log.read_text(errors="replace")
    assert "canary" not in log.read_text(errors="replace")
    assert "****" not in log.read_text(errors="replace")
    assert os.environ["JENKINS_CD_GIT_PASSWORD"] == "canary-for-tests"


@pytest.mark.parametrize("linked", ["tests", "tests/dev"])
def test_nothing_is_checked_out_or_removed_where_an_earlier_test_has_left_a_link(
    go: Go, tmp_path: Path, linked: str
) -> None:
    precious = tmp_path / "elsewhere" / ("dev/source" if linked == "tests" else "source")
    precious.mkdir(parents=True)
    link = tmp_path / "out" / linked
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is a link, not a folder: nothing is written there"):
        go(written())
    assert list(precious.parent.iterdir()) == [precious]
