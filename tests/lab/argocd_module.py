"""Write a go.mod that builds Argo CD from outside of its repository, and take along what its servers need in a cluster.

A module's replacements count for itself alone: ours repeats upstream's requirements and replacements. The modules of
Kubernetes, which upstream replaces too, are all taken in one later version.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

MODULE = "github.com/argoproj/argo-cd/v3"
PROGRAM = f"{MODULE}/cmd"
CRDS = "crds"
CONFIG = "config"
_BLOCK = r"^{} \((.*?)^\)"
_REPLACED = re.compile(r"(k8s\.io/\S+) => (k8s\.io/\S+) v0\.\d+\.\d+")
_GONE = "k8s.io/legacy-cloud-providers"  # replaced upstream, but no longer published, and needed by nothing
_BUILD_DATE = "2026-01-01T00:00:00Z"
# Folders of the module, the files wanted of each, and what it is called beside the program.
_OBJECTS = (("manifests/crds", "*-crd.yaml", CRDS), ("manifests/base/config", "*-cm.yaml", CONFIG))


def go_mod(upstream: str, version: str, kubernetes: str) -> str:
    """Return our go.mod, made from the text of upstream's; `kubernetes` is the version of its libraries (0.34.4)."""
    required = [f"{MODULE} v{version}", *_lines(upstream, "require")]
    replaced = [
        _REPLACED.sub(rf"\1 => \2 v{kubernetes}", line)
        for line in _lines(upstream, "replace")
        if not line.startswith(_GONE)
    ]
    kept = re.findall(r"^(?:go|godebug) [^\n]*", upstream, re.MULTILINE)
    return "\n".join(["module lab/argocd", *kept, "require (", *required, ")", "replace (", *replaced, ")", ""])


def _lines(upstream: str, directive: str) -> list[str]:
    """Return the lines of all blocks of one directive, without remarks."""
    blocks = re.findall(_BLOCK.format(directive), upstream, re.DOTALL | re.MULTILINE)
    lines = (line.strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("//")]


def ldflags(version: str, kubernetes: str) -> str:
    """Return the linker's flags that make the programs tell their version."""
    values = {
        "version": version,
        "buildDate": _BUILD_DATE,
        "gitCommit": "0" * 40,
        "gitTag": f"v{version}",
        "gitTreeState": "clean",
        "kubectlVersion": f"v{kubernetes}",
    }
    return " ".join(["-s -w", *(f"-X {MODULE}/common.{name}={value}" for name, value in values.items())])


def write(folder: Path, upstream: Path, version: str, kubernetes: str) -> None:
    """Put go.mod and upstream's objects into `folder`; `upstream` is its module, which may be gone later."""
    text = (upstream / "go.mod").read_text(encoding="utf-8")
    (folder / "go.mod").write_text(go_mod(text, version, kubernetes), encoding="utf-8")
    for source, files, name in _OBJECTS:
        (folder / name).mkdir()
        for file in (upstream / source).glob(files):
            shutil.copyfile(file, folder / name / file.name)  # not its mode: a module's files are read-only
