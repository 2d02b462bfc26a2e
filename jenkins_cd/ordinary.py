"""Which secrets cannot be masked: those that ordinary text has anyway, so that blanking them out would spoil it."""

from __future__ import annotations

import re
from collections.abc import Collection

SHORTEST = 4  # characters
SHORTEST_WORD = 6  # characters of one of letters alone
SHORTEST_HEXADECIMAL = 8  # digits: fewer turn up in any commit or digest
REMEDY = "choose one of 12 characters or more, of letters and digits, that is no word"
# What messages and documents of this product have in them, and what people take for a password.
_TEXT = """
aborted about above absent accept accepted access account action actual added address admin administrator agent
agents aliases allowed allows already anchor annotations anonymous another answer answered answers any anybody
apiversion application applications applicationset applicationsets applied apply appnamespace appproject approval
approvals approve approved approver approvers approves appversion argocd argoproj argument arguments article
artifact artifactlocation asking attempt attempts authentication author authority authorization automated automatic
autoscaling baseline bearer because before begin begins begun belongs beside between blocked board branch branches
brings broken browser build buildah builder building builds bundle business cancelled cannot certificate
certificates change changed changelog changeme changes character characters chart charts check checked checkout
checks choice choose chroot circle classname client cluster clusterresources clusterresourcewhitelist clusters
cobertura code-standard column command commands commit commits committer common compare compile compiler
compiler-warnings complete completed completion computer conditions config configmap configuration conflicts connect
connection console container containerid containerport containers content context control controller
controllerrevision cookie copy correct counts coverage covered crashed crashes crashloopbackoff create
createcontainerconfigerror createcontainererror created createdat creationtimestamp credential credentials cronjob
csafeloader current currently custom daemonset damaged dashboard dashes database date-time dead-code deadcode
deadline declared declares default defaults degraded delete deleted deletes deletiontimestamp deliver delivered
delivery demo denied depend dependencies deploy deployed deployment deployments deploys deprecated description
destination destinations detail details detected develop developer development diff differ different differs digest
digits directory disabled docker dockerfile doctor document drift drifted driver dry-run dubious duration earlier
either enable enabled encoding ending endpoints endpointslice engine entrypoint environment environments
ephemeralcontainers errimageneverpull errimagepull error errors events everything evidence example exceeded exists
exit-code expected expirationtimestamp expired expires explain extensions external failed failedmount failure
failures false family feature fetch field fields file files filled finding findings fingerprint finishedat first
flux folder folders follow followed follows forbidden format formatted found freeze freezes from frozen gate gates
generated generatename generation generators git github gitlab gitops global gocache golang gotemplate
gotemplateoptions grafana green groups handshake happens head health health-url healthy height helm helpers
hexadecimal hidden history home hookphase hooktype horizontalpodautoscaler host http https hudson image
imagepullbackoff images incomplete ingress init initcontainers input insecure install installation installed
installs instance instead interactive internal interrupted invalid invalidimagename invalidspecerror invocations
involvedobject itself jenkins jenkins-cd jenkinsfile jobs json junit jwttokens kernel killed kind kubeconfig kubectl
kubelet kubernetes label labels laststate latest layers ledger letmein letters level library limitrange limits line
linux livestate localhost location locations lock logs longer looked looking machine main maintainer managed
managedfields manager manifest manifests manual manualsync markdown masked master maximum meanwhile message messages
metadata metrics minimum missing model module monitor multibranch name names namespace namespaceresourceblacklist
namespaceresourcewhitelist namespaces narrow needed neither network networking networkpolicy newest nobody normal
normalizedlivestate nothing number object objects observation open operation operationstate operator option options
organisation organization origin orphanedresources other others outcome outcomes outofsync output override overrides
owner ownerreferences ownership package packaged packages parameter parameters parentrefs passed passphrase passwd
password passwords path pattern paused pending people permission persistentvolumeclaim person phase phases
physicallocation pipeline pipelines placeholder plan planned platform poddisruptionbudget podman pods policy
porcelain predictedlivestate previous printf prints private privileged problem problems process processes prod
product production profile program programs progress progressing project projects promote promotion properties
protocol proven prune pruned public publish published publishes pulled purpose pushed putting python quality queue
qwerty reached reaches read reason reasons record recorded redirects reference refresh refused refuses region
registered registries registry registryunavailable release released releases remote remove removed rename render
rendering renders replace replicas replicaset report reports repositories repository repourl request requested
requests required resolve resource resourcequota resources resourceversion response restart restartcount restarted
restarting restarts result results resume revision revisions revoke revoked rolebinding rollback rolled rollout root
ruleid ruleindex rules runcontainererror running runtime sample sarif schedule schema scoped script scripts search
second seconds secret secrets section security selflink server servers service serviceaccount serviceaccounts
services session setting settings settle shallow shared shell shop should single skipped skopeo snapshot software
somebody something sonar-scan sonarqube source sourcenamespaces sourcerepos sources stage staged stages staging
standard stands startcolumn started startedat starting startline startup state statefulset static status stayed
stderr stdout steps stopped storage storefront strategy stream string stringdata strings stroke subresource
succeeded success suite summary superseded support surrogateescape surrogatepass suspended switched synced
syncoptions syncpolicy syncresult syncwindows system table taillines target targetstate template templates temporary
terminal terminate terminated test testcase tested testing tests testsuite testsuites text through timeline timeout
timeouts timestamp timezone title token tokens tool toolchain toolchains tools total trigger true trusted unable
unauthorized unbound unchanged unhealthy uninstall uninstalled unit unit-tests unknown unless unpacked unreachable
unshallow unstable unsure update updated upgrade upload uploaded usage user username users valid validate value
values vendor verdict verified verify version versions viewbox visitor volume volumes vulture waitforpodscheduled
waiting wanted warning warnings website welcome whether whoever window windows winter within without word words work
worker working workload workloads workspace workspaces write writes written yaml
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
