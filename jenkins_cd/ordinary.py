"""Which secrets cannot be masked: those that ordinary text has anyway, so that blanking them out would spoil it."""

from __future__ import annotations

import re
from collections.abc import Collection

SHORTEST = 4  # characters
SHORTEST_WORD = 6  # characters of one of letters alone
SHORTEST_HEXADECIMAL = 8  # digits: fewer turn up in any commit or digest
REMEDY = "choose one of 12 characters or more, of letters and digits, that is no word"
_TEXT = """
about above access account action actual added address admin administrator agent agents already answer answers any
apply approval approvals approve approved approver argocd argument arguments article artifact attempt attempts
automatic baseline because before begin begun between blocked board branch branches browser build builder builds
bundle business cannot change changed changes changeme changelog chart charts check checked checks checkout cluster
clusters code-standard command commands commit commits common compiler compiler-warnings complete computer config
configuration connect connection console container content context copy coverage created credential credentials
current damaged dashboard database date-time dead-code default delete deliver delivery demo deploy deployment
deployments deployed description detail details develop developer development diff different digest directory
docker doctor document drift dry-run duration environment environments error errors evidence example exit-code
expected explain external failed failure failures false feature fetch field fields file files finding findings
fingerprint first flux folder found freeze freezes from gate gates git github gitlab gitops golang grafana green
head health health-url healthy helm helpers history home host http https image images ingress init input install
installed interrupted invalid jenkins jenkins-cd jenkinsfile jobs json junit kind kubeconfig kubernetes label labels
latest ledger letmein level library line linux localhost lock logs machine main maintainer manager manifest
manifests master message messages metadata metrics minimum missing model module monitor multibranch name names
namespace network newest nothing number object objects observation open operator options organisation organization
other outcome outcomes output overrides owner package packaged packages parameter parameters passed passwd password
passwords path phase phases pipeline pipelines plan planned platform podman pods policy private problem problems
process processes prod product production profile program progress project projects promote promotion prune public
published python quality queue qwerty read reason reasons record recorded refused registry registries release
released releases remote replicas report reports repository repositories request requested resource resources
response result results revision rollback rollout root rules running runtime sample sarif schema script scripts
search second seconds secret secrets section server servers service services session settings setting shell shop
skipped skopeo snapshot software sonar-scan sonarqube source sources stage staged stages staging standard started
startup state static status steps stopped storefront string strings suite summary superseded support synced system
table target template templates terminal test testcase tested testing tests text timeout timeouts title token tokens
tool toolchain toolchains tools total trigger true unit unit-tests unknown unstable update updated upgrade upload
uploaded usage user username users valid validate value values vendor verdict verified verify version versions
volume wanted warning warnings website welcome window windows winter within without word words work worker working
workload workloads workspace workspaces write yaml
12345678 123456789 1234567890 password1 passw0rd
"""
WORDS = frozenset(_TEXT.split())
_NUMBERS = re.compile(r"v?\d+([.:-]\d+)+")


def weakness(secret: str, names: Collection[str] = ()) -> str:
    """Return why a secret cannot be masked, or an empty string. `names` are those of apps, projects, environments."""
    words = re.split(r"[^A-Za-z0-9]+", secret.casefold().strip(" ._/-"))
    if len(secret) < SHORTEST:
        return f"it has fewer than {SHORTEST} characters"
    if re.fullmatch(rf"[0-9A-Fa-f]{{1,{SHORTEST_HEXADECIMAL - 1}}}", secret):
        return f"it is a hexadecimal number of fewer than {SHORTEST_HEXADECIMAL} digits, as any commit or digest has"
    if secret.isalpha() and len(secret) < SHORTEST_WORD:
        return f"it has fewer than {SHORTEST_WORD} letters"
    if len(set(secret)) < 3:
        return "it repeats one or two characters"
    if _NUMBERS.fullmatch(secret):
        return "it reads as a version, a date or an address"
    if secret.casefold() in {name.casefold() for name in names}:
        return "it is the name of an app, a project or an environment"
    if secret.casefold() in WORDS or (len(words) <= 2 and all(word in WORDS or word == "cd" for word in words)):
        return "it is an ordinary word"
    return ""
