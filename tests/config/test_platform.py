from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from jenkins_cd.config.load import load_platform
from jenkins_cd.errors import BadInput, ExternalFailure
from tests.config.files import APP, PLATFORM, Checkout


def named(branch: str) -> str:
    return PLATFORM.replace("deploy.git}", f"deploy.git, branch: {branch}}}")


def branch_of(checkout: Checkout, platform: str | None = None) -> str:
    return load_platform(platform, checkout.folder).declared_in.branch


@pytest.fixture
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    (folder / "shop").mkdir()
    (folder / "shop" / "platform.yaml").write_text(named("of-git"), encoding="utf-8")
    (folder / "broken.yaml").write_text("registry: 1\nenvironment: {}\n", encoding="utf-8")
    (folder / "large.yaml").write_bytes(b" " * (2 << 20))
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def test_the_argument_wins_over_the_variable_and_that_over_the_file_beside(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.write(None, named("beside"))
    (checkout.folder / "variable.yaml").write_text(named("variable"), encoding="utf-8")
    (checkout.folder / "argument.yaml").write_text(named("argument"), encoding="utf-8")
    assert branch_of(checkout) == "beside"
    monkeypatch.setenv("JENKINS_CD_PLATFORM", "")
    assert branch_of(checkout) == "beside"
    monkeypatch.setenv("JENKINS_CD_PLATFORM", "variable.yaml")
    assert branch_of(checkout) == "variable"
    assert branch_of(checkout, "argument.yaml") == "argument"


@pytest.mark.parametrize("way", ["argument", "variable"])
def test_a_file_that_is_named_must_be_there(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    checkout.write(None, PLATFORM)
    monkeypatch.setenv("JENKINS_CD_PLATFORM", "gone.yaml" if way == "variable" else "")
    arguments = ("--platform", "gone.yaml") if way == "argument" else ()
    assert checkout.problem("validate", *arguments) == "gone.yaml (platform): there is no such file"


@pytest.mark.parametrize("ref", ["main", "v1"])
def test_it_is_read_from_a_git_repository(checkout: Checkout, repository: Path, ref: str) -> None:
    assert branch_of(checkout, f"git+file://{repository}@{ref}:shop/platform.yaml") == "of-git"


def test_a_problem_of_a_file_in_git_is_told_with_repository_and_line(checkout: Checkout, repository: Path) -> None:
    place = f"git+file://{repository}@main:broken.yaml"
    problems = checkout.refused("validate", "--platform", place)
    assert problems[0].startswith(f"{place}:1 (platform): ")
    assert f"{place}:2 (platform): environment: no such key (did you mean environments?)" in problems


def test_a_large_file_in_git_is_refused(checkout: Checkout, repository: Path) -> None:
    assert "has 2.0 MiB" in checkout.problem("validate", "--platform", f"git+file://{repository}@main:large.yaml")


@pytest.mark.parametrize(
    "place", ["git+", "git+https://git.local/x.git", "git+https://git.local/x.git@main", "git+https://x@-rf:a.yaml"]
)
def test_a_place_in_git_that_is_none_is_told_with_what_one_looks_like(checkout: Checkout, place: str) -> None:
    with pytest.raises(BadInput, match="names no file in a Git repository") as caught:
        load_platform(place, checkout.folder)
    assert "git+URL@REF:PATH" in caught.value.hint


@pytest.mark.parametrize("rest", ["main:../x.yaml", "main:gone.yaml", "gone:platform.yaml"])
def test_a_file_or_ref_that_is_not_in_the_repository_is_bad_input(
    checkout: Checkout, repository: Path, rest: str
) -> None:
    with pytest.raises(BadInput):
        load_platform(f"git+file://{repository}@{rest}", checkout.folder)


def test_a_repository_that_cannot_be_reached_is_worth_a_retry(checkout: Checkout) -> None:
    with pytest.raises(ExternalFailure):
        load_platform("git+http://127.0.0.1:1/x.git@main:platform.yaml", checkout.folder)


def test_a_password_in_the_place_is_not_shown(checkout: Checkout) -> None:
    code, out, err = checkout.run("validate", "--platform", "git+https://jane:hunter22@127.0.0.1:1/x.git@main:p.yaml")
    assert (code, out, "hunter22" in err) == (2, "", False)


def digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.mark.parametrize("way", ["beside", "argument", "git"])
def test_the_file_that_the_run_was_planned_with_is_read(
    checkout: Checkout, repository: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    checkout.write(None, named("of-git"))
    monkeypatch.setenv("JENKINS_CD_PLATFORM_DIGEST", digest(named("of-git")))
    given = {"argument": "platform.yaml", "git": f"git+file://{repository}@main:shop/platform.yaml"}
    assert branch_of(checkout, given.get(way)) == "of-git"


@pytest.mark.parametrize("way", ["beside", "argument", "git"])
def test_a_platform_file_that_was_changed_since_the_plan_is_refused(
    checkout: Checkout, repository: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    checkout.write(None, named("changed"))
    monkeypatch.setenv("JENKINS_CD_PLATFORM_DIGEST", digest(named("planned")))
    given = {"argument": "platform.yaml", "git": f"git+file://{repository}@main:shop/platform.yaml"}
    with pytest.raises(BadInput, match="is not the one that this run was planned with") as caught:
        load_platform(given.get(way), checkout.folder)
    assert "start the build anew" in caught.value.hint


@pytest.mark.parametrize("planned", ["sha256:", "nonsense", digest(named("planned")).upper(), "sha256:" + "0" * 64])
def test_a_digest_that_is_none_fits_no_file(checkout: Checkout, monkeypatch: pytest.MonkeyPatch, planned: str) -> None:
    checkout.write(None, named("planned"))
    monkeypatch.setenv("JENKINS_CD_PLATFORM_DIGEST", planned)
    with pytest.raises(BadInput, match="is not the one"):
        branch_of(checkout)


def test_a_file_that_was_removed_since_the_plan_is_refused_and_not_done_without(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout.write(APP)
    monkeypatch.setenv("JENKINS_CD_PLATFORM", "platform.yaml")
    monkeypatch.setenv("JENKINS_CD_PLATFORM_DIGEST", digest(PLATFORM))
    assert checkout.problem() == "platform.yaml (platform): there is no such file"


def test_one_character_more_is_another_file(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.write(APP, PLATFORM + "\n")
    monkeypatch.setenv("JENKINS_CD_PLATFORM_DIGEST", digest(PLATFORM))
    code, out, err = checkout.run("validate")
    assert (code, out) == (2, "")
    assert "the platform file platform.yaml is not the one that this run was planned with" in err
    assert "Traceback" not in err
