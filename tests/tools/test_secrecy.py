"""Programs that are not ours find our secrets nowhere: each test is a command line of its own, as a user has it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from jenkins_cd.tools import process, secrecy

PASSWORD = "Sesame:öffne=dich"
SECRETS = {
    "JENKINS_CD_GIT_PASSWORD": PASSWORD,
    "JENKINS_TOKEN": PASSWORD,
    "JENKINS_CD_REGISTRY_PASSWORD_FILE": "/sesame",
}
NOBODY = 65534
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")


def run(program: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program of Python with secrets in its environment."""
    variables = {**os.environ, **SECRETS, "BUILD_COOKIE": "of Jenkins"}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, cwd="/", timeout=60)
    assert done.returncode == 0, done.stderr
    return done


START = "from pathlib import Path; from jenkins_cd.tools import process; print("
LOOK = "process.run(['sh', '-c', {!r}], trusted={}).stdout)"


def seen(script: str, *, trusted: bool = False) -> str:
    return run(f"{START}{LOOK.format(script, trusted)}").stdout.decode()


@pytest.mark.parametrize("trusted", [True, False])
def test_the_environment_that_proc_shows_of_us_has_none(trusted: bool) -> None:
    shown = seen("tr '\\0' '\\n' </proc/$PPID/environ || true", trusted=trusted)
    assert PASSWORD not in shown
    assert "/sesame" not in shown


def test_the_rest_of_it_is_still_shown_to_jenkins_which_ends_a_build_by_it() -> None:
    shown = seen("tr '\\0' '\\n' </proc/$PPID/environ", trusted=True).splitlines()
    assert "BUILD_COOKIE=of Jenkins" in shown
    assert "JENKINS_CD_GIT_PASSWORD=" in shown
    assert f"PATH={os.environ['PATH']}" in shown


def test_we_still_have_them() -> None:
    name = "JENKINS_CD_GIT_PASSWORD"
    told = run(f"{START}process.run(['true'], trusted=False) and __import__('os').environ['{name}'])").stdout.decode()
    assert told.strip() == PASSWORD


MEMORY = """\
import os
pid = os.getppid()
try:
    maps = open(f"/proc/{pid}/maps").readlines()
    memory = open(f"/proc/{pid}/mem", "rb", 0)
except OSError as error:
    print("refused")
else:
    found = 0
    for line in maps:
        if " rw-p " in line:
            start, end = (int(number, 16) for number in line.split()[0].split("-"))
            memory.seek(start)
            found += memory.read(end - start).count("Sesame:öffne".encode())
    print("found", found)
"""


def test_our_memory_cannot_be_read() -> None:
    program = f"{START}process.run([{sys.executable!r}, '-c', {MEMORY!r}], trusted=False).stdout)"
    assert run(program).stdout.decode().strip() == "refused"


def test_nor_can_it_by_somebody_who_is_not_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("the test before this one has shown it")
    begin = (
        f"import os, ctypes; from jenkins_cd.tools import process, secrecy; os.setuid({NOBODY}); secrecy.prctl(4, 1);"
    )
    look = "cat /proc/$PPID/maps >/dev/null 2>&1 && echo read || echo refused"
    answers = [
        run(f"{begin} print(process.run(['sh', '-c', {look!r}], trusted={trusted}).stdout)").stdout.decode().strip()
        for trusted in (True, False)
    ]
    assert answers == ["read", "refused"]


def test_nothing_of_that_is_done_where_there_are_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(secrecy, "prctl", lambda *_: pytest.fail("called"))
    secrecy.hide()
    secrecy.shut()


def test_a_program_that_cannot_be_started_is_told_of_as_ever() -> None:
    from jenkins_cd.errors import MissingTool

    with pytest.raises(MissingTool):
        process.run(["no-such-program"], trusted=False)


@pytest.mark.parametrize(
    ("block", "left"),
    [
        (b"A=1\0SECRET=x\0B=2\0", b"A=1\0SECRET=\0\0B=2\0"),
        (b"SECRET=a=b\0", b"SECRET=\0\0\0\0"),
        (b"SECRETS=x\0XSECRET=y\0SECRET\0", b"SECRETS=x\0XSECRET=y\0SECRET\0"),
        (b"SECRET=\0SECRET=again", b"SECRET=\0SECRET=\0\0\0\0\0"),
        (b"", b""),
    ],
)
def test_only_the_values_of_secrets_are_blotted_out(block: bytes, left: bytes) -> None:
    memory = bytearray(block)
    secrecy._blot(memoryview(memory), frozenset({b"SECRET"}))
    assert bytes(memory) == left
