"""What the Groovy sandbox would refuse in a library that is not trusted, as far as the text tells it.

Jenkins lets sandboxed Groovy call what its list names and nothing else: generic-whitelist and jenkins-whitelist of
https://github.com/jenkinsci/script-security-plugin. `ALLOWED` is the part of that list that the library uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ALLOWED = {  # what is called, and the type of its argument on the list
    "JsonOutput.toJson": "Map",  # `toJson java.lang.Object`, which takes lists, is not on it
    "UUID.randomUUID": "",
    "new JsonSlurper": "",
    "new ArrayList": "Collection",
}
CAUGHT = frozenset({"hudson.AbortException", "NoSuchMethodError"})  # a class that is only named is not called
FORBIDDEN = ("rawBuild", "metaClass", "class", "execute", "evaluate", "invokeMethod", "getClass", "getRawBuild")
CHECKED_BY_TYPE = frozenset({"Map"})  # needs a variable of that type: of an expression the text does not tell it

_NOT_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|'''.*?'''|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_CALL = re.compile(r"(?P<name>new +(?:\w+\.)*[A-Z]\w*|\b(?:[a-z]\w*\.)*[A-Z]\w*\.\w+)\s*(?P<argument>\([^()]*)?")
_MEMBER = re.compile(rf"\.(?:@?)(?P<name>{'|'.join(FORBIDDEN)})\b")


def refused(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and message of everything in a Groovy source that would need an administrator's approval."""
    code = _NOT_CODE.sub(_blank, source)
    for found in _CALL.finditer(code):
        name = " ".join(found["name"].split())
        if name in CAUGHT or _line_of(code, found.start()).lstrip().startswith("import "):
            continue
        if problem := _problem(code, name, (found["argument"] or "(")[1:].strip()):
            yield code.count("\n", 0, found.start()) + 1, problem
    for found in _MEMBER.finditer(code):
        yield code.count("\n", 0, found.start()) + 1, f"the sandbox refuses .{found['name']}"


def _problem(code: str, name: str, argument: str) -> str:
    if name not in ALLOWED:
        return f"the sandbox refuses {name}, or nobody has looked whether it does: see tests/jenkins/sandbox.py"
    wanted = ALLOWED[name]
    if wanted in CHECKED_BY_TYPE and not re.search(rf"\b{wanted} {re.escape(argument)}\b", code):
        return f"the sandbox refuses {name} of what is no variable of the type {wanted}: {argument}"
    return ""


def _blank(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n") or " "


def _line_of(code: str, position: int) -> str:
    return code[code.rfind("\n", 0, position) + 1 : position]
