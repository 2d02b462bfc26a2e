"""Whether we have a right that was refused: an API server that has only just started knows of none.

It answers requests before it has read its roles and who is bound to them, and refuses what will be allowed a moment
later. What it says of a right by then is a SelfSubjectAccessReview:
https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/
"""

from __future__ import annotations

import time

from jenkins_cd.errors import ExternalFailure, Refused
from jenkins_cd.tools import kubernetes, process
from jenkins_cd.tools.kubernetes import Cluster
from jenkins_cd.tools.kubernetes_failures import Right

_LOOK = 0.2  # seconds between two questions
_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def held(cluster: Cluster, right: Right, seconds: float) -> bool:
    """Tell whether whoever `cluster` logs in as has a right, now or within some seconds.

    A server that cannot be asked will not have refused it for good either.
    """
    deadline = time.monotonic() + seconds
    try:
        while not _allowed(cluster, right):
            if time.monotonic() > deadline:
                return False
            process.pause(_LOOK)
    except ExternalFailure:
        return True
    return True


def _allowed(cluster: Cluster, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
    }
    asked = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    try:
        return bool(kubernetes.post(cluster, _PATH, asked)["status"]["allowed"])
    except Refused:  # not even this is known yet
        return False
