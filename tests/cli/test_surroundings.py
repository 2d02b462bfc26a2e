"""Whatever surrounds a command: it ends with one message, a next step, and an exit code that says whose turn it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import jenkins_cd
from jenkins_cd.errors import BadInput
from jenkins_cd.tools.lock import cache_folder

APP = """\
app: mini
project: shop
toolchain: custom
package: {image: {enabled: false}, chart: {values: {image: {repository: x/y, tag: a}}}}
ci:
  build: {run: "true"}
  code-standard: {run: "echo a.c:1: warning: odd", format: text}
"""
PLATFORM = """\
registry: {{images: "127.0.0.1:1/a", charts: "oci://127.0.0.1:1/c"}}
deploy_repository: {{url: "file://{deploy}"}}
environments: {{dev: {{model: flux, after: ci, health_url: "http://127.0.0.1:1"}}}}
"""
CALL = f"{sys.executable} -m jenkins_cd"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app, its platform file and an empty deploy repository."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "cd.yaml").write_text(APP)
    (folder / "platform.yaml").write_text(PLATFORM.format(deploy=tmp_path / "deploy.git"))
    subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "deploy.git")], check=True)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1.0.0"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def shell(folder: Path | bytes, script: str, **env: str) -> tuple[int, str]:
    """Run a script in which `cd` stands for jenkins-cd; returns the exit code, and both streams."""
    done = subprocess.run(
        ["sh", "-c", f'cdx() {{ {CALL} "$@"; }}; {script}'],
        cwd=folder,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def told(folder: Path | bytes, script: str, code: int, *words: str, **env: str) -> str:
    """Run a script that has to end with `code` and one message that has all of `words`."""
    ended, said = shell(folder, script, **env)
    assert ended == code, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert [word for word in words if word not in said] == [], said
    return said


def test_a_cache_that_cannot_be_one_is_named_with_the_variable_that_moves_it(app: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told(app, "cdx status", 2, "XDG_CACHE_HOME", "next:", XDG_CACHE_HOME=str(tmp_path / "file"))
    told(app, "unset XDG_CACHE_HOME; cdx status", 2, "/proc/nowhere", "next:", HOME="/proc/nowhere")
    (tmp_path / "cache").mkdir()
    os.mkfifo(tmp_path / "cache/jenkins-cd")
    told(app, "cdx status", 2, "cache/jenkins-cd", "next:", XDG_CACHE_HOME=str(tmp_path / "cache"))


def test_a_user_that_nobody_knows_and_that_has_no_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")  # as pathlib does

    monkeypatch.setattr(Path, "home", unknown)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    with pytest.raises(BadInput, match="there is no place for the cache: HOME is not set") as caught:
        cache_folder()
    assert "XDG_CACHE_HOME" in caught.value.hint


@pytest.mark.parametrize("command", ["explain", "schema app", "--version", "--help", "ci --plan --json"])
def test_a_full_disk_at_standard_output_is_worth_a_retry(app: Path, command: str) -> None:
    told(app, f"cdx {command} >/dev/full", 3, "standard output: the disk is full", "next:")


@pytest.mark.parametrize("command", ["explain", "validate", "ci --plan"])
def test_a_standard_output_that_is_closed_is_told(app: Path, command: str) -> None:
    told(app, f"cdx {command} >&-", 2, "standard output: it is closed", "next:")


def test_without_standard_error_or_input_a_command_does_its_work(app: Path) -> None:
    assert "mini" in told(app, "cdx ci --plan 2>&- <&-", 0)


@pytest.mark.parametrize("command", ["schema platform", "explain", "--help", "ci --plan --json", "--version"])
def test_a_reader_that_has_gone_ends_it_quietly(app: Path, command: str) -> None:
    code, said = shell(app, f"(cdx {command}; echo $? >code) | true; cat code")
    assert (code, said) in ((0, "141\n"), (0, "0\n"))  # 0 where it was faster than its reader


def test_a_folder_that_is_gone_is_told(app: Path, tmp_path: Path) -> None:
    gone = f"mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; "
    for command in ("validate", "ci", "status", "init"):
        told(app, f"{gone} cdx {command}", 2, "next:")


def test_a_number_of_git_settings_that_is_none_is_told(app: Path) -> None:
    told(app, "cdx status", 2, "GIT_CONFIG_COUNT is 'abc'", "next:", GIT_CONFIG_COUNT="abc")


def test_a_place_for_temporary_files_that_is_not_there_is_no_traceback(app: Path) -> None:
    code, said = shell(app, "cdx ci build", TMPDIR="/nonexistent")
    assert code == 0, said


def test_an_argument_or_a_variable_that_is_no_text_is_bad_input_or_shown_as_it_is(app: Path) -> None:
    told(app, "cdx ci --version $(printf '\\377')", 2, "is not UTF-8", "\\xff")
    told(app, "BUILD_URL=$(printf '\\377') cdx ci build", 0)


def test_any_encoding_of_the_terminal_shows_what_there_is_to_say(app: Path) -> None:
    for env in ({"PYTHONIOENCODING": "ascii:strict"}, {"LC_ALL": "tlh_KL.latin-9"}, {"PYTHONUTF8": "0", "LC_ALL": "C"}):
        told(app, "cdx explain && cdx ci build", 0, **env)


def test_a_checkout_whose_name_is_no_text_is_no_traceback(app: Path) -> None:
    odd = os.fsencode(app.parent) + b"/\xff"
    os.rename(app, odd)  # noqa: PTH104 - the name is bytes
    code, said = shell(odd, "cdx ci build")
    assert code in (0, 2, 3), said  # some versions of Git refuse such a name
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("place", "make"),
    [
        (".jenkins-cd", "file"),
        (".jenkins-cd", "pipe"),
        (".jenkins-cd", "link"),
        (".jenkins-cd", "link to nowhere"),
        (".jenkins-cd/logs", "file"),
        (".jenkins-cd/logs", "link"),
        (".jenkins-cd/build", "link"),
        (".jenkins-cd/package", "link"),
        (".jenkins-cd/report", "link"),
        (".jenkins-cd/report", "file"),
        (".jenkins-cd/locks", "link"),
        (".jenkins-cd/build.json", "link"),
    ],
)
def test_results_that_would_land_elsewhere_are_refused(app: Path, tmp_path: Path, place: str, make: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("keep")
    (app / place).parent.mkdir(exist_ok=True)
    if make == "pipe":
        os.mkfifo(app / place)
    elif make == "file":
        (app / place).write_text("")
    else:
        (app / place).symlink_to(outside if make == "link" else "/nonexistent")
    told(app, "cdx ci build", 2, place, "next: remove it")
    assert [file.name for file in outside.iterdir()] == ["precious"]


def test_a_log_that_is_a_link_is_replaced_and_what_it_names_stays(app: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (app / ".jenkins-cd/logs").mkdir(parents=True)
    (app / ".jenkins-cd/logs/build.log").symlink_to(tmp_path / "precious")
    told(app, "cdx ci build", 0)
    assert (tmp_path / "precious").read_text() == "keep"


@pytest.mark.parametrize("file", ["cd.yaml", "platform.yaml", "findings-baseline.json", ".dockerignore", "Dockerfile"])
@pytest.mark.parametrize("make", ["pipe", "device", "folder", "loop", "bytes"])
def test_a_file_of_ours_that_is_none_is_told_and_never_waited_for(app: Path, file: str, make: str) -> None:
    if file in (".dockerignore", "Dockerfile"):
        (app / "cd.yaml").write_text(APP.replace("image: {enabled: false}, ", ""))
        (app / "Dockerfile").write_text("FROM scratch\n")
    (app / file).unlink(missing_ok=True)
    if make == "pipe":
        os.mkfifo(app / file)
    elif make == "folder":
        (app / file).mkdir()
    elif make == "bytes":
        (app / file).write_bytes(b"\xff\xfe")
    else:
        (app / file).symlink_to("/dev/zero" if make == "device" else file)
    command = {
        ".dockerignore": "ci package",
        "Dockerfile": "ci package",
        "findings-baseline.json": "ci code-standard --set ci.code-standard.gate.new=9",
    }
    code, said = shell(app, f"cdx {command.get(file, 'ci build')}")
    assert "Traceback" not in said
    if file != "Dockerfile" or make != "bytes":  # what a builder says of that is its own
        assert code == (1 if file == "findings-baseline.json" else 2), said
        assert file in said


def test_a_fault_of_ours_ends_with_3_and_names_the_log(app: Path, tmp_path: Path) -> None:
    fault = "import jenkins_cd.cli as cli, jenkins_cd.config.load as load, sys; load.examine = None; "
    script = f"{sys.executable} -c \"{fault} sys.exit(cli.run(['validate']))\""
    said = told(app, script, 3, "a fault of jenkins-cd itself: TypeError", XDG_CACHE_HOME=str(tmp_path / "cache"))
    [log] = (tmp_path / "cache/jenkins-cd/crashes").iterdir()
    assert str(log) in said


def test_a_fault_in_a_stage_fails_that_stage_and_no_other(app: Path, tmp_path: Path) -> None:
    fault = "import jenkins_cd.cli as cli, jenkins_cd.stages.build as build, sys; build.run = None; "
    script = f"{sys.executable} -c \"{fault} sys.exit(cli.run(['ci', 'build', 'code-standard']))\""
    said = told(app, script, 3, "build", "a fault of jenkins-cd itself: TypeError")
    assert "code-standard" in said
    assert "1 warning" in said


def test_a_log_that_the_disk_does_not_take_fails_the_stage_and_says_why(app: Path) -> None:
    run = "ci.build.run=head -c 3000000 /dev/zero | tr '\\\\0' x"
    told(app, f"trap '' XFSZ; ulimit -f 1000; cdx ci build --set \"{run}\"", 3, "logs/build.log", "larger than")


@pytest.mark.parametrize("content", ["<<<<<<<\n", "import no_such_module\n", ""])
@pytest.mark.parametrize("module", ["report/console.py", "results.py", "tools/lock.py", "cli/__init__.py", "files.py"])
def test_an_installation_that_is_not_whole_is_told_as_such(
    app: Path, tmp_path: Path, module: str, content: str
) -> None:
    package = Path(jenkins_cd.__file__).parent
    shutil.copytree(package, tmp_path / "lib/jenkins_cd", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "lib/jenkins_cd" / module).write_text(content)
    code, said = shell(app, "cdx ci build", PYTHONPATH=str(tmp_path / "lib"))
    assert code in (2, 3), said
    assert "Traceback" not in said
    assert "jenkins-cd: " in said


@pytest.mark.parametrize("make", ["pipe", "folder", "bytes"])
def test_a_result_of_an_earlier_step_that_is_none_is_told(app: Path, make: str) -> None:
    told(app, "cdx ci code-standard", 0)
    result = app / ".jenkins-cd/code-standard.json"
    result.unlink()
    if make == "pipe":
        os.mkfifo(result)
    elif make == "folder":
        result.mkdir()
    else:
        result.write_bytes(b"\xff\xfe")
    told(app, "cdx baseline", 2, "code-standard.json", "next:")


def test_a_checkout_whose_name_has_a_line_break_is_told(app: Path) -> None:
    told(app.rename(app.with_name("two\nlines")), "cdx ci build", 2, "has a line break in it", "next:")


def test_a_kubeconfig_that_is_a_pipe_is_not_waited_for_where_no_cluster_is_asked(app: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "kubeconfig")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    told(app, "cdx ci build package", 0, KUBECONFIG=str(tmp_path / "kubeconfig"), PATH=path)
