from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd import ci, results
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import GateFailed, Refused
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Release, StageResult
from jenkins_cd.stages import Build, upload
from jenkins_cd.tools import registry as oci
from tests.stages.shop import Shop, git, passed

PATIENCE = 60.0  # seconds that something may take to happen


@pytest.fixture
def shop(tmp_path: Path, registry: Registry) -> Shop:
    return Shop.create(tmp_path, registry.host)


def published(build: Build) -> Release | None:
    assert build.config.platform
    return Ledger.open(build.config.platform).release("shop/storefront", build.version)


def tags(shop: Shop, version: str = "1.0.0") -> tuple[str | None, str | None]:
    """Return the digests under the tags of image and chart."""
    image, chart = f"{shop.images}/storefront", f"{shop.charts}/storefront"
    return oci.digest(image, version, plain_http=True), oci.digest(chart, version, plain_http=True)


def digests(release: Release | None) -> tuple[str | None, str | None]:
    assert release
    assert release.image
    return release.image.digest, release.chart.digest


def test_a_release_is_what_the_registry_holds_and_the_ledger_says(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILD_URL", "https://jenkins.local/job/shop/7/")
    monkeypatch.setenv("BUILD_USER_ID", "jane")
    build = shop.package()
    result = upload.run(build)
    assert (result.status, result.reason) == ("passed", "storefront 1.0.0 published")
    release = published(build)
    assert release == result.release
    assert release
    assert tags(shop) == digests(release)
    assert (release.commit, release.source) == (build.commit, build.source)
    assert (release.published_by, release.build_url) == ("jane", "https://jenkins.local/job/shop/7/")
    assert [command.line.split()[:2] for command in result.commands if "push" in command.line.split()[1]] == [
        ["buildah", "push"],
        ["helm", "push"],
    ]


def test_publishing_the_same_again_changes_nothing(shop: Shop) -> None:
    first = upload.run(shop.package())
    ledger = git(shop.deploy, "rev-parse", "ledger")
    second = upload.run(shop.package())
    assert second.reason == "storefront 1.0.0 was published already with the same content; nothing was changed"
    assert second.release == first.release
    assert git(shop.deploy, "rev-parse", "ledger") == ledger
    assert not [command for command in second.commands if "push" in command.line]


def test_other_content_under_a_published_version_is_refused_before_anything_is_pushed(shop: Shop) -> None:
    first = upload.run(shop.package()).release
    shop.commit({"page.html": "<h1>Another shop</h1>\n"})
    build = shop.package()
    with pytest.raises(Refused, match=r"storefront 1\.0\.0 is published already, with other content") as caught:
        upload.run(build)
    assert first
    assert first.image
    assert first.image.content in caught.value.message
    assert tags(shop) == digests(first)
    assert upload.run(shop.package("1.0.1")).status == "passed"


def test_a_release_from_another_source_is_refused_before_any_work_and_before_anything_is_pushed(shop: Shop) -> None:
    upload.run(shop.package())
    git(shop.checkout, "remote", "add", "origin", "https://git.local/mallory/storefront.git")
    build = shop.package("9.0.0")
    words = r"shop/storefront 9\.0\.0 comes from https://git\.local/mallory/storefront\.git"
    for act in (lambda: ci.check_source(build, ["upload"]), lambda: upload.run(build)):
        with pytest.raises(Refused, match=words):
            act()
    assert tags(shop, "9.0.0") == (None, None)
    assert published(build) is None
    ci.check_source(build, ["build"])
    ci.check_source(replace(build, unreleased="it is a branch"), ["upload"])


def test_a_source_that_is_bound_is_checked_without_the_ledger(shop: Shop) -> None:
    git(shop.checkout, "remote", "add", "origin", "git@git.local:shop/storefront.git")
    bound = (
        Path(shop.platform).read_text(encoding="utf-8").replace(str(shop.deploy), str(shop.deploy.parent / "away.git"))
    )
    for url, allowed in (("https://git.local/{project}/{app}.git", True), ("https://git.local/museum/*", False)):
        Path(shop.platform).write_text(f"{bound}apps: {{'*': '{url}'}}\n", encoding="utf-8")
        build = shop.build()
        if allowed:
            ci.check_source(build, ["upload"])  # that the ledger is away is for the stage to tell
        else:
            with pytest.raises(Refused, match="the platform file binds it to https://git"):
                ci.check_source(build, ["upload"])


def test_who_wrote_the_commit_is_recorded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Jane")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "jane@shop.example")
    shop.commit({"page.html": "<h1>Another shop</h1>\n"})
    release = upload.run(shop.package()).release
    assert release
    assert release.authors[0] == "Jane <jane@shop.example>"


def test_a_changed_checkout_is_refused(shop: Shop) -> None:
    build = shop.package()
    (shop.checkout / "page.html").write_text("changed\n", encoding="utf-8")
    with pytest.raises(Refused, match="files of the checkout differ from the commit"):
        upload.run(shop.build())
    assert tags(shop) == (None, None)
    git(shop.checkout, "checkout", "--", "page.html")
    made = results.load(build.out, "package", StageResult)
    assert made
    results.save(build.out, "package", replace(made, dirty=True))  # as a run on the changed files has left it
    with pytest.raises(GateFailed, match="package: it ran on files that differed from the commit"):
        upload.run(shop.build())


Spoil = Callable[[Build], object]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda build: (build.out / "unit-tests.json").unlink(), "unit-tests: it has not run here"),
        (
            lambda build: results.save(
                build.out, "unit-tests", replace(passed(build, "unit-tests"), status="failed", reason="2 tests failed")
            ),
            "unit-tests: it failed: 2 tests failed",
        ),
        (
            lambda build: results.save(build.out, "unit-tests", replace(passed(build, "unit-tests"), commit="0" * 40)),
            r"unit-tests: it ran for 1\.0\.0 \(000000000000\), not for 1\.0\.0 \(",
        ),
        (
            lambda build: results.save(build.out, "unit-tests", replace(passed(build, "unit-tests"), version="0.9.0")),
            r"unit-tests: it ran for 0\.9\.0",
        ),
        (
            lambda build: (build.out / "package" / "storefront-1.0.0.tgz").write_bytes(b"tampered with"),
            "package: .* is not the file that it made",
        ),
        (
            lambda build: results.save(build.out, "package", passed(build, "package")),
            "package: its result names no package",
        ),
    ],
    ids=["not run", "failed", "other commit", "other version", "other file", "no package"],
)
def test_nothing_is_uploaded_unless_every_stage_has_passed_for_this_commit_and_version(
    shop: Shop, spoil: Spoil, words: str
) -> None:
    build = shop.package()
    spoil(build)
    with pytest.raises(GateFailed, match=words) as caught:
        upload.run(build)
    assert caught.value.hint == f"jenkins-cd ci {words.partition(':')[0]}"
    assert tags(shop) == (None, None)
    assert published(build) is None


def test_a_skipped_stage_counts_as_passed(shop: Shop) -> None:
    build = shop.package()
    results.save(build.out, "sonar-scan", replace(passed(build, "sonar-scan"), status="skipped"))
    assert upload.run(build).status == "passed"


def test_a_stage_that_does_not_apply_need_not_have_run(shop: Shop) -> None:
    build = shop.package()
    for stage in ("sonar-scan", "dead-code"):
        (build.out / f"{stage}.json").unlink()
    assert upload.run(build).status == "passed"


def test_without_platform_file_there_is_nowhere_to_upload_to(shop: Shop) -> None:
    assert upload.skip_reason(shop.build(platform=False)) == "no platform file: there is no registry to upload to"
    assert upload.skip_reason(shop.build()) == ""


def test_tags_that_were_moved_are_put_back(shop: Shop) -> None:
    upload.run(shop.package())
    upload.run(shop.package("1.0.1"))
    first, other = published(shop.build()), published(shop.build("1.0.1"))
    oci.tag(f"{shop.charts}/storefront", digests(other)[1] or "", "1.0.0", plain_http=True)
    assert tags(shop) != digests(first)
    upload.run(shop.package())
    assert tags(shop) == digests(first)


# --- several at once, and runs that are killed ----------------------------------------------------------------------


@contextmanager
def uploading(shop: Shop, path: str = "") -> Iterator[subprocess.Popen[str]]:
    """Run `jenkins-cd ci upload` as a process of its own, its programs looked up in `path` first."""
    command = [sys.executable, "-m", "jenkins_cd", "ci", "upload", "--version", "1.0.0", "--platform", shop.platform]
    environment = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen(
        command,
        cwd=shop.checkout,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def stalling(folder: Path, program: str) -> Path:
    """Put a program into `folder` that waits before it pushes, until the file `go` is there; returns the folder.

    It leaves its process ID in the file `waiting`.
    """
    folder.mkdir()
    real = shutil.which(program)
    (folder / program).write_text(
        "#!/bin/sh\n"
        f'case " $* " in *" push "*) echo $$ > {folder}/pid; mv {folder}/pid {folder}/waiting\n'
        f"  while [ ! -e {folder}/go ]; do sleep 0.05; done;; esac\n"
        f'exec {real} "$@"\n',
        encoding="utf-8",
    )
    (folder / program).chmod(0o755)
    return folder


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"{file} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("program", "pushed"),
    [("buildah", (False, False)), ("helm", (True, False)), ("git", (True, True))],
    ids=["before the image", "between image and chart", "between chart and ledger"],
)
def test_an_upload_that_was_killed_is_completed_by_the_next_run(
    shop: Shop, tmp_path: Path, program: str, pushed: tuple[bool, bool]
) -> None:
    build = shop.package()
    folder = stalling(tmp_path / "programs", program)
    with uploading(shop, str(folder)) as process:
        wait_for(folder / "waiting", process)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    os.killpg(os.getpgid(int((folder / "waiting").read_text())), signal.SIGKILL)
    assert tuple(bool(digest) for digest in tags(shop)) == pushed
    assert published(build) is None
    result = upload.run(build)
    assert result.reason == "storefront 1.0.0 published"
    assert tags(shop) == digests(published(build))


def twin(shop: Shop, folder: Path) -> Shop:
    """Return a second checkout of the app, on another agent so to speak."""
    other = replace(shop, checkout=folder / "twin" / "checkout")
    git(shop.checkout, "clone", "--quiet", str(shop.checkout), str(other.checkout))
    git(other.checkout, "remote", "set-url", "origin", f"file://{shop.checkout}")
    shutil.copy(shop.platform, other.platform)
    return other


def test_of_two_uploads_of_the_same_at_once_one_publishes_and_the_other_has_nothing_to_do(
    shop: Shop, tmp_path: Path
) -> None:
    other = twin(shop, tmp_path)
    build = shop.package()
    other.package()
    with uploading(shop) as one, uploading(other) as two:
        said = [process.communicate(timeout=PATIENCE)[0] for process in (one, two)]
    assert (one.returncode, two.returncode) == (0, 0), said
    assert sorted("published already" in " ".join(text.split()) for text in said) == [False, True], said
    assert tags(shop) == digests(published(build))


def test_of_two_uploads_with_other_content_one_is_refused_and_the_tags_stay_with_the_other(
    shop: Shop, tmp_path: Path
) -> None:
    other = twin(shop, tmp_path)
    other.commit({"page.html": "<h1>Another shop</h1>\n"})
    shop.package()
    build = other.package()
    folder = stalling(tmp_path / "programs", "helm")
    with uploading(shop, str(folder)) as loser:
        wait_for(folder / "waiting", loser)  # it has seen that nothing is published, and has pushed its image
        assert upload.run(build).reason == "storefront 1.0.0 published"
        (folder / "go").touch()
        said = loser.communicate(timeout=PATIENCE)[0]
    assert loser.returncode == 4, said
    assert "is published already, with other content" in " ".join(said.split())
    release = published(build)
    assert release
    assert release.commit == build.commit
    assert tags(shop) == digests(release)
