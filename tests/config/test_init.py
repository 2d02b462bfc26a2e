from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path

import pytest

from jenkins_cd.config.init import Answers, render, write
from jenkins_cd.config.load import load
from jenkins_cd.errors import BadInput
from tests.config.files import Checkout

SAID = ("--app", "storefront", "--project", "shop")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


@pytest.mark.parametrize(
    ("file", "toolchain"), [("go.mod", "go"), ("setup.py", "python"), ("pyproject.toml", "python")]
)
def test_the_file_is_for_the_toolchain_that_is_found_and_is_right(
    checkout: Checkout, file: str, toolchain: str
) -> None:
    (checkout.folder / file).touch()
    assert checkout.run("init", *SAID)[0] == 0
    assert load(checkout.folder).app.toolchain == toolchain
    assert checkout.run("validate")[0] == 0


@pytest.mark.parametrize("toolchain", ["go", "python", "custom"])
def test_every_key_that_is_only_a_comment_is_right_too(checkout: Checkout, toolchain: str) -> None:
    text = render(Answers(app="storefront", project="shop", toolchain=toolchain))
    lines = text.splitlines()
    live = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") and _is_yaml(line) else line for line in lines]
    checkout.write("\n".join(live).replace("  image: {dockerfile: Dockerfile}\n", "") + "\n")
    assert checkout.run("validate")[:1] == (0,), checkout.run("validate")[2]
    app = load(checkout.folder).app
    assert (app.ci.unit_tests.coverage.minimum, app.tests["smoke"].run) == (80, "./smoke.sh")


def _is_yaml(line: str) -> bool:
    inner = line.strip().removeprefix("#").strip()
    key = inner.partition(":")[0]
    return " " not in key and not inner.endswith(".") and ":" in inner


def test_a_file_that_is_there_stays_as_it_is(checkout: Checkout) -> None:
    (checkout.folder / "go.mod").touch()
    checkout.write("mine: 1\n")
    code, out, err = checkout.run("init", *SAID)
    assert (code, out) == (2, "")
    assert "stays as it is" in err
    assert (checkout.folder / "cd.yaml").read_text(encoding="utf-8") == "mine: 1\n"
    assert sorted(file.name for file in checkout.folder.iterdir()) == ["cd.yaml", "go.mod"]


def test_a_link_to_nowhere_is_not_written_through(checkout: Checkout) -> None:
    (checkout.folder / "cd.yaml").symlink_to(checkout.folder / "elsewhere")
    assert checkout.run("init", *SAID, "--toolchain", "go")[0] == 2
    assert not (checkout.folder / "elsewhere").exists()


def test_of_many_who_write_at_once_one_does(tmp_path: Path) -> None:
    refused: list[BadInput] = []

    def attempt(number: int) -> None:
        try:
            write(tmp_path, f"{number}\n" * 1000)
        except BadInput as error:
            refused.append(error)

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    assert len(set((tmp_path / "cd.yaml").read_text(encoding="utf-8").splitlines())) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["cd.yaml"]


@pytest.mark.parametrize(
    ("url", "app", "project"),
    [
        ("https://git.local/shop/storefront.git", "storefront", "shop"),
        ("git@git.local:Team_A/My.App.git", "my-app", "team-a"),
        ("ssh://git@git.local:22/a/b/c/", "c", "b"),
        ("https://user:hunter22@git.local/shop/storefront", "storefront", "shop"),
    ],
)
def test_names_come_from_the_git_remote(checkout: Checkout, url: str, app: str, project: str) -> None:
    git(checkout.folder, "init", "-q")
    git(checkout.folder, "remote", "add", "origin", url)
    assert checkout.run("init", "--toolchain", "go")[0] == 0
    made = load(checkout.folder).app
    assert (made.app, made.project) == (app, project)
    assert "hunter22" not in (checkout.folder / "cd.yaml").read_text(encoding="utf-8")


def test_without_a_remote_names_come_from_the_folders(checkout: Checkout) -> None:
    folder = checkout.folder / "9 Shops" / ("Ünder_Score " + "x" * 80)
    folder.mkdir(parents=True)
    assert checkout.run("init", "-C", str(folder), "--toolchain", "go")[0] == 0
    made = load(folder).app
    assert made.project == "shops"
    assert made.app == "nder-score-" + "x" * 42


def test_a_folder_of_which_no_name_can_be_made_asks_for_one(checkout: Checkout) -> None:
    folder = checkout.folder / "shop" / "123"
    folder.mkdir(parents=True)
    code, _, err = checkout.run("init", "-C", str(folder), "--toolchain", "go")
    assert code == 2
    assert "no name for the app can be made of '123'" in err
    assert "jenkins-cd init --app NAME" in err


@pytest.mark.parametrize("name", ["../x", "a b", "-rf", "$(id)", "x" * 300, "a\nb: c", ""])
@pytest.mark.parametrize("option", ["--app", "--project", "--toolchain"])
def test_a_name_that_is_none_writes_nothing(checkout: Checkout, option: str, name: str) -> None:
    said = {"--app": "storefront", "--project": "shop", "--toolchain": "go", option: name}
    code, _, err = checkout.run("init", *(f"{key}={value}" for key, value in said.items()))
    assert code == 2
    assert re.search("is no (name|toolchain)", err)
    assert list(checkout.folder.iterdir()) == []


@pytest.mark.parametrize("files", [[], ["go.mod", "setup.py"]])
def test_where_no_toolchain_or_more_than_one_fits_it_asks(checkout: Checkout, files: list[str]) -> None:
    for file in files:
        (checkout.folder / file).touch()
    assert checkout.run("init", *SAID)[0] == 2
    assert not (checkout.folder / "cd.yaml").exists()
