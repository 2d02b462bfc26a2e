"""Real Git repositories to push to, on this machine's disk."""

from __future__ import annotations

import subprocess
from pathlib import Path

from jenkins_cd.gitops.repository import Repository


def bare(folder: Path, files: dict[str, bytes] | None = None) -> Path:
    """Return a new bare repository; with `files`, branch main has one commit with them."""
    git(folder.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(folder))
    if files:
        Repository.open(str(folder)).commit("main", "Begin", lambda _view: files)
    return folder


def git(folder: Path, *arguments: str) -> str:
    """Run Git as a person would and return what it says."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode()


def hook(remote: Path, name: str, script: str) -> None:
    """Install a hook in a bare repository."""
    file = remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def count(remote: Path, branch: str = "main") -> int:
    """Return the number of commits on a branch."""
    return int(git(remote, "rev-list", "--count", branch))
