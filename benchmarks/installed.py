"""A jenkins_cd as users have it: in a virtual environment of its own, byte code compiled, not editable.

The finder of an editable installation is loaded at every start of its interpreter, and would be measured along.
"""

from __future__ import annotations

import compileall
import shutil
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import jenkins_cd


@dataclass(frozen=True)
class Installed:
    """The interpreter and the program of an installation."""

    python: Path
    program: Path


def install(folder: Path) -> Installed:
    """Install this checkout's package into `folder`; its dependencies are those of the running interpreter."""
    venv.create(folder, symlinks=True)
    library = next((folder / "lib").glob("python*")) / "site-packages"
    shutil.copytree(Path(jenkins_cd.__file__).parent, library / "jenkins_cd")
    # A .pth file inside a folder that another one adds is not read: the editable finder stays out (site module).
    (library / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    compileall.compile_dir(library, quiet=1)
    return Installed(folder / "bin" / "python", _program(folder / "bin"))


def _program(folder: Path) -> Path:
    """Copy the script that pip has written; its first line names the interpreter."""
    original = Path(sys.executable).parent / "jenkins-cd"
    if not original.exists():
        raise SystemExit(f"benchmarks: {original} is missing; run it from the virtual environment: make bench")
    _, _, rest = original.read_text().partition("\n")
    program = folder / "jenkins-cd"
    program.write_text(f"#!{folder / 'python'}\n{rest}")
    program.chmod(0o755)
    return program
