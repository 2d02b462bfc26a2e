"""What each role of a project can and cannot do, on a real server: `pytest -s` shows the table.

Groups come with a login through OIDC, which the lab does not have. A token of a role stands in for its members: to the
server both are the same role.
"""

from __future__ import annotations

import functools
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

import pytest

from jenkins_cd.argocd_setup import plan as plans
from jenkins_cd.argocd_setup import setup
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.tools import argocd, argocd_applications, argocd_settings
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Absent, Blocked, Busy, Denied
from tests.argocd.shop import Shop, shop  # noqa: F401

WHO = ("developer", "devops", "admin", "ci", "visitor")  # the last one is the admin of another project
TABLE = """\
see the application         yes        yes        yes        yes        -
read its logs               yes        yes        yes        yes        -
sync it                     -          yes        yes        yes        -
roll it back                -          yes        yes        yes        -
restart it                  -          yes        yes        -          -
scale it                    -          -          yes        -          -
sync manifests of one's own -          -          yes        -          -
create an application       -          -          yes        -          -
change it                   -          -          yes        -          -
delete it                   -          -          yes        -          -
delete a pod of it          -          -          yes        -          -
see the project             yes        yes        yes        yes        -
change the project          -          -          -          -          -
make a token of ci          -          -          -          -          -
see another project's       -          -          -          -          yes
see repositories            -          -          -          -          -
see clusters                -          -          -          -          -
"""
MANIFEST = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}}'
Deed = Callable[[Server], object]


@dataclass(frozen=True)
class Place:
    """The app, synced; one of another project; and the pod of the first."""

    shop: Shop
    other: Ref
    pod: str

    @property
    def ref(self) -> Ref:
        return self.shop.ref

    def path(self, tail: str = "") -> str:
        return f"/api/v1/applications/{self.ref.name}{tail}"

    def spare(self) -> dict[str, Any]:
        """Return an Application that is not there."""
        entries = setup.render(self.shop.platform, self.shop.project, None, datetime.now(timezone.utc)).entries
        (mine,) = [one.object for one in entries if one.kind == "Application"]
        return {**mine, "metadata": {**mine["metadata"], "name": f"{self.shop.project}-{secrets.token_hex(4)}"}}


@pytest.fixture
def place(shop: Shop) -> Iterator[Place]:  # noqa: F811
    """Two projects as they are rendered, each with an app, and the first one's is up."""
    scene = shop.scene
    shop.apply()
    argocd_applications.sync(scene.admin, shop.ref, SyncOrder())
    scene.ends(shop.ref)
    scene.healthy(shop.ref)
    pods = [one for one in argocd_applications.tree(scene.admin, shop.ref)["nodes"] if one["kind"] == "Pod"]
    other = f"{shop.project}-other"
    try:
        yield Place(shop, _neighbour(shop, other), pods[0]["name"])
    finally:
        for what in (f"application/{other}-web-dev", f"appproject/{other}"):
            scene.lab.kubectl("--namespace", scene.argocd.namespace, "delete", what, "--wait=false", check=False)


def _neighbour(shop: Shop, other: str) -> Ref:  # noqa: F811
    found = setup.render(shop.platform, other, None, datetime.now(timezone.utc))
    plans.apply(plans.plan(shop.scene.admin, shop.platform, found), shop.told.append)
    spec = {
        "project": other,
        "source": {"repoURL": shop.scene.url, "path": f"dev/{shop.project}/web", "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": other},
    }
    made = {"metadata": {"name": f"{other}-web-dev"}, "spec": spec}
    argocd_settings.put_application(shop.scene.admin, made, validate=False)
    return Ref(name=f"{other}-web-dev", project=other)


def deeds(place: Place) -> Mapping[str, Deed]:
    """Return what somebody may try, in the order of TABLE."""
    return {
        "see the application": lambda server: argocd_applications.read(server, place.ref),
        "read its logs": functools.partial(_logs, place),
        "sync it": lambda server: argocd_applications.sync(server, place.ref, SyncOrder(dry_run=True)),
        "roll it back": functools.partial(_rollback, place),
        "restart it": functools.partial(_act, place, "restart"),
        "scale it": functools.partial(_act, place, "scale", replicas="1"),
        "sync manifests of one's own": functools.partial(_override, place),
        "create an application": lambda server: argocd_settings.put_application(server, place.spare()),
        "change it": functools.partial(_change, place),
        "delete it": functools.partial(_delete, place),
        "delete a pod of it": functools.partial(_delete_pod, place),
        "see the project": lambda server: argocd_settings.project(server, place.ref.project),
        "change the project": functools.partial(_change_project, place),
        "make a token of ci": lambda server: argocd_settings.create_token(
            server, place.ref.project, "ci", 60, secrets.token_hex(4)
        ),
        "see another project's": lambda server: argocd_applications.read(server, place.other),
        "see repositories": lambda server: _some(argocd_settings.repositories(server)),
        "see clusters": lambda server: _some(argocd_settings.clusters(server)),
    }


def _some(found: list[dict[str, Any]]) -> None:
    """A list has what one may see: of what is there, nothing is a no."""
    if not found:
        raise Absent("nothing that we may see")


def _logs(place: Place, server: Server) -> None:
    home = place.shop.project
    list(argocd_applications.logs(server, place.ref, pod=place.pod, namespace=home, container="app", tail=1))


def _rollback(place: Place, server: Server) -> None:
    history = argocd_applications.read(place.shop.scene.admin, place.ref)["status"]["history"]
    body = {"id": history[-1]["id"], "dryRun": True, "project": place.ref.project}
    argocd.call(server, "POST", place.path("/rollback"), body=body)


def _act(place: Place, action: str, server: Server, **parameters: str) -> None:
    body = {
        "action": action,
        "project": place.ref.project,
        "namespace": place.shop.project,
        "resourceName": "web",
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
        "resourceActionParameters": [{"name": name, "value": value} for name, value in parameters.items()],
    }
    argocd.call(server, "POST", place.path("/resource/actions/v2"), body=body)


def _override(place: Place, server: Server) -> None:
    body = {"project": place.ref.project, "dryRun": True, "manifests": [MANIFEST]}
    argocd.call(server, "POST", place.path("/sync"), body=body)


def _change(place: Place, server: Server) -> None:
    query = {"project": place.ref.project}
    present = argocd_applications.read(place.shop.scene.admin, place.ref)
    argocd.call(server, "PUT", place.path("/spec"), query=query, body=present["spec"])


def _delete(place: Place, server: Server) -> None:
    spare = place.spare()
    argocd_settings.put_application(place.shop.scene.admin, spare)
    argocd_settings.delete_application(server, replace(place.ref, name=spare["metadata"]["name"]))


def _delete_pod(place: Place, server: Server) -> None:
    def pod() -> str:
        nodes = argocd_applications.tree(place.shop.scene.admin, place.ref)["nodes"]
        return str(next(one["name"] for one in nodes if one["kind"] == "Pod"))

    query = {"namespace": place.shop.project, "resourceName": pod(), "version": "v1", "kind": "Pod"}
    argocd.call(server, "DELETE", place.path("/resource"), query={**query, "project": place.ref.project})


def _change_project(place: Place, server: Server) -> None:
    present = argocd_settings.project(place.shop.scene.admin, place.ref.project)
    assert present is not None
    argocd_settings.put_project(server, present, present)


def _can(deed: Deed, server: Server) -> str:
    """Try a deed. What is only held off by another operation is allowed: the right is asked for first."""
    try:
        deed(server)
    except Blocked:
        raise
    except (Refused, Absent):
        return "-"
    except Busy:
        return "yes"
    return "yes"


def test_each_role_can_do_what_it_should_and_nothing_else(place: Place) -> None:
    scene = place.shop.scene
    servers = {role: scene.as_who_has(scene.token(role).text) for role in WHO[:-1]}
    visitor = argocd_settings.create_token(scene.admin, place.other.project, "admin", 600, secrets.token_hex(4))
    servers["visitor"] = scene.as_who_has(visitor.text)
    rows = [f"{'':28}" + "".join(f"{who:11}" for who in WHO).rstrip()]
    for name, deed in deeds(place).items():
        found = [_can(deed, servers[who]) for who in WHO]
        rows.append(f"{name:28}" + "".join(f"{one:11}" for one in found).rstrip())
    sys.stdout.write("\n".join(("", *rows, "")))
    assert [row.split() for row in rows[1:]] == [row.split() for row in TABLE.splitlines()]


def test_a_refusal_is_of_the_right_that_is_missing(place: Place) -> None:
    with pytest.raises(Denied) as error:
        argocd_applications.sync(place.shop.scene.server("developer"), place.ref, SyncOrder(dry_run=True))
    assert (error.value.permission, error.value.what) == ("applications, sync", place.ref.rbac)
    assert not isinstance(error.value, Blocked | BadInput)
