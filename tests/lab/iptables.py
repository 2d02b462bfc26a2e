"""The rules that kube-proxy and the kubelet leave behind: every chain is named KUBE-…"""

from __future__ import annotations

import re

from jenkins_cd.tools import process

PREFIX = "KUBE-"
_FAMILIES = ("iptables", "ip6tables")
_TABLE = re.compile(r"\*(\w+)")
_CHAIN = re.compile(rf":({PREFIX}\S+) ")
_JUMP = re.compile(rf"-A (?!{PREFIX})(.* -[jg] {PREFIX}.*)")


def left() -> list[str]:
    """Return the lines of the rules and chains that are there now."""
    return [line for family in _FAMILIES for line in _saved(family) if PREFIX in line]


def remove() -> None:
    """Remove all of them, in one go a family."""
    for family in _FAMILIES:
        if script := _removal(_saved(family)):
            process.run([f"{family}-restore", "--noflush"], stdin=script.encode()).require(
                "remove the rules of kube-proxy"
            )


def _saved(family: str) -> list[str]:
    return process.run([f"{family}-save"]).stdout.splitlines()


def _removal(saved: list[str]) -> str:
    """Return what removes our chains, and the jumps to them from others: in the format of iptables-restore."""
    script = []
    table: list[str] = []
    for line in saved:
        if _TABLE.fullmatch(line):
            table = [line]
            chains: list[str] = []
        elif chain := _CHAIN.match(line):
            chains.append(chain[1])
        elif jump := _JUMP.fullmatch(line):
            table.append(f"-D {jump[1]}")
        elif line == "COMMIT" and (chains or len(table) > 1):
            # Emptied first, all of them: a chain that another one jumps to cannot be removed.
            script += [*table, *(f"-F {one}" for one in chains), *(f"-X {one}" for one in chains), line]
    return "\n".join([*script, ""]) if script else ""
