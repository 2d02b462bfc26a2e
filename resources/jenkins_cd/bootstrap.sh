#!/bin/sh
# Find jenkins-cd on this agent, or install it into a cached virtual environment, and become it. Its arguments travel in
# JENKINS_CD_ARGUMENTS. Where it is there already, a start costs some milliseconds and prints nothing; one that was damaged is
# made anew.
#
#   JENKINS_CD_PACKAGE      a pip requirement to use instead of the library's version: a path, or git+https://...@TAG;
#                           what is installed under that name stays, so name a commit or a tag
#   JENKINS_CD_WHEEL        the library's own wheel, as a file
#   JENKINS_CD_FROM_INDEX   yes: without a wheel, install the version from the index that pip is configured with
#   JENKINS_CD_CACHE        where it is kept; else ${XDG_CACHE_HOME:-~/.cache}/jenkins-cd, else beside the workspace
#
# Exit codes of its own: 2 this agent lacks something, 3 a download failed, 86 hand over the library's wheel, please.
set -u
version=0.1.0
# The first digits of the SHA-256 of the library's wheel, so that it is found again before it is handed over.
# scripts/library fills them in.
wheel=

probe='import sys
if sys.version_info < (3, 10): sys.exit(10)
try: import ensurepip, os, venv
except ImportError: sys.exit(11)
print(os.path.realpath(sys.executable))'

# Write down the size of each file of an environment, which is the argument.
seal='import os, sys
with open(os.path.join(sys.argv[1], "files"), "w", errors="surrogateescape") as out:
    for place, _, names in os.walk(sys.argv[1]):
        for path in (os.path.join(place, name) for name in names if "\n" not in name):
            if path != out.name: print(os.lstat(path).st_size, os.path.relpath(path, sys.argv[1]), file=out)'

# Tell the first file of an environment that is not as it was written down, and fail.
whole='import os, sys
with open(os.path.join(sys.argv[1], "files"), errors="surrogateescape") as lines:
    known = [line.rstrip("\n").split(" ", 1) for line in lines]
if not known: sys.exit("files")
for size, name in known:
    try: same = os.lstat(os.path.join(sys.argv[1], name)).st_size == int(size)
    except OSError: same = False
    if not same: sys.exit(name)'

say() { printf 'jenkins-cd: %s\n' "$1" >&2; }

# Standard input without what does not belong in a log: user names and passwords in URLs.
mask() { sed 's|://[^/@ ]*@|://****@|g'; }

# Standard input as the inside of JSON strings, one a line.
escaped() { LC_ALL=C tr '\t' ' ' | LC_ALL=C tr -cd '\n\040-\176' | sed 's/["\\]/\\&/g'; }
string() { printf '"%s"' "$(printf %s "$1" | tr '\n' ' ' | escaped)"; }
strings() { [ -z "$1" ] || printf '%s\n' "$1" | escaped | sed 's/.*/"&"/' | tr '\n' ',' | sed 's/,$//'; }

result() {
    printf '{"schema": "jenkins_cd/result/v1", "arguments": %s, "exit_code": %s, "message": %s, ' \
        "${JENKINS_CD_ARGUMENTS:-[]}" "$1" "$(string "$2")"
    printf '"hint": %s, "problems": [%s], "evidence": "", "document": null}\n' "$(string "$3")" "$(strings "$4")"
}

# fail CODE MESSAGE NEXT [LINES]: says so, and leaves it for the pipeline step in the file that it reads.
fail() {
    lines=$(printf '%s' "${4:-}" | tail -n 15 | mask)
    say "$2"
    [ -z "$lines" ] || printf '%s\n' "$lines" | sed 's/^/  | /' >&2
    printf '  next: %s\n' "$3" >&2
    if [ -n "${JENKINS_CD_RESULT:-}" ]; then
        case $JENKINS_CD_RESULT in */*) mkdir -p "${JENKINS_CD_RESULT%/*}" ;; esac
        result "$1" "$2" "$3" "$lines" >"$JENKINS_CD_RESULT" || say "$JENKINS_CD_RESULT cannot be written"
    fi
    exit "$1"
}

in_path() {
    [ -z "${JENKINS_CD_PACKAGE:-}" ] && program=$(command -v jenkins-cd) &&
        [ "$("$program" --version 2>/dev/null </dev/null)" = "jenkins-cd $version" ]
}

# The POSIX checksum and the length of standard input.
digest() { cksum | tr ' ' '-'; }

# Set `key`, the folder's name in the cache, and `package`, what pip is to install (empty: nothing is known).
choose() {
    key=$version package=
    if [ -n "${JENKINS_CD_PACKAGE:-}" ]; then
        package=$JENKINS_CD_PACKAGE key=$version-$(printf %s "$JENKINS_CD_PACKAGE" | digest)
    elif [ -n "${JENKINS_CD_WHEEL:-}" ]; then
        [ -f "$JENKINS_CD_WHEEL" ] || fail 2 "JENKINS_CD_WHEEL is $JENKINS_CD_WHEEL, and there is no such file" \
            "write the library's jenkins_cd.whl there first, as the step jenkinsCd does"
        package="the library's wheel" key=$version-${wheel:-$(digest <"$JENKINS_CD_WHEEL")}
    elif [ "${JENKINS_CD_FROM_INDEX:-}" = yes ]; then
        package=jenkins_cd==$version
    elif [ -n "$wheel" ]; then
        key=$version-$wheel
    fi
}

# Set `cache` to where it is kept, and `beside` to where it goes if that cannot be written.
places() {
    beside=${WORKSPACE_TMP:-${WORKSPACE:-$PWD}@tmp}/jenkins-cd
    if [ -n "${JENKINS_CD_CACHE:-}" ]; then
        cache=$JENKINS_CD_CACHE
    elif [ -n "${XDG_CACHE_HOME:-}" ]; then
        cache=$XDG_CACHE_HOME/jenkins-cd
    else
        cache=${HOME:+$HOME/.cache/jenkins-cd}
    fi
    case $cache in /* | '') ;; *) cache=$PWD/$cache ;; esac
}

# installed FOLDER: whether it was finished, the Python that it is made of is still there, and no file of it was damaged
# since, as by a disk that was full or a machine that went down. An empty program would end with 0.
installed() {
    { read -r made_with <"$1/installed"; } 2>/dev/null && [ -x "$made_with" ] && [ -x "$1/bin/jenkins-cd" ] || return 1
    if ! odd=$("$1/bin/python" -I -S -c "$whole" "$1" 2>&1 </dev/null); then
        damaged="$1 (${odd##*"
"})"
        return 1
    fi
    program=$1/bin/jenkins-cd
}

writable() { [ -n "$1" ] && mkdir -p "$1/cli" 2>/dev/null && (: >>"$1/cli/$key.lock") 2>/dev/null; }

# Set `folder` to where it will be installed.
somewhere() {
    if ! writable "$cache"; then
        writable "$beside" || fail 2 "neither ${cache:-\$HOME, which is not set,} nor $beside can be written" \
            "set JENKINS_CD_CACHE to a folder that builds may write to, with 200 MB free"
        say "${cache:-\$HOME, which is not set,} cannot be written: this workspace gets its own jenkins-cd, in $beside"
        cache=$beside
    fi
    folder=$cache/cli/$key
}

# Set `python` to the first that will do, by its real path: a link may name another one after an upgrade.
find_python() {
    found='' bare=''
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
        [ -n "$(command -v "$name")" ] || continue
        python=$("$name" -I -c "$probe" 2>/dev/null) && return
        [ $? != 11 ] || bare=${bare:-$name}
        found=${found:-"$name is $("$name" --version 2>&1)"}
    done
    [ -z "$bare" ] || fail 2 "$bare on this agent cannot make virtual environments: it lacks venv or ensurepip" \
        "install them on the agent: apt-get install python3-venv"
    fail 2 "jenkins-cd needs Python 3.10 or newer on this agent, and ${found:-there is no python3}" \
        "install python3 and python3-venv there, or use the library's agent image (resources/jenkins_cd/agent)"
}

# Of those that install at once, one works and the others wait. The lock lives as long as somebody has descriptor 9.
take_lock() {
    if [ -n "$(command -v flock)" ]; then
        flock "$1" 9
    else
        "$python" -I -c 'import fcntl, sys
fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1] == "-n" else 0))' "$1" 2>/dev/null
    fi
}

lock() {
    exec 9>>"$cache/cli/$key.lock"
    take_lock -n && return
    say "another build is installing it into $folder: waiting"
    take_lock -x || fail 2 "$cache/cli/$key.lock cannot be locked" "set JENKINS_CD_CACHE to a folder on a local disk"
}

# undone CODE MESSAGE NEXT LINES: a failure on the way. Half an environment is of no use, and may fill the disk.
undone() {
    printf ' failed\n' >&2
    rm -rf "$folder"
    case $4 in
        *"No space left on device"* | *"Disk quota exceeded"*)
            fail 2 "the disk is full: jenkins-cd cannot be installed into $folder" \
                "free 200 MB there, or set JENKINS_CD_CACHE to a folder on another disk" "$4" ;;
    esac
    fail "$@"
}

# pip reads its own configuration: index, proxies, certificates. It must not ask, nor install elsewhere.
pip_install() {
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 GIT_TERMINAL_PROMPT=0 \
        "$folder/bin/python" -I -m pip install -- "$1" 2>&1 </dev/null
}

pip_failed() {
    code=3
    case $1 in
        *Retrying* | *"from versions: none"*) ;;
        *"No matching distribution"* | *"nvalid requirement"* | *"is invalid"* | *"requires a different Python"*)
            code=2 ;;
    esac
    if [ $code = 3 ]; then
        undone 3 "pip could not install $shown; the last that it said:" \
            "try again; if it stays, look at the index that pip uses on this agent (python3 -m pip config list)" "$1"
    fi
    undone 2 "pip cannot install $shown; the last that it said:" \
        "correct JENKINS_CD_PACKAGE, or the library's wheel, or pip's index (python3 -m pip config list)" "$1"
}

# Fill `folder`. The file `installed` is written last: without it, the next start begins anew.
install() {
    started=$(date +%s) file=$package shown=$(printf '%s' "$package" | mask)
    printf 'jenkins-cd: installing %s into %s ...' "$shown" "$folder" >&2
    rm -rf "$folder"
    if [ -z "${JENKINS_CD_PACKAGE:-}" ] && [ -n "${JENKINS_CD_WHEEL:-}" ]; then
        file=$folder/jenkins_cd-$version-py3-none-any.whl  # pip wants a name that tells
        said=$({ mkdir "$folder" && cp "$JENKINS_CD_WHEEL" "$file"; } 2>&1) ||
            undone 2 "$JENKINS_CD_WHEEL cannot be copied to $file:" "see that both can be read and written" "$said"
    fi
    said=$("$python" -I -m venv "$folder" 2>&1 </dev/null) ||
        undone 2 "$python cannot make a virtual environment:" "run it on the agent: $python -m venv FOLDER" "$said"
    said=$(pip_install "$file") || pip_failed "$said"
    said=$("$folder/bin/jenkins-cd" --version 2>&1 </dev/null) ||
        undone 2 "$shown is installed, and brings no jenkins-cd that runs:" "correct JENKINS_CD_PACKAGE" "$said"
    [ "$file" = "$package" ] || rm -f "$file"
    { "$folder/bin/python" -I -S -c "$seal" "$folder" && printf '%s\n' "$python" >"$folder/unfinished" &&
        mv "$folder/unfinished" "$folder/installed"; } 2>/dev/null </dev/null ||
        undone 2 "$folder/installed cannot be written" "look at the disk" "No space left on device"
    program=$folder/bin/jenkins-cd
    printf ' done in %s s\n' $(($(date +%s) - started)) >&2
}

damaged=
in_path && exec "$program"
choose
places
if ! { [ -n "$cache" ] && installed "$cache/cli/$key"; } && ! installed "$beside/cli/$key"; then
    [ -n "$package" ] || exit 86
    [ -z "$damaged" ] || say "the jenkins-cd in $damaged is damaged: it is made anew"
    find_python
    somewhere
    lock
    installed "$folder" || install
    exec 9>&-
fi
exec "$program"
