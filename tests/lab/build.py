"""Build or unpack the programs of the lab, once a version, into the cache, and link them in `.venv/lab`.

Each is made aside and renamed: a build that is killed leaves nothing that looks finished.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process
from tests.lab import argocd_module, images, kubernetes_module, places, versions
from tests.lab.progress import say, watched

SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubelet")
ARGOCD = (
    "argocd",
    "argocd-application-controller",
    "argocd-applicationset-controller",
    "argocd-cmp-server",
    "argocd-commit-server",
    "argocd-git-ask-pass",
    "argocd-k8s-auth",
    "argocd-notifications",
    "argocd-repo-server",
    "argocd-server",
)
REDIS = "redis-server"
PLUGINS = ":/usr/lib/cni:/opt/cni/bin"


def build() -> None:
    """Make what is missing and link everything. Raises BadInput that lists what the machine lacks."""
    check_machine(("go", *versions.MACHINE))
    places.tools().mkdir(parents=True, exist_ok=True)
    with (places.tools() / ".lab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once take turns
        places.BIN.mkdir(parents=True, exist_ok=True)
        for debian in versions.DEBIAN_TOOLS:
            _debian(debian)
        _probe()
        for tool in versions.GO_TOOLS:
            _go(tool)
        _kubernetes()
        _argocd()
        _redis()


def check_machine(programs: Sequence[str] = tuple(versions.MACHINE)) -> None:
    """Raise BadInput with the command that installs them where programs are missing."""
    search = f"{os.environ.get('PATH', '')}:{places.SYSTEM_PATH}"
    missing = [name for name in programs if not shutil.which(name, path=search)]
    if missing:
        packages = sorted({versions.MACHINE.get(name, name) for name in missing})
        hint = f"apt-get install --no-install-recommends {' '.join(packages)}"
        if "docker-registry" in packages:
            hint = f"systemctl mask docker-registry; {hint}  # else it starts one for everybody on port 5000"
        raise BadInput(
            "the lab needs programs that this machine lacks", hint, [f"{name} is missing" for name in missing]
        )


def missing() -> list[str]:
    """Return the programs that `build` has not linked yet."""
    unpacked = (Path(program).name for tool in versions.DEBIAN_TOOLS for program in tool.programs)
    built = (tool.link or tool.name for tool in versions.GO_TOOLS)
    wanted = (*SERVERS, "kubectl", *ARGOCD, REDIS, *built, *unpacked, images.LAYER)
    return sorted(name for name in wanted if not (places.BIN / name).exists())


@contextlib.contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Yield a new folder that becomes `folder`, or is gone again where the block fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield aside
        aside.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _once(folder: Path, finished: str, make: Callable[[Path], None]) -> None:
    """Make `folder`, unless the file `finished` is in it."""
    if not (folder / finished).exists():
        with _aside(folder) as aside:
            make(aside)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
        say(f"{folder.parent.name} {folder.name}: {size / 1e6:.0f} MB in {folder}")


def _link(name: str, target: Path) -> None:
    link = places.BIN / name
    if not (link.is_symlink() and link.readlink() == target):
        aside = link.with_name(f".{name}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(target)
        aside.replace(link)


def _compile(what: str, arguments: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
    flags = f"{os.environ.get('GOFLAGS', '')} -buildvcs=false {env.get('GOFLAGS', '')}".strip()
    argv = ["nice", "-n", "19", "go", arguments[0], "-v", "-trimpath", *arguments[1:]]
    watched(f"building {what}", argv, cwd=folder, env={"CGO_ENABLED": "0", **env, "GOFLAGS": flags}, unit="packages")


def _go(tool: versions.GoTool) -> None:
    folder = places.tools() / tool.name / f"v{tool.version}"
    flags = "-s -w" + (f" -X {tool.variable}=v{tool.version}" if tool.variable else "")

    def make(aside: Path) -> None:
        arguments = ["install", "-ldflags", flags, f"{tool.package}@v{tool.version}"]
        _compile(f"{tool.name} {tool.version}", arguments, aside, {"GOBIN": str(aside)})

    _once(folder, tool.name, make)
    _link(tool.link or tool.name, folder / tool.name)


def _kubernetes() -> None:
    folder = places.tools() / "kubernetes" / f"v{versions.KUBERNETES}"

    def make(aside: Path) -> None:
        upstream = _fetched("k8s.io/kubernetes", versions.KUBERNETES, aside) / "go.mod"
        kubernetes_module.write(aside, upstream, places.HERE / "kubernetes")
        flags = kubernetes_module.ldflags(versions.KUBERNETES)
        env = {"GOFLAGS": "-mod=mod"}
        for output, package in (("kubernetes", "./cmd/cluster"), ("kubectl", "./cmd/kubectl")):
            _compile(f"{output} {versions.KUBERNETES}", ["build", "-ldflags", flags, "-o", output, package], aside, env)

    _once(folder, "kubernetes", make)
    for name in SERVERS:
        _link(name, folder / "kubernetes")
    _link("kubectl", folder / "kubectl")


def _argocd() -> None:
    """Build the one program that is the CLI and each server, by the name that it is called by."""
    version, kubernetes = versions.ARGOCD, versions.ARGOCD_KUBERNETES
    folder = places.tools() / "argocd" / f"v{version}"

    def make(aside: Path) -> None:
        argocd_module.write(aside, _fetched(argocd_module.MODULE, version, aside), version, kubernetes)
        flags = argocd_module.ldflags(version, kubernetes)
        arguments = ["build", "-ldflags", flags, "-o", "argocd", argocd_module.PROGRAM]
        _compile(f"Argo CD {version}", arguments, aside, {"GOFLAGS": "-mod=mod"})

    _once(folder, "argocd", make)
    for name in ARGOCD:
        _link(name, folder / "argocd")


def _fetched(module: str, version: str, cwd: Path) -> Path:
    """Return the folder of a module's source."""
    import json

    wanted = f"{module}@v{version}"
    found = process.run(["go", "mod", "download", "-json", wanted], cwd=cwd).require(f"fetch {wanted}")
    return Path(json.loads(found.stdout)["Dir"])


def _redis() -> None:
    """Link the machine's. It is a server when it is called by that name, in the package that has no service too."""
    found = shutil.which("redis-check-rdb", path=f"{os.environ.get('PATH', '')}:{places.SYSTEM_PATH}")
    if found:
        _link(REDIS, Path(found))


def _debian(tool: versions.DebianTool) -> None:
    """Unpack a package; where there is no apt-get, take what the machine has."""
    folder = places.tools() / tool.name / f"v{tool.version}"
    if shutil.which("apt-get"):
        _once(folder, tool.programs[0], lambda aside: _unpack(tool, aside))
    for program in tool.programs:
        name = Path(program).name
        target = folder / program
        if not target.exists():
            found = shutil.which(name, path=places.SYSTEM_PATH + PLUGINS)
            if not found:
                raise BadInput(f"{name} is missing, and there is no apt-get to fetch it with", f"install {tool.name}")
            target = Path(found)
        _link(name, target)


def _unpack(tool: versions.DebianTool, aside: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-build-") as name:
        Path(name).chmod(0o777)  # apt downloads as a user of its own
        download = ["apt-get", "download", tool.name]
        fetched = process.run(download, cwd=Path(name))
        if fetched.exit_code and os.geteuid() == 0:
            watched("apt-get update", ["apt-get", "update"], cwd=Path(name))
            fetched = process.run(download, cwd=Path(name))
        fetched.require(f"fetch the package {tool.name}", "apt-get update, then try again")
        package = next(Path(name).glob("*.deb"))
        version = (
            process.run(["dpkg-deb", "--field", str(package), "Version"]).require("read its version").stdout.strip()
        )
        if not version.rpartition(":")[2].startswith(tool.version):
            say(f"{tool.name}: the lab was tried with {tool.version}, this machine offers {version}")
        process.run(["dpkg-deb", "--extract", str(package), str(aside)]).require(f"unpack {package.name}")
    unresolved = [line for program in tool.programs for line in _libraries(aside / program) if "not found" in line]
    if unresolved:
        raise BadInput(f"{tool.name} needs libraries that this machine lacks", "install them", unresolved)


def _libraries(program: Path) -> list[str]:
    return process.run(["ldd", str(program)]).stdout.splitlines()


def _probe() -> None:
    source = places.HERE / "probe"
    content = b"".join(file.read_bytes() for file in sorted(source.iterdir()))
    folder = places.tools() / "lab-probe" / hashlib.sha256(content).hexdigest()[:12]

    def make(aside: Path) -> None:
        _compile("the probe app", ["build", "-ldflags", "-s -w", "-o", str(aside / "probe"), "."], source, {})
        (aside / images.LAYER).write_bytes(images.layer(aside / "probe"))

    _once(folder, images.LAYER, make)
    _link(images.LAYER, folder / images.LAYER)
