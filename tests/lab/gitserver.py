"""Git servers: `git http-backend` behind names and passwords, and `git-shell` behind sshd with keys.

Two people each: the writer may do all, the reader may not push.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

from jenkins_cd.tools import process
from tests.lab import places
from tests.lab.component import Component, accepts
from tests.lab.site import Site

PEOPLE = ("writer", "reader")
# $1: who it is. An absolute path in the URL is one in the folder of repositories.
_SERVE = """\
case "$1 $SSH_ORIGINAL_COMMAND" in "reader git-receive-pack "*) echo "this key may only read" >&2; exit 1 ;; esac
cd "$(dirname "$0")/repositories" && exec git-shell -c "$(printf %s "$SSH_ORIGINAL_COMMAND" | sed "s:'/:':")"
"""


def components(site: Site) -> list[Component]:
    """Return both servers."""
    return [_over_http(site), _over_ssh(site)]


def folder(site: Site) -> Path:
    """Return the folder of repositories, passwords and keys."""
    return site.folder / "git"


def prepare(site: Site) -> None:
    """Make passwords and keys."""
    place = folder(site)
    (place / "repositories").mkdir(parents=True)
    passwords = place / "passwords.json"
    passwords.touch(0o600)
    passwords.write_text(json.dumps({name: secrets.token_urlsafe(12) for name in PEOPLE}), encoding="utf-8")
    for name in ("host", *PEOPLE):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(place / name)]
        process.run(key).require("make an SSH key")
    host = (place / "host.pub").read_text(encoding="ascii")
    known = f"[{site.address}]:{site.ports['git-ssh']} {host}"
    (place / "known_hosts").write_text(known, encoding="ascii")
    (place / "serve").write_text(_SERVE, encoding="ascii")
    lines = [
        f'restrict,command="/bin/sh {place}/serve {name}" {(place / f"{name}.pub").read_text(encoding="ascii")}'
        for name in PEOPLE
    ]
    (place / "authorized_keys").write_text("".join(lines), encoding="ascii")


def _over_http(site: Site) -> Component:
    argv = [sys.executable, "-m", "tests.lab.githttp", site.address, str(site.ports["git-http"]), str(folder(site))]
    return Component(name="git-http", argv=argv, ready=accepts((site.address, site.ports["git-http"])))


def _over_ssh(site: Site) -> Component:
    place = folder(site)
    config = {
        "ListenAddress": site.host("git-ssh"),
        "HostKey": place / "host",
        "AuthorizedKeysFile": place / "authorized_keys",
        "StrictModes": "no",  # it would not take keys below a folder that all may write to, as /tmp
        "PermitRootLogin": "forced-commands-only",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "no",
        "PidFile": "none",
    }
    # sshd wants to be called by its whole path: it starts itself anew for each connection.
    argv = [str(places.BIN / "sshd"), "-D", "-e", "-f", "/dev/null"]
    argv += [word for name, value in config.items() for word in ("-o", f"{name}={value}")]
    return Component(
        name="git-ssh",
        argv=argv,
        ready=accepts((site.address, site.ports["git-ssh"])),
        prepare=lambda: Path("/run/sshd").mkdir(mode=0o755, exist_ok=True),  # sshd shuts its unprivileged part in there
    )
