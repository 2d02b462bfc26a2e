"""What Git is started with, so that it does and prints the same on every machine and gives nobody our credentials.

There are three ways, by what Git is asked to do:

- talk to a repository whose URL is known: it has our credentials for that host, and how this machine reaches others;
- work in a folder of ours: nothing is fetched, there are no credentials, and nothing of the user's settings holds;
- look at the checkout of an app: the user's settings say how its files are to be read, and there are no credentials.

No way runs a hook or a file-system monitor. What else could run code of an app, a filter, does so without credentials.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from jenkins_cd.errors import BadInput
from jenkins_cd.masking import from_environment, mask, read, without_secrets
from jenkins_cd.tools import leftovers
from jenkins_cd.tools.git_process import Environment, execute

Setting = tuple[str, str | None]  # None: the key alone stands there, which means yes
PROTOCOLS = "file:git:http:https:ssh"
READ_TIMEOUT = 30.0  # seconds, to read Git's configuration

# How this machine reaches others: proxies, certificates, logins, ways over SSH, other addresses for the same host.
TRANSPORT = re.compile(
    r"(http|credential|ssh|url|protocol)\..*|core\.(sshcommand|gitproxy|askpass)|safe\..*", re.IGNORECASE | re.DOTALL
)
# What is needed of it where nothing is fetched: whose folders are trusted, and how large files get into a checkout.
LOCAL = re.compile(r"safe\..*|(filter|lfs)\..*", re.IGNORECASE | re.DOTALL)
_FILTER = re.compile(r"(filter\..+)\.(clean|smudge|process)", re.IGNORECASE | re.DOTALL)
_NO_FILTER = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))
_LARGE_FILES = re.compile(r"git[- ]lfs (clean|smudge|filter-process)( --skip)?( -- %f)?")  # as git-lfs installs itself

_ALWAYS: tuple[Setting, ...] = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("submodule.recurse", "false"),
    ("color.ui", "false"),
    ("color.status", "false"),
    ("color.branch", "false"),
    ("column.ui", "never"),
    ("column.tag", "never"),
    ("column.branch", "never"),
    ("column.status", "never"),
    ("log.showSignature", "false"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("tag.gpgSign", "false"),
    ("tag.sort", "refname"),
    ("gc.autoDetach", "false"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "60"),
)
_OURS: tuple[Setting, ...] = (("core.attributesFile", os.devnull), ("core.excludesFile", os.devnull))
_SPEECH = {"LC_ALL": "C", "LANGUAGE": "C", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never"}
_NO_TRANSPORT = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
_HELPER = (
    '!f() { test "$1" = get && '
    'printf "username=%s\\npassword=%s\\n" "$JENKINS_CD_GIT_USERNAME" "$JENKINS_CD_GIT_PASSWORD"; }; f'
)

# Variables of the user that Git may see; of all others that it knows it is told nothing.
_PLACES = re.compile(r"GIT_EXEC_PATH")
_REACHING = re.compile(r"GIT_EXEC_PATH|GIT_SSH(_COMMAND|_VARIANT)?|GIT_ASKPASS|GIT_(SSL|HTTP|PROXY)_\w+")
_READING = re.compile(
    r"GIT_EXEC_PATH|GIT_CEILING_DIRECTORIES|GIT_DISCOVERY_ACROSS_FILESYSTEM|GIT_ATTR_NOSYSTEM"
    r"|GIT_CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|PARAMETERS|COUNT|KEY_\d+|VALUE_\d+)"
)
_LOGINS = ("SSH_AUTH_SOCK", "SSH_ASKPASS")  # of the user, where nothing is fetched


def to(url: str, folder: Path) -> Environment:
    """Return what a command in `folder` needs that talks to the repository at `url`: no prompts, no endless waits.

    The credentials (JENKINS_CD_GIT_USERNAME and _PASSWORD) are offered to the host of `url` only, through a helper that
    reads the environment (gitcredentials(7)): they are in no argv and no file. JENKINS_CD_GIT_SSH_KEY is the file of a
    private key, for hosts that are reached over SSH. Raises BadInput where Git's configuration cannot be read.
    """
    settings, login = _login(url)
    variables = {**_SPEECH, **_ssh(), **login, "GIT_ALLOW_PROTOCOL": PROTOCOLS, **_isolated(TRANSPORT, folder)}
    return _environment(variables, [*_ALWAYS, *_OURS, *settings], _REACHING)


def within(folder: Path) -> Environment:
    """Return what a command needs in a folder of ours that talks to nobody. Raises BadInput as `to` does."""
    variables = {**_SPEECH, **_NO_TRANSPORT, **_isolated(LOCAL, folder)}
    return _environment(variables, [*_ALWAYS, *_OURS, ("credential.helper", "")], _PLACES, _LOGINS)


def checkout(settings: Iterable[Setting] = ()) -> Environment:
    """Return what a command needs that looks at the checkout of an app: how its files are read is the user's to say.

    Raises BadInput where GIT_CONFIG_COUNT is no number.
    """
    variables = {**_SPEECH, **_NO_TRANSPORT, "GIT_OPTIONAL_LOCKS": "0"}
    first = _given_settings()
    return _environment(variables, [*_ALWAYS, ("credential.helper", ""), *settings], _READING, _LOGINS, first)


def without_own_filters(folder: Path) -> list[Setting]:
    """Return the settings that switch off the filters which the configuration of a checkout itself names.

    Whatever has run in the checkout can have written them there. Those of the user stay, and those of git-lfs.
    """
    own = [(key, value) for scope, key, value in _listed(folder) if scope in ("local", "worktree")]
    filters = ((_FILTER.fullmatch(key), value) for key, value in own)
    drivers = {found[1] for found, value in filters if found and not _LARGE_FILES.fullmatch(value or "")}
    return [(f"{driver}.{name}", value) for driver in sorted(drivers) for name, value in _NO_FILTER]


def _environment(
    variables: dict[str, str],
    settings: Iterable[Setting],
    seen: re.Pattern[str],
    hidden: Iterable[str] = (),
    first: int = 0,
) -> Environment:
    """Return the variables with the settings from number `first` on, and what of our environment is not handed on."""
    count = first
    for count, (key, value) in enumerate(settings, first + 1):
        variables |= {f"GIT_CONFIG_KEY_{count - 1}": key, f"GIT_CONFIG_VALUE_{count - 1}": value or ""}
    variables["GIT_CONFIG_COUNT"] = str(count)
    secret = os.environ.keys() - without_secrets(os.environ).keys()
    strange = {name for name in os.environ if name.startswith("GIT_") and not seen.fullmatch(name)}
    dropped = (secret | strange | {*hidden} & os.environ.keys()) - variables.keys()
    return Environment(variables=variables, dropped=dropped)


def _login(url: str) -> tuple[list[Setting], dict[str, str]]:
    """Return the settings and variables that give Git our password for the host of `url`, if there are both."""
    scope = host(url)
    password = from_environment("JENKINS_CD_GIT_PASSWORD") if scope else None
    if not password:
        return [], {}
    user = read("JENKINS_CD_GIT_USERNAME") or "git"
    # An empty helper takes away those of the machine: ours must win.
    settings: list[Setting] = [(f"credential.{scope}.helper", ""), (f"credential.{scope}.helper", _HELPER)]
    return settings, {"JENKINS_CD_GIT_USERNAME": user, "JENKINS_CD_GIT_PASSWORD": password}


def host(url: str) -> str:
    """Return the host that a URL names, as what it would be over HTTP; "" where it names none.

    A host that is named for SSH may be reached over HTTPS: many machines rewrite one to the other (`url.…insteadOf`).
    """
    parts = urlsplit(url)
    if parts.scheme in ("http", "https"):
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme == "ssh":
        return f"https://{_bracketed(parts.hostname or '')}"
    found = re.match(r"[\w.+-]+@([\w.-]+|\[[^\]/]+\]):", url)
    return f"https://{found[1]}" if found else ""


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _ssh() -> dict[str, str]:
    if key := os.environ.get("JENKINS_CD_GIT_SSH_KEY"):
        ssh = os.environ.get("GIT_SSH_COMMAND") or _SSH  # a machine's own way may say where its known hosts are
        return {"GIT_SSH_COMMAND": f"{ssh} -o BatchMode=yes -o IdentitiesOnly=yes -i {shlex.quote(key)}"}
    configured = {"GIT_SSH_COMMAND", "GIT_SSH"} & os.environ.keys()
    return {} if configured or _names_ssh() else {"GIT_SSH_COMMAND": _SSH}


def _names_ssh() -> bool:
    return any(key == "core.sshcommand" for key, _ in _users_settings())


def _isolated(wanted: re.Pattern[str], folder: Path) -> dict[str, str]:
    """Return the variables that let Git see those of the user's settings that are wanted, and no others.

    It does not look for a repository above `folder` either: there, in the temporary folder, is anybody's.
    """
    kept = tuple(setting for setting in _users_settings() if wanted.fullmatch(setting[0]))
    return {
        "GIT_CONFIG_GLOBAL": str(_written(kept)) if kept else os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),
    }


def _users_settings() -> tuple[Setting, ...]:
    """Return the settings of the machine, of the user and of the environment, in their order."""
    _given_settings()
    names = [name for name in os.environ if _READING.fullmatch(name) or name in ("HOME", "XDG_CONFIG_HOME")]
    return _read_settings(tuple(sorted((name, os.environ[name]) for name in names)))


@functools.lru_cache(maxsize=8)
def _read_settings(_variables: tuple[tuple[str, str], ...]) -> tuple[Setting, ...]:
    scopes = ("system", "global", "command")
    return tuple((key, value) for scope, key, value in _listed(Path("/")) if scope in scopes)


def _listed(folder: Path) -> Iterator[tuple[str, str, str | None]]:
    """Yield scope, key and value of each setting that holds in a folder, by what git-config(1) lists with -z."""
    strange = {name for name in os.environ if name.startswith("GIT_") and not _READING.fullmatch(name)}
    dropped = strange | (os.environ.keys() - without_secrets(os.environ).keys())
    environment = Environment(variables=_SPEECH, dropped=dropped - _SPEECH.keys())
    try:
        ended = execute(["config", "--list", "--show-scope", "-z"], folder, environment, None, READ_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise BadInput("Git's configuration cannot be read: no end", "git config --list must work here") from error
    if ended.exit_code != 0:
        why = mask(ended.output.strip()[-500:])
        raise BadInput(f"Git's configuration cannot be read: {why}", "git config --list must work here")
    fields = ended.stdout.decode("utf-8", "surrogateescape").split("\0")
    for scope, setting in zip(fields[::2], fields[1::2], strict=False):
        key, given, value = setting.partition("\n")
        yield scope, key, value if given else None


def _given_settings() -> int:
    """Return how many settings the environment has for Git already. Raises BadInput where it is no number."""
    count = os.environ.get("GIT_CONFIG_COUNT") or "0"
    if not re.fullmatch(r"[0-9]{1,6}", count):
        raise BadInput(f"GIT_CONFIG_COUNT is {mask(count)[:40]!r}: expected a number", "unset it, or mend what sets it")
    return int(count)


@functools.lru_cache(maxsize=8)
def _written(settings: tuple[Setting, ...]) -> Path:
    """Return a file with these settings that is there as long as this process: they may hold a password of the user."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(leftovers.folder("gitconfig"))
    atexit.register(stack.close)
    file = folder / "config"
    leftovers.write_secret(file, "".join(map(_line, settings)).encode("utf-8", "surrogateescape"))
    return file


def _line(setting: Setting) -> str:
    """Return a setting as a section of its own in a configuration file (git-config(1), "Syntax")."""
    key, value = setting
    section, _, rest = key.partition(".")
    subsection, _, name = rest.rpartition(".")
    head = f"[{section} {_quoted(subsection)}]" if subsection else f"[{section}]"
    return f"{head}\n\t{name}\n" if value is None else f"{head}\n\t{name} = {_quoted(value, newline=True)}\n"


def _quoted(text: str, newline: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n") if newline else f'"{escaped}"'
