"""What the accounts of the model `helm` may do in their namespace: no more than Helm needs for the kinds in its charts.

Rights are https://kubernetes.io/docs/reference/access-authn-authz/rbac/. Nothing here is for a whole cluster: kinds
that are not in a namespace are left out, and said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jenkins_cd.cluster.chart_kinds import Kind, resources

Object = dict[str, Any]
Rules = Mapping[tuple[str, str], tuple[str, ...]]  # verbs by group and resource
API = "rbac.authorization.k8s.io"
TOKENS = "jenkins-cd-tokens"
_READ = ("get", "list", "watch")
_CHANGE = ("create", "patch", "delete")
_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")  # in the order that people know
_SECRETS = ("", "secrets")
# Helm keeps its releases in Secrets: https://helm.sh/docs/topics/advanced/#storage-backends
_STORAGE: Rules = {_SECRETS: ("get", "list", "create", "update", "delete")}
_EVIDENCE: Rules = {
    ("", "events"): _READ,
    ("", "pods"): _READ,
    ("", "pods/log"): ("get",),
    ("apps", "replicasets"): _READ,
}


def reader(account: str) -> str:
    """Return the name of the account that only reads, beside the one that deploys."""
    return f"{account}-reader"


def deploying(kinds: Iterable[Kind]) -> Rules:
    """Return what Helm needs to install, upgrade, wait, roll back and uninstall, and we to tell what went wrong."""
    found = [one for one in resources(kinds).values() if one and one.namespaced]
    return _sum(_STORAGE, _EVIDENCE, {(one.group, one.name): (*_READ, *_CHANGE) for one in found})


def reading(kinds: Iterable[Kind]) -> Rules:
    """Return what it takes to look at what runs, and at its logs: no Secrets, hence not at Helm's own records."""
    found = [one for one in resources(kinds).values() if one and one.namespaced]
    rules = _sum(_EVIDENCE, {(one.group, one.name): _READ for one in found})
    return {place: verbs for place, verbs in rules.items() if place != _SECRETS}


def left_out(kinds: Iterable[Kind]) -> tuple[str, ...]:
    """Return the kinds that nobody is given a right to, and why."""
    told = set()
    for (version, kind), resource in resources(kinds).items():
        if resource is None:
            told.add(f"{kind}: its template computes the apiVersion, and no cluster has it built in")
        elif not resource.namespaced:
            told.add(f"{kind} ({version or resource.group}): it is not in a namespace; the platform team makes it")
    return tuple(sorted(told))


def objects(namespace: str, account: str, rules: Rules) -> tuple[Object, ...]:
    """Return a service account, its role and their binding, all of one name. No pod that uses it gets a token."""
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(namespace, account)}
    return {**made, "automountServiceAccountToken": False}, *_role(namespace, account, _written(rules), subject)


def tokens(namespace: str, accounts: Iterable[str], bootstrap: str) -> tuple[Object, ...]:
    """Return what lets the account `bootstrap` (NAMESPACE/NAME) ask for tokens of `accounts`, and do nothing else."""
    place, _, name = bootstrap.partition("/")
    subject = {"kind": "ServiceAccount", "name": name, "namespace": place}
    rule = {"apiGroups": [""], "resources": ["serviceaccounts/token"], "resourceNames": list(accounts)}
    return _role(namespace, TOKENS, [{**rule, "verbs": ["create"]}], subject)


def _role(namespace: str, name: str, rules: list[Object], subject: Object) -> tuple[Object, Object]:
    metadata = _metadata(namespace, name)
    reference = {"apiGroup": API, "kind": "Role", "name": name}
    return (
        {"apiVersion": f"{API}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{API}/v1",
            "kind": "RoleBinding",
            "metadata": dict(metadata),
            "roleRef": reference,
            "subjects": [subject],
        },
    )


def _metadata(namespace: str, name: str) -> Object:
    return {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "jenkins-cd"}}


def _sum(*all_rules: Rules) -> Rules:
    verbs: dict[tuple[str, str], set[str]] = {}
    for rules in all_rules:
        for place, allowed in rules.items():
            verbs.setdefault(place, set()).update(allowed)
    return {place: tuple(verb for verb in _VERBS if verb in verbs[place]) for place in sorted(verbs)}


def _written(rules: Rules) -> list[Object]:
    """Return the rules as a Role has them: one for all resources of a group with the same verbs."""
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), verbs in rules.items():
        grouped.setdefault((group, verbs), []).append(resource)
    return [
        {"apiGroups": [group], "resources": names, "verbs": list(verbs)} for (group, verbs), names in grouped.items()
    ]
