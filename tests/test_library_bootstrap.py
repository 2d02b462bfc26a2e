"""resources/jenkins_cd/bootstrap.sh on an agent whose PATH, cache and index a test decides; Python and pip are real."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import __version__

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "resources/jenkins_cd/bootstrap.sh"
SYSTEM = ("cksum", "cp", "date", "flock", "git", "mkdir", "mv", "rm", "sed", "sh", "tail", "tr")
PYTHON = Path(sys.executable).resolve()
CLOSED = "http://user:hidden@127.0.0.1:9/simple"
# What it prints shows what it was started with.
PROGRAM = "import os, sys\ndef main():\n    print('jenkins-cd', sys.argv[1:], os.environ.get('JENKINS_CD_ARGUMENTS'))\n"


def wheel(folder: Path, version: str = __version__) -> Path:
    """Return a wheel of the right name whose program tells how it was started; nothing else has to be downloaded."""
    info = f"jenkins_cd-{version}.dist-info"
    files = {
        "jenkins_cd_double.py": PROGRAM,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: jenkins_cd\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\njenkins-cd = jenkins_cd_double:main\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"jenkins_cd-{version}-py3-none-any.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder / f"jenkins_cd-{version}-py3-none-any.whl"


class Agent:
    """A machine that builds run on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.cache, self.workspace = folder / "home/.cache/jenkins-cd", folder / "work space"
        for made in (self.bin, self.workspace, folder / "home"):
            made.mkdir()
        for name in SYSTEM:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        (self.bin / "python3").symlink_to(PYTHON)
        self.result = self.workspace / ".jenkins-cd/outcomes/result.json"  # no such folder yet
        self.env = {
            "PATH": str(self.bin),
            "HOME": str(folder / "home"),
            "WORKSPACE": str(self.workspace),
            "TMPDIR": str(folder),
            "JENKINS_CD_ARGUMENTS": '["status", "--json"]',
            "JENKINS_CD_RESULT": str(self.result.relative_to(self.workspace)),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": CLOSED,  # no test may reach further than this machine
            "PIP_RETRIES": "0",
        }
        self.wheel = wheel(folder / "wheels")

    def program(self, name: str, script: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!{self.bin}/sh\n{script}\n", encoding="utf-8")
        (self.bin / name).chmod(0o755)

    def begin(self, script: Path = SCRIPT, **env: str | None) -> subprocess.Popen[str]:
        given = {name: value for name, value in {**self.env, **env}.items() if value is not None}
        return subprocess.Popen(
            [script],
            cwd=self.workspace,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def start(self, script: Path = SCRIPT, **env: str | None) -> subprocess.CompletedProcess[str]:
        process = self.begin(script, **env)
        out, err = process.communicate(timeout=400)
        return subprocess.CompletedProcess([], process.returncode, out, err)

    def environments(self) -> list[Path]:
        return sorted(one for one in (self.cache / "cli").glob("*") if one.is_dir())

    def told(self) -> Any:
        return json.loads(self.result.read_text(encoding="ascii"))


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library as a shop has it: with the real wheel."""
    folder = tmp_path_factory.mktemp("library")
    subprocess.run([ROOT / "scripts/library", folder], capture_output=True, check=True)
    return folder / "resources/jenkins_cd"


@pytest.fixture(scope="module")
def wheelhouse(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real wheel and everything that it depends on: an index for an agent that reaches nothing else."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    named = shutil.copy(library / "jenkins_cd.whl", folder / f"jenkins_cd-{__version__}-py3-none-any.whl")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder), str(named)]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def test_it_is_the_version_that_the_library_is_of() -> None:
    lines = SCRIPT.read_text(encoding="ascii").splitlines()
    assert f"version={__version__}" in lines
    assert lines[0] == "#!/bin/sh"  # Jenkins adds -xe to what has no such line


def test_the_librarys_wheel_is_installed_once_and_then_found_offline(
    agent: Agent, library: Path, wheelhouse: Path
) -> None:
    script = library / "bootstrap.sh"
    assert agent.start(script).returncode == 86

    env = {"JENKINS_CD_WHEEL": str(library / "jenkins_cd.whl"), "JENKINS_CD_ARGUMENTS": '["schema", "app"]'}
    first = agent.start(script, **env, PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheelhouse))
    assert first.returncode == 0, first.stderr
    assert '"$schema"' in first.stdout
    assert "installing the library's wheel" in first.stderr
    assert "done in" in first.stderr

    second = agent.start(script, JENKINS_CD_ARGUMENTS='["schema", "app"]')
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert "install" not in second.stderr


def test_without_anything_to_install_it_asks_for_the_wheel_and_says_nothing(agent: Agent) -> None:
    done = agent.start()
    assert (done.returncode, done.stdout, done.stderr) == (86, "", "")
    assert not agent.result.exists()
    assert not agent.cache.exists()


def test_the_program_in_path_is_used_without_arguments(agent: Agent) -> None:
    agent.program("jenkins-cd", f'[ "$1" = --version ] && echo jenkins-cd {__version__} || echo "started with $#"')
    done = agent.start()
    assert (done.returncode, done.stdout, done.stderr) == (0, "started with 0\n", "")


def test_a_program_of_another_version_in_path_is_not(agent: Agent) -> None:
    agent.program("jenkins-cd", "echo jenkins-cd 9.9.9")
    assert agent.start().returncode == 86


def test_a_package_that_is_named_goes_before_the_one_in_path(agent: Agent) -> None:
    agent.program("jenkins-cd", f"echo jenkins-cd {__version__}")
    other = wheel(agent.folder / "other", "7.7.7")
    first = agent.start(JENKINS_CD_PACKAGE=str(other))
    assert first.returncode == 0, first.stderr
    assert first.stdout == 'jenkins-cd [] ["status", "--json"]\n'
    assert f"installing {other}" in first.stderr
    assert agent.start(JENKINS_CD_PACKAGE=str(other)).stderr == ""
    assert agent.environments()[0].name.startswith(f"{__version__}-")


def test_from_the_index_only_where_that_is_said(agent: Agent) -> None:
    agent.env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(agent.wheel.parent)}
    assert agent.start().returncode == 86
    done = agent.start(JENKINS_CD_FROM_INDEX="yes")
    assert done.returncode == 0, done.stderr
    assert [one.name for one in agent.environments()] == [__version__]


@pytest.mark.parametrize("locked_by", ["flock", "python"])
def test_of_ten_that_start_at_once_one_installs(agent: Agent, locked_by: str) -> None:
    if locked_by == "python":
        (agent.bin / "flock").unlink()
    running = [agent.begin(JENKINS_CD_WHEEL=str(agent.wheel), JENKINS_CD_RESULT=None) for _ in range(10)]
    said = [one.communicate(timeout=400) for one in running]
    assert [one.returncode for one in running] == [0] * 10, said
    assert {out for out, _ in said} == {'jenkins-cd [] ["status", "--json"]\n'}
    assert sum("done in" in err for _, err in said) == 1
    assert len(agent.environments()) == 1


def test_one_that_is_killed_half_way_is_made_anew(agent: Agent) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # an index that takes the call and never answers
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        process = agent.begin(JENKINS_CD_FROM_INDEX="yes", PIP_INDEX_URL=index)
        connection, _ = silent.accept()
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
        connection.close()
    assert (agent.environments()[0] / "bin/pip").exists()

    done = agent.start(JENKINS_CD_FROM_INDEX="yes", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(agent.wheel.parent))
    assert done.returncode == 0, done.stderr
    assert "done in" in done.stderr


def test_one_whose_python_is_gone_is_made_anew(agent: Agent) -> None:
    package = str(agent.wheel)
    key = f"{__version__}-" + "-".join(subprocess.check_output(["cksum"], input=package, text=True).split())
    old = agent.cache / "cli" / key
    (old / "bin").mkdir(parents=True)
    (old / "bin/jenkins-cd").symlink_to(shutil.which("false") or "")
    (old / "installed").write_text("/usr/bin/python-of-yesterday\n", encoding="utf-8")
    assert "done in" in agent.start(JENKINS_CD_PACKAGE=package).stderr
    assert agent.environments() == [old]
    assert (old / "installed").read_text(encoding="utf-8") == f"{PYTHON}\n"


def test_without_a_home_that_can_be_written_the_workspace_gets_its_own(agent: Agent) -> None:
    first = agent.start(JENKINS_CD_WHEEL=str(agent.wheel), HOME=os.devnull)
    assert first.returncode == 0, first.stderr
    assert "/dev/null/.cache/jenkins-cd cannot be written: this workspace gets its own" in first.stderr
    assert list(agent.workspace.iterdir()) == []  # beside it: it may be a checkout
    assert (agent.folder / "work space@tmp/jenkins-cd/cli").is_dir()
    second = agent.start(JENKINS_CD_WHEEL=str(agent.wheel), HOME=None)
    assert (second.returncode, second.stderr) == (0, "")


def test_nowhere_to_write_is_told(agent: Agent) -> None:
    done = agent.start(JENKINS_CD_WHEEL=str(agent.wheel), JENKINS_CD_CACHE="/dev/null/x", WORKSPACE="/dev/null/y")
    assert done.returncode == 2
    assert "neither /dev/null/x nor /dev/null/y@tmp/jenkins-cd can be written" in done.stderr


def test_an_index_that_does_not_answer_is_worth_a_retry(agent: Agent) -> None:
    done = agent.start(JENKINS_CD_FROM_INDEX="yes")
    assert done.returncode == 3
    assert f"pip could not install jenkins_cd=={__version__}" in done.stderr
    assert agent.environments() == []
    told = agent.told()
    assert told["schema"] == "jenkins_cd/result/v1"
    assert (told["exit_code"], told["arguments"], told["document"]) == (3, ["status", "--json"], None)
    assert "No matching distribution" in told["problems"][-1]
    assert "try again" in told["hint"]
    assert "hidden" not in done.stderr + json.dumps(told)


def test_a_package_that_is_none_is_wrong_whenever_it_is_tried(agent: Agent) -> None:
    done = agent.start(JENKINS_CD_PACKAGE='a "quoted" \\ name\n')
    assert done.returncode == 2
    told = agent.told()
    assert told["message"].startswith('pip cannot install a "quoted" \\ name')
    assert "JENKINS_CD_PACKAGE" in told["hint"]


def test_a_wheel_that_is_none_is_told(agent: Agent) -> None:
    agent.wheel.write_bytes(b"half")
    done = agent.start(JENKINS_CD_WHEEL=str(agent.wheel))
    assert done.returncode == 2
    assert "is invalid" in done.stderr
    assert agent.start(JENKINS_CD_WHEEL="gone.whl").returncode == 2
    assert "there is no such file" in agent.told()["message"]


def test_a_full_disk_is_told_as_such_and_gets_its_room_back(agent: Agent) -> None:
    agent.program("cp", 'echo "cp: error writing: No space left on device" >&2; exit 1')
    done = agent.start(JENKINS_CD_WHEEL=str(agent.wheel))
    assert done.returncode == 2
    assert "the disk is full" in done.stderr
    assert "JENKINS_CD_CACHE" in agent.told()["hint"]
    assert agent.environments() == []


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (None, "needs Python 3.10 or newer on this agent, and there is no python3"),
        ("sys.version_info = (3, 9, 2)", "needs Python 3.10 or newer on this agent, and python3 is Python 3.9.2"),
        ("sys.modules['ensurepip'] = None", "python3 on this agent cannot make virtual environments"),
    ],
)
def test_a_python_that_will_not_do_is_told_with_what_to_install(agent: Agent, python: str | None, message: str) -> None:
    (agent.bin / "python3").unlink()
    if python:
        changed = f'exec {PYTHON} -c "import sys; {python}; exec(sys.argv.pop())" "$3"'
        agent.program("python3", f'[ "$1" != --version ] || {{ echo Python 3.9.2; exit; }}\n{changed}')
    done = agent.start(JENKINS_CD_WHEEL=str(agent.wheel))
    assert done.returncode == 2
    assert message in done.stderr
    told = agent.told()
    assert message in told["message"]
    assert "python3-venv" in told["hint"]
    assert told["exit_code"] == 2


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _lost(file: Path) -> None:
    file.unlink()


DAMAGES = {
    "bin/jenkins-cd": (_empty, _cut, _lost),
    "bin/python": (_lost,),
    "lib/python*/site-packages/jenkins_cd_double.py": (_empty, _cut, _lost),
    "lib/python*/site-packages/jenkins_cd-*.dist-info/METADATA": (_cut,),
    "lib/python*/site-packages/__pycache__/jenkins_cd_double.*.pyc": (_empty, _lost),
    "pyvenv.cfg": (_empty, _lost),
    "installed": (_empty, _lost),
    "files": (_empty, _lost),
}


def test_what_was_damaged_in_the_cache_is_made_anew_and_never_passes_for_a_run(agent: Agent) -> None:
    agent.env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(agent.wheel.parent)}
    assert agent.start(JENKINS_CD_FROM_INDEX="yes").returncode == 0
    [folder] = agent.environments()
    kept = agent.folder / "kept"
    shutil.copytree(folder, kept, symlinks=True)
    for pattern, damages in DAMAGES.items():
        [file] = folder.glob(pattern)
        for damage in damages:
            damage(file)
            asked = agent.start()  # for what it is to be made of
            assert (asked.returncode, asked.stdout) == (86, ""), (pattern, damage, asked.stderr)
            shutil.copy2(kept / file.relative_to(folder), file, follow_symlinks=False)
    assert agent.start().returncode == 0

    _empty(folder / "bin/jenkins-cd")
    healed = agent.start(JENKINS_CD_FROM_INDEX="yes")
    assert (healed.returncode, healed.stdout) == (0, 'jenkins-cd [] ["status", "--json"]\n')
    assert f"the jenkins-cd in {folder} (bin/jenkins-cd) is damaged: it is made anew" in healed.stderr


def test_of_many_that_find_it_damaged_at_once_one_mends_it(agent: Agent) -> None:
    agent.start(JENKINS_CD_WHEEL=str(agent.wheel))
    _empty(agent.environments()[0] / "bin/jenkins-cd")
    running = [agent.begin(JENKINS_CD_WHEEL=str(agent.wheel), JENKINS_CD_RESULT=None) for _ in range(5)]
    said = [one.communicate(timeout=400) for one in running]
    assert [one.returncode for one in running] == [0] * 5, said
    assert {out for out, _ in said} == {'jenkins-cd [] ["status", "--json"]\n'}
    assert sum("done in" in err for _, err in said) == 1


def test_what_stands_in_the_place_of_the_cache_is_cleared_away_or_gone_around(agent: Agent) -> None:
    folder = agent.cache / "cli" / __version__
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    agent.env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(agent.wheel.parent)}
    assert agent.start(JENKINS_CD_FROM_INDEX="yes").returncode == 0
    (folder / "installed").unlink()
    (folder / "installed").mkdir()
    assert agent.start().returncode == 86
    lock = folder.with_name(f"{__version__}.lock")
    lock.unlink()
    lock.mkdir()
    around = agent.start(JENKINS_CD_FROM_INDEX="yes")
    assert around.returncode == 0, around.stderr
    assert "this workspace gets its own" in around.stderr
