"""`python -m tests.lab COMMAND`: build it, start it, stop it."""

from __future__ import annotations

import argparse
import functools
import os
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from jenkins_cd.errors import Interrupted, JenkinsCdError
from jenkins_cd.tools import process
from tests.lab import build, clean, lease, places, state
from tests.lab.lab import Lab
from tests.lab.progress import say

_USE = """\
The lab is up. Ctrl-C leaves it; it stops when nobody holds it any more.

    export PATH={bin}:$PATH KUBECONFIG={kubeconfig}
    kubectl get nodes
    helm3 version; helm4 version

API server     {server}
node ports     127.0.0.1:{node_ports}
registry       {registry}  (plain HTTP; also {loopback})
image          {image}
Git over HTTP  {http}/NAME.git
               writer {writer}
               reader {reader}
Git over SSH   {ssh}/NAME.git
               export GIT_SSH_COMMAND='{ssh_command}'
repositories   git init --bare {repositories}/NAME.git
{argocd}logs           {logs}"""
_SONARQUBE = """\
SonarQube is up. Ctrl-C stops it; its data is gone then.

    export SONAR_HOST_URL={url} SONAR_TOKEN={token}

page           {url}
administrator  {admin} {password}
logs           {logs}"""
_ARGOCD = """\
Argo CD        {url}
               {login}
"""


def up() -> None:
    """Start the lab or join the one that runs, say how to use it, and hold it until Ctrl-C or SIGTERM."""
    with process.interruptible():
        begun = time.monotonic()
        held = lease.join(say)
        try:
            how = "joined the lab that runs" if held.joined else "started"
            say(f"{how} in {time.monotonic() - begun:.1f} s")
            print(_described(held.lab), flush=True)  # noqa: T201
            while state.keeper_lives():
                process.pause(0.5)
            say("the lab was stopped by somebody else")
        finally:
            say("leaving …")
            for other in held.leave():
                say(f"it stays up: held by {other}")


def _described(lab: Lab) -> str:
    from tests.lab.network import NODE_PORTS

    return _USE.format(
        bin=places.BIN,
        kubeconfig=lab.kubeconfig,
        server=lab.server,
        node_ports=NODE_PORTS,
        registry=lab.registry,
        loopback=lab.loopback_registry,
        image=lab.image(),
        http=lab.git.http,
        ssh=lab.git.ssh,
        writer=lab.git.passwords["writer"],
        reader=lab.git.passwords["reader"],
        ssh_command=lab.git.ssh_command(),
        repositories=f"{lab.git.folder}/repositories",
        argocd=_argocd(lab),
        logs=lab.logs,
    )


def _argocd(lab: Lab) -> str:
    """Return the lines about it; a lab on a cluster that somebody else runs has none."""
    if lab.argocd is None:
        return ""
    words = ["argocd", *lab.argocd.login[1:]]
    return _ARGOCD.format(url=lab.argocd.url, login=shlex.join(words))


def down() -> None:
    """Clean up after a lab that was killed; a lab that runs is stopped only with `stop`."""
    state.prepare()
    if state.keeper_lives():
        held = "\n".join(f"  held by {one}" for one in lease.holders())
        sys.exit(f"lab: it runs, and is left alone (python -m tests.lab stop ends it for everybody)\n{held}")
    with lease.gate(say):
        say("cleaned up" if clean.clean() else "nothing to clean up")


def stop() -> None:
    """End the lab for everybody who holds it."""
    state.prepare()
    if state.keeper_lives():
        os.kill(int(state.KEEPER.read_text(encoding="ascii")), signal.SIGTERM)
        while state.keeper_lives():
            time.sleep(0.05)
    down()


def status() -> None:
    """Tell whether the lab runs, and who holds it."""
    state.prepare()
    if not state.LAB.exists() or not state.keeper_lives():
        sys.exit("lab: it does not run")
    print(_described(Lab.read()))  # noqa: T201
    for one in lease.holders():
        say(f"held by {one}")


def sonarqube() -> None:
    """Start a SonarQube, say how to use it, and keep it up until Ctrl-C or SIGTERM."""
    from tests.lab import sonarqube as room
    from tests.lab import sonarqube_archive

    with process.interruptible(), tempfile.TemporaryDirectory(prefix="jenkins-cd-sonarqube-logs-") as logs:
        if not sonarqube_archive.there():
            sonarqube_archive.fetch()
        say("starting SonarQube: about a minute, or more on a busy machine")
        begun = time.monotonic()
        with room.started(Path(logs)) as server:
            say(f"started in {time.monotonic() - begun:.1f} s")
            print(_SONARQUBE.format(**vars(server), admin=room.ADMIN, token=server.token()), flush=True)  # noqa: T201
            while True:
                process.pause(0.5)


def build_sonarqube() -> None:
    """Fetch SonarQube, which is no part of the lab's build."""
    from tests.lab import sonarqube_archive

    with process.interruptible():
        sonarqube_archive.fetch()


def demo(model: str = "helm") -> None:
    """Tell the demo's whole story on the lab, with a delivery model: `helm` or `argocd`."""
    from tests.lab import demo as room

    with process.interruptible():
        room.play(model)


COMMANDS: Mapping[str, Callable[[], None]] = {
    "build": build.build,
    "up": up,
    "demo": demo,
    "sonarqube": sonarqube,
    "build-sonarqube": build_sonarqube,
    "status": status,
    "down": down,
    "stop": stop,
}


def main(arguments: list[str]) -> None:
    """Run one command."""
    if arguments[:1] in (["keep"], ["inner"]):  # started by the lab itself
        from tests.lab import keeper

        keeper.keep() if arguments == ["keep"] else keeper.inner(*arguments[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("model", nargs="?", choices=["helm", "argocd"], help="of `demo`: how releases are delivered")
    parsed = parser.parse_args(arguments)
    command = COMMANDS[parsed.command]
    if parsed.model:
        if command is not demo:
            parser.error(f"{parsed.command} takes no model")
        command = functools.partial(demo, parsed.model)
    try:
        if command is build.build:
            with process.interruptible():
                command()
        else:
            command()
    except Interrupted:
        sys.exit(130)
    except JenkinsCdError as error:
        problems = "".join(f"\n  {one}" for one in getattr(error, "problems", ()))
        say(f"{error.message}{problems}")
        if error.hint:
            say(error.hint)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1:])
