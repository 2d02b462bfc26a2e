"""The kinds of values that the configuration knows: names, durations, paths, URLs, versions."""

from __future__ import annotations

from jenkins_cd.config.record import record


@record(frozen=True)
class Meta:
    """What a value must be beyond its type, and what the reference says of it."""

    description: str = ""
    key: str = ""  # the name in the file, where it is no Python name
    pattern: str = ""  # a regular expression that the whole value must match
    expected: str = ""  # the pattern in words
    example: str = ""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int = 0
    single: bool = False  # of a list: one value may stand there without it


NAME = Meta(
    pattern=r"[a-z]([a-z0-9-]*[a-z0-9])?",
    max_length=53,
    expected="a lower-case name such as `storefront` (letters, digits and dashes, at most 53)",
)
DURATION = Meta(pattern=r"[0-9]+(ms|s|m|h)", max_length=12, expected="a duration such as `500ms`, `30s`, `10m` or `1h`")
PATH = Meta(
    pattern=r"(?!/)(?!-)(?!(.*/)?\.\.(/|$))[^\x00-\x1f\x7f]+",
    max_length=255,
    expected="a path inside the repository, without `..`",
)
URL = Meta(
    pattern=r"https?://(?![^/\s]*@)[^\s]+",
    max_length=2000,
    expected="an http:// or https:// URL without user and password",
)
GIT_URL = Meta(
    pattern=(
        r"(https?://(?![^/\s]*@)|(ssh|git)://(?!([^/\s@]*@)?-|[^/\s:@]*:[^/\s@]*@)|file:///|/)[^\s]+"
        r"|(?![A-Za-z]:[\\/])(?![^/\s@]*:[^/\s]*@)([A-Za-z0-9_][A-Za-z0-9_.+-]*@)?"  # no drive, no password
        r"([A-Za-z0-9][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?\]):(?!//)[^\s:()<>-][^\s()<>]*"
    ),
    max_length=2000,
    expected="a Git URL without a password (https://…, ssh://…, user@host:path, file:///… or an absolute path)",
)
APP_KEY = Meta(
    pattern=r"(\*|[a-z]([a-z0-9-]*[a-z0-9])?(/(\*|[a-z]([a-z0-9-]*[a-z0-9])?))?)",
    max_length=107,
    expected="an app, `project/app`, `project/*` or `*`",
)
BRANCH = Meta(
    pattern=r"(?!.*\.\.)(?!.*//)(?!.*\.lock$)[A-Za-z0-9_][A-Za-z0-9_./-]*[A-Za-z0-9_]|[A-Za-z0-9_]",
    max_length=200,
    expected="a Git branch name",
)
VERSION = Meta(
    pattern=r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?",
    max_length=128,
    expected="a SemVer version without build metadata, such as `1.4.0` or `1.4.1-dev.3.g1a2b3c4`",
)
IMAGE_REPOSITORY = Meta(
    pattern=r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
    max_length=255,
    expected="a registry host and path such as `registry.local/apps`",
)
OCI_URL = Meta(
    pattern=r"oci://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",
    max_length=255,
    expected="an OCI registry such as `oci://registry.local/charts`",
)
JSON_PATH = Meta(
    pattern=r"\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\])+",
    max_length=200,
    expected="a path into a JSON answer such as `$.version` or `$.build.version`",
)
PERSON = Meta(
    pattern=r"[A-Za-z0-9][A-Za-z0-9_.@-]*", max_length=100, expected="a user or group name such as `qa` or `jane.doe`"
)
CREDENTIAL = Meta(
    pattern=r"[A-Za-z0-9_.-]+", max_length=255, expected="the ID of a Jenkins credential, such as `registry`"
)
LABEL = Meta(
    pattern=r"[A-Za-z0-9_.&|!() -]*", max_length=200, expected="a label expression such as `linux` or `linux && docker`"
)
LIBRARY = Meta(
    pattern=r"[A-Za-z0-9_.-]+(@[A-Za-z0-9_][A-Za-z0-9_./-]*)?",
    max_length=200,
    expected="a library's name, with a version if need be, such as `jenkins-cd` or `jenkins-cd@v1.2.0`",
)
JOB = Meta(
    pattern=r"(?![ /.])(?!.*[ /.]$)(?!.*(//|/[ .]|[ .]/))[^\x00-\x1f\x7f?*\\%!@#$^&|<>\[\]:;\"']+",
    max_length=255,
    expected="a job's full name, its folders before it, such as `delivery/deploy`",
)
GLOB = Meta(
    pattern=r"[A-Za-z0-9_*?\[][A-Za-z0-9_./*?\[\]!-]*",
    max_length=200,
    expected="a name or pattern such as `main` or `release/*`",
)
