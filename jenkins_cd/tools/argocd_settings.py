"""What an Argo CD server is set up with: projects and tokens, Applications and their sets, clusters, repositories.

Objects are as the server has them: https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jenkins_cd.masking import register
from jenkins_cd.tools import argocd, process
from jenkins_cd.tools import argocd_settings_shapes as settings_shapes
from jenkins_cd.tools import argocd_shapes as shapes
from jenkins_cd.tools.argocd import Credentials, Ref, Server, call, segment
from jenkins_cd.tools.argocd_credentials import claims
from jenkins_cd.tools.argocd_failures import Absent, Away, Expired, Need, no_argocd
from jenkins_cd.tools.kubernetes_objects import Kinded

Object = Mapping[str, Any]
PATIENCE = 10.0  # seconds that a server may take to know a token that it has made
_POLL = 0.1


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token of a project's role."""

    text: str = field(repr=False)
    id: str
    issued_at: int  # seconds since the epoch
    expires_at: int  # 0: never


def projects(server: Server) -> list[dict[str, Any]]:
    """Return the AppProjects that we may see."""
    return _items(server, "/api/v1/projects", {}, "list the projects", settings_shapes.Projects)


def project(server: Server, name: str) -> dict[str, Any] | None:
    """Return an AppProject, None where there is none."""
    need = _need("projects", "get", name, f"read the project {name}")
    try:
        return dict(call(server, "GET", f"/api/v1/projects/{segment(name)}", need=need, shape=settings_shapes.Project))
    except Absent:
        return None


def put_project(server: Server, object_: Object, present: Object | None) -> dict[str, Any]:
    """Make an AppProject, or let the `present` one be as `object_` says; its tokens stay those that they are.

    Raises Rejected where an Application would lose its source or destination by it, or somebody changed it meanwhile.
    """
    name = str(object_["metadata"]["name"])
    if present is None:
        need = _need("projects", "create", name, f"create the project {name}")
        return dict(
            call(
                server, "POST", "/api/v1/projects", body={"project": object_}, need=need, shape=settings_shapes.Project
            )
        )
    need = _need("projects", "update", name, f"update the project {name}")
    body = {"project": _with_tokens(object_, present)}
    path = f"/api/v1/projects/{segment(name)}"
    return dict(call(server, "PUT", path, body=body, need=need, shape=settings_shapes.Project))


def delete_project(server: Server, name: str) -> None:
    """Delete an AppProject; nothing happens where there is none. Raises Rejected where it has Applications."""
    _delete(server, f"/api/v1/projects/{segment(name)}", {}, _need("projects", "delete", name, f"delete {name}"))


def create_token(server: Server, project: str, role: str, lifetime: float, id: str) -> Token:  # noqa: A002
    """Return a new token of a role for `lifetime` seconds (0: for ever), once the server knows it; `id` names it.

    Raises Absent where there is no such project or role, and Rejected where the role has a token with that ID.
    """
    body = {"expiresIn": math.ceil(lifetime), "id": id}
    need = _need("projects", "update", project, f"make a token of the role {role} of {project}")
    found = call(server, "POST", f"{_role(project, role)}/token", body=body, need=need, shape=shapes.Session)
    text = register(found["token"])
    says = claims(text)
    if not isinstance(says.get("iat"), int) or not isinstance(says.get("exp", 0), int):
        raise no_argocd(argocd.asked(server, need), "it makes a token that does not say when it was issued")
    _await(server, text)
    return Token(text=text, id=str(says.get("jti") or id), issued_at=says["iat"], expires_at=says.get("exp", 0))


def tokens(server: Server, project: str, role: str) -> list[Token]:
    """Return the tokens of a role, without their text, those that have expired too. Raises Absent without a project."""
    need = _need("projects", "get", project, f"read the project {project}")
    found = call(server, "GET", f"/api/v1/projects/{segment(project)}", need=need, shape=settings_shapes.Project)
    in_status = ((found.get("status") or {}).get("jwtTokensByRole") or {}).get(role) or {}
    in_spec = [token for one in _roles(found) if one.get("name") == role for token in one.get("jwtTokens") or ()]
    listed = {str(one.get("id") or one["iat"]): one for one in (*(in_status.get("items") or ()), *in_spec)}
    return [
        Token(text="", id=name, issued_at=int(one["iat"]), expires_at=int(one.get("exp") or 0))
        for name, one in listed.items()
    ]


def delete_token(server: Server, project: str, role: str, token: Token) -> None:
    """Let a token be worthless; nothing happens where it is so already.

    It goes by its ID alone: where the server knows none, it takes another one that was issued in the same second.
    """
    need = _need("projects", "update", project, f"revoke a token of the role {role} of {project}")
    _delete(server, f"{_role(project, role)}/token/-1", {"id": token.id}, need)


def applications(server: Server, project: str) -> list[dict[str, Any]]:
    """Return the Applications of a project that we may see."""
    doing = f"list what {project} has"
    return _items(server, "/api/v1/applications", {"projects": project}, doing, shapes.Applications)


def every_application(server: Server) -> list[dict[str, Any]]:
    """Return name, namespace, labels, annotations and specification of all Applications that we may see."""
    fields = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "spec")
    query = {"fields": ",".join(f"items.{one}" for one in fields)}
    return _items(server, "/api/v1/applications", query, "list the Applications", shapes.Applications)


def put_application(server: Server, object_: Object, *, validate: bool = True) -> dict[str, Any]:
    """Make an Application, or let it be as `object_` says. Raises Rejected where its project does not allow it.

    With `validate` its source must be there and render, too.
    """
    metadata = object_["metadata"]
    project = str(object_.get("spec", {}).get("project") or "default")
    need = _need("applications", "create", f"{project}/{metadata['name']}", f"put {project}/{metadata['name']}")
    query = {"upsert": "true", "validate": str(validate).lower()}
    how: dict[str, Any] = {"query": query, "body": object_, "need": need, "shape": shapes.Application}
    return dict(call(server, "POST", "/api/v1/applications", **how))


def delete_application(server: Server, ref: Ref, *, cascade: bool = False) -> None:
    """Delete an Application, with `cascade` and what it has deployed; nothing happens where there is none."""
    query = {"project": ref.project, "appNamespace": ref.namespace or None, "cascade": str(cascade).lower()}
    need = _need("applications", "delete", ref.rbac, f"delete {ref.rbac}")
    _delete(server, f"/api/v1/applications/{segment(ref.name)}", query, need)


def application_sets(server: Server, project: str = "") -> list[dict[str, Any]]:
    """Return the ApplicationSets that we may see, of one project or of all."""
    doing = f"list the ApplicationSets of {project or 'all projects'}"
    return _items(
        server, "/api/v1/applicationsets", {"projects": project or None}, doing, settings_shapes.ApplicationSets
    )


def put_application_set(server: Server, object_: Object) -> dict[str, Any]:
    """Make an ApplicationSet, or let it be as `object_` says. Only who may create in its project may."""
    name = object_["metadata"]["name"]
    project = object_.get("spec", {}).get("template", {}).get("spec", {}).get("project") or "default"
    need = _need("applicationsets", "create", f"{project}/{name}", f"put the ApplicationSet {name}")
    how: dict[str, Any] = {"query": {"upsert": "true"}, "body": object_, "need": need, "shape": Kinded}
    return dict(call(server, "POST", "/api/v1/applicationsets", **how))


def clusters(server: Server) -> list[dict[str, Any]]:
    """Return the clusters that we may see, without their credentials."""
    return _items(server, "/api/v1/clusters", {}, "list the clusters", settings_shapes.Clusters)


def put_cluster(server: Server, object_: Object) -> dict[str, Any]:
    """Register a cluster (`server`, `name`, `config`, `namespaces`, …), or let it be as `object_` says."""
    name = str(object_["server"])
    need = _need("clusters", "create", name, f"put the cluster {name}")
    how: dict[str, Any] = {"query": {"upsert": "true"}, "body": object_, "need": need, "shape": settings_shapes.Cluster}
    return dict(call(server, "POST", "/api/v1/clusters", **how))


def change_cluster(server: Server, address: str, fields: Object) -> dict[str, Any]:
    """Change some fields of a registered cluster (`name`, `namespaces`, …); all others stay, its credential too."""
    path, query = f"/api/v1/clusters/{segment(address)}", {"updatedFields": sorted(fields)}
    need = _need("clusters", "update", address, f"change the cluster {address}")
    how: dict[str, Any] = {
        "query": query,
        "body": {**fields, "server": address},
        "need": need,
        "shape": settings_shapes.Cluster,
    }
    return dict(call(server, "PUT", path, **how))


def repositories(server: Server) -> list[dict[str, Any]]:
    """Return the repositories that we may see, without their credentials, with the state of the connection."""
    return _items(server, "/api/v1/repositories", {}, "list the repositories", settings_shapes.Repositories)


def credential_templates(server: Server) -> list[dict[str, Any]]:
    """Return the templates of credentials, by the beginning of a URL (`url`), without their secrets."""
    return _items(server, "/api/v1/repocreds", {}, "list the templates of credentials", settings_shapes.Repositories)


def _with_tokens(object_: Object, present: Object) -> dict[str, Any]:
    """Return a project to write over another. What it has no token of in its roles and its status would be revoked."""
    tokens = {one.get("name"): one["jwtTokens"] for one in _roles(present) if one.get("jwtTokens")}
    spec = dict(object_.get("spec") or {})
    if "roles" in spec:
        spec["roles"] = [
            {**one, **({"jwtTokens": tokens[one["name"]]} if one["name"] in tokens else {})} for one in _roles(object_)
        ]
    version = {"resourceVersion": present.get("metadata", {}).get("resourceVersion")}
    kept = {"status": present["status"]} if present.get("status") else {}
    return {**object_, "metadata": {**object_["metadata"], **version}, "spec": spec, **kept}


def _roles(object_: Object) -> Iterable[Object]:
    found: Iterable[Object] = (object_.get("spec") or {}).get("roles") or ()
    return found


def _await(server: Server, token: str) -> None:
    """Wait until the server knows a token that it has made: it looks at the projects through a cache."""
    known = argocd.connect(server.url, Credentials(token=token))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            argocd.user(known)
            return
        except Expired as error:
            if time.monotonic() > deadline:
                raise Away(f"{server.url} does not accept the token that it has just made", error.hint) from error
        process.pause(_POLL)


def _role(project: str, role: str) -> str:
    return f"/api/v1/projects/{segment(project)}/roles/{segment(role)}"


def _items(server: Server, path: str, query: Mapping[str, Any], doing: str, shape: Any) -> list[dict[str, Any]]:
    return list(call(server, "GET", path, query=query, need=Need(doing=doing), shape=shape)["items"] or ())


def _delete(server: Server, path: str, query: Mapping[str, Any], need: Need) -> None:
    with contextlib.suppress(Absent):
        call(server, "DELETE", path, query=query, need=need)


def _need(resource: str, action: str, what: str, doing: str) -> Need:
    return Need(doing=doing, permission=f"{resource}, {action}", what=what)
