"""SonarQube's program: fetched once with Maven, unpacked into the cache, copied for each server that runs.

It is no part of the lab's build: `python -m tests.lab build-sonarqube` gets it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from pathlib import Path

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process
from tests.lab import build, places
from tests.lab.progress import say, watched

VERSION = "9.9.8.100196"
LINK = places.LINKS / "sonarqube"  # where tests find it, which have a cache of their own
UNPACK = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:unpack"
ARTIFACT = f"org.sonarsource.sonarqube:sonar-application:{VERSION}:zip"
JAVA = (11, 17)  # what this version runs on
MEMORY = 2.5  # GB that must be free: it takes 1.7


def fetch() -> Path:
    """Return the unpacked program, which is fetched where it is missing (296 MB, once).

    Raises BadInput where Maven is missing, ExternalFailure with its last words where it fails.
    """
    folder = places.tools() / "sonarqube" / f"v{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once take turns
        build._once(folder, _jar(), _unpack)
    LINK.parent.mkdir(parents=True, exist_ok=True)
    if not (LINK.is_symlink() and LINK.readlink() == folder):
        aside = LINK.with_name(f".{LINK.name}-{os.getpid()}")
        aside.symlink_to(folder)
        aside.replace(LINK)
    return folder


def there() -> bool:
    """Tell whether it has been fetched, whatever cache that was."""
    return (LINK / _jar()).is_file()


def _jar() -> str:
    return f"lib/sonar-application-{VERSION}.jar"


def _unpack(aside: Path) -> None:
    """Let Maven unpack it into `aside`: first with what is on this machine."""
    if not shutil.which("mvn"):
        raise BadInput("mvn is missing", "apt-get install --no-install-recommends maven")
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-build-", dir=aside.parent) as name:
        argv = ["mvn", "--batch-mode", UNPACK, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={name}/out"]
        if process.run([*argv, "--offline"], cwd=Path(name)).exit_code:
            say(f"SonarQube {VERSION}: 296 MB to fetch")
            watched(f"fetching SonarQube {VERSION}", argv, cwd=Path(name))
        for one in (Path(name) / "out" / f"sonarqube-{VERSION}").iterdir():
            one.rename(aside / one.name)


def check() -> None:
    """Raise BadInput with all that keeps SonarQube from running here."""
    problems = [f"{name} is missing" for name in ("setpriv", "unshare") if not shutil.which(name)]
    found = _java()
    if found not in JAVA:
        has = f"Java {found}" if found else "no java"
        problems.append(f"it runs on Java {' or '.join(map(str, JAVA))}, and this machine has {has}")
    if not there():
        problems.append(f"SonarQube {VERSION} has not been fetched")
    if (free := _free()) < MEMORY:
        problems.append(f"it needs {MEMORY} GB of free memory, and there are {free:.1f}")
    if problems:
        hint = "apt-get install openjdk-17-jre-headless; python -m tests.lab build-sonarqube"
        raise BadInput(f"SonarQube cannot run here: {'; '.join(problems)}", hint)


def copy(home: Path) -> Path:
    """Make `home` a copy of the program that its server may write to the folders of; returns the file to run.

    The files themselves are shared with the cache where both are on one disk: they are only read.
    """

    def share(source: str, target: str) -> str:
        try:
            os.link(source, target)
        except OSError:  # another disk
            shutil.copy(source, target)
        return target

    shutil.copytree(LINK.resolve(), home, copy_function=share)
    return home / _jar()


def _java() -> int:
    """Return the major version of the machine's Java, 0 where there is none."""
    if not shutil.which("java"):
        return 0
    found = re.search(r'version "(\d+)', process.run(["java", "-version"]).output)
    return int(found[1]) if found else 0


def _free() -> float:
    """Return how many GB of memory are free."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1e6
