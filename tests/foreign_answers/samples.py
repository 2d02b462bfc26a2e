"""Right answers, with all that is read of them."""

from __future__ import annotations

import json
from typing import Any

AT = "2026-01-02T03:04:05Z"
METADATA: dict[str, Any] = {
    "name": "web-1",
    "namespace": "shop",
    "uid": "u-1",
    "resourceVersion": "9",
    "generation": 2,
    "creationTimestamp": AT,
    "labels": {"app.kubernetes.io/instance": "web", "controller-revision-hash": "r1"},
    "annotations": {"deployment.kubernetes.io/revision": "1"},
    "ownerReferences": [{"uid": "u-0", "controller": True}],
    "managedFields": [{"manager": "kubectl-edit", "time": AT, "fieldsV1": {"f:spec": {"f:replicas": {}}}}],
}
CONDITIONS = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "no"}]
ENDED = {"exitCode": 137, "reason": "OOMKilled", "message": "no", "finishedAt": AT, "containerID": "c-0"}
WAITING = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
DECLARED = {"name": "web", "image": "registry.local/web:1.0.0", "resources": {"limits": {"memory": "1Gi"}}}
CONTAINER = {
    "name": "web",
    "ready": False,
    "restartCount": 3,
    "image": "registry.local/web:1.0.0",
    "imageID": "registry.local/web@sha256:0",
    "containerID": "c-1",
    "state": WAITING,
    "lastState": {"terminated": ENDED},
}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": METADATA,
    "spec": {"nodeName": "n1", "containers": [DECLARED], "initContainers": [{**DECLARED, "name": "first"}]},
    "status": {
        "phase": "Running",
        "reason": "",
        "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "False"}],
        "containerStatuses": [CONTAINER],
        "initContainerStatuses": [{**CONTAINER, "name": "first", "state": {"terminated": ENDED}}],
    },
}
EVENT: dict[str, Any] = {
    "metadata": METADATA,
    "involvedObject": {"kind": "Pod", "name": "web-1", "uid": "u-1"},
    "type": "Warning",
    "reason": "FailedMount",
    "message": "a secret is not found",
    "count": 2,
    "series": {"count": 3, "lastObservedTime": AT},
    "lastTimestamp": AT,
    "eventTime": None,
}


def workload(kind: str, **more: Any) -> dict[str, Any]:
    """Return a workload of any kind, with all that is read of one."""
    spec = {
        "replicas": 2,
        "paused": False,
        "minReadySeconds": 5,
        "progressDeadlineSeconds": 60,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
        "podManagementPolicy": "OrderedReady",
        "suspend": False,
        "backoffLimit": 3,
        "type": "LoadBalancer",
        "externalIPs": [],
    }
    status = {
        "observedGeneration": 2,
        "replicas": 2,
        "readyReplicas": 1,
        "updatedReplicas": 2,
        "availableReplicas": 1,
        "updateRevision": "r1",
        "desiredNumberScheduled": 2,
        "updatedNumberScheduled": 1,
        "numberAvailable": 1,
        "failed": 1,
        "phase": "Pending",
        "loadBalancer": {"ingress": []},
        "conditions": CONDITIONS,
    }
    metadata = {"name": "web", "uid": "u-0", "generation": 2, "annotations": METADATA["annotations"]}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status, **more}


def listing(*items: Any) -> dict[str, Any]:
    """Return a page of a collection."""
    return {"kind": "AnyList", "apiVersion": "v1", "metadata": {"resourceVersion": "9"}, "items": list(items)}


SOURCE = {"repoURL": "https://git.local/deploy.git", "path": "dev/web", "targetRevision": "main"}
SHA = "1" * 40
OPERATION = {
    "sync": {"revision": SHA},
    "info": [{"name": "jenkins-cd", "value": f"{SHA} run"}],
    "initiatedBy": {"username": "ci", "automated": False},
    "retry": {"limit": 3, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m"}},
}
RESOURCE = {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "version": "v1"}
HEALTH = {"status": "Degraded", "message": "no"}
APPLICATION: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "argocd", "resourceVersion": "9", "labels": {"a": "b"}},
    "spec": {
        "project": "shop",
        "source": SOURCE,
        "destination": {"namespace": "shop", "server": "https://k"},
        "syncPolicy": {"automated": {"enabled": True}},
    },
    "operation": OPERATION,
    "status": {
        "sync": {"status": "OutOfSync", "revision": SHA, "comparedTo": {"source": SOURCE}},
        "health": HEALTH,
        "reconciledAt": AT,
        "conditions": [{"type": "SyncError", "message": "no"}],
        "resources": [
            {**RESOURCE, "status": "OutOfSync", "health": HEALTH, "hook": False, "requiresPruning": True, "syncWave": 2}
        ],
        "history": [{"id": 3, "revision": SHA, "deployedAt": AT}],
        "summary": {"images": ["registry.local/web:1.0.0"]},
        "operationState": {
            "operation": OPERATION,
            "phase": "Running",
            "message": "one or more tasks are running",
            "startedAt": AT,
            "finishedAt": AT,
            "retryCount": 1,
            "syncResult": {
                "revision": SHA,
                "resources": [
                    {**RESOURCE, "status": "SyncFailed", "message": "no", "hookType": "PreSync", "hookPhase": "Failed"}
                ],
            },
        },
    },
}
TREE: dict[str, Any] = {
    "nodes": [
        {**RESOURCE, "uid": "u-0", "health": HEALTH, "createdAt": AT, "info": [{"name": "Revision", "value": "Rev:3"}]},
        {
            "kind": "Pod",
            "name": "web-1",
            "namespace": "shop",
            "uid": "u-1",
            "parentRefs": [{**RESOURCE, "uid": "u-0"}],
            "info": [
                {"name": "Status Reason", "value": "CrashLoopBackOff"},
                {"name": "Restart Count", "value": "4"},
                {"name": "Containers", "value": "0/1"},
            ],
            "networkingInfo": {"labels": {"controller-revision-hash": "r1"}},
            "health": HEALTH,
            "images": ["registry.local/web:1.0.0"],
            "createdAt": AT,
        },
    ],
    "orphanedNodes": [{**RESOURCE, "uid": "u-9", "createdAt": AT}],
}
MANIFEST = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1"}})
OTHER = MANIFEST.replace("1", "2")
MANAGED = {
    "items": [
        {
            **RESOURCE,
            "hook": False,
            "liveState": OTHER,
            "targetState": MANIFEST,
            "normalizedLiveState": OTHER,
            "predictedLiveState": MANIFEST,
        }
    ]
}
WINDOW = {"kind": "deny", "schedule": "0 0 * * *", "duration": "1h", "manualSync": False, "timeZone": "UTC"}
WINDOWS = {"canSync": False, "activeWindows": [WINDOW], "assignedWindows": [WINDOW]}
ISSUED = {"iat": 1700000000, "exp": 1800000000, "id": "t1"}
PROJECT: dict[str, Any] = {
    "metadata": {"name": "shop", "resourceVersion": "9", "labels": {"a": "b"}},
    "spec": {"roles": [{"name": "ci", "jwtTokens": [ISSUED]}]},
    "status": {"jwtTokensByRole": {"ci": {"items": [ISSUED]}}},
}
