"""Resources of apps, to draw."""

from __future__ import annotations

from jenkins_cd.model import Resource

PULL = "ImagePullBackOff: registry.local/apps/storefront:1.4.0: not found"


def resource(uid: str, kind: str, parent: str = "", health: str = "", message: str = "", name: str = "") -> Resource:
    return Resource(uid=uid, kind=kind, name=name or uid, parent=parent, health=health, message=message)


def broken() -> tuple[Resource, ...]:
    """Return an Application whose new pods do not come up, with a long name and a dozen that are well."""
    root = Resource(
        uid="application", kind="Application", name="shop-storefront-test", group="argoproj.io", health="Degraded",
        sync="OutOfSync",
    )  # fmt: skip
    long = "storefront-database-with-a-name-that-is-much-longer-than-a-box-eu-west"
    return (
        root,
        resource("web", "Deployment", health="Degraded", message='Deployment "web" exceeded its progress deadline'),
        resource("web-7d5f8b9c4", "ReplicaSet", "web", "Progressing", "0 out of 3 new replicas are available"),
        *(resource(f"web-7d5f8b9c4-{n}", "Pod", "web-7d5f8b9c4", "Degraded", PULL) for n in range(3)),
        resource(long, "StatefulSet", health="Healthy"),
        resource(f"{long}-0", "Pod", long, "Healthy"),
        resource("migrate", "Job", health="Missing"),
        *(resource(f"settings-{n}", "ConfigMap") for n in range(12)),
    )


def many(deployments: int, pods: int) -> tuple[Resource, ...]:
    """Return as many Deployments, each with so many pods, of which the first is sick."""
    found = []
    for number in range(deployments):
        web = f"web-{number}"
        found += [resource(web, "Deployment", "", "Progressing"), resource(f"{web}-1", "ReplicaSet", web, "Healthy")]
        found += [
            resource(f"{web}-1-{n}", "Pod", f"{web}-1", "Healthy" if n else "Degraded", "" if n else PULL)
            for n in range(pods)
        ]
    return tuple(found)
