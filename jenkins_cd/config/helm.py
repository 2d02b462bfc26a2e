"""The keys of platform.yaml that say how the model `helm` pushes to a cluster."""

# Without `from __future__ import annotations`, as in types.py: evaluating strings takes longer than all of validation.

from typing import Annotated, Literal

from jenkins_cd.config.kinds import CREDENTIAL, DURATION, NAME, Meta
from jenkins_cd.config.record import record

PLACED = Meta(
    pattern=r"[a-z0-9{]([a-z0-9{}-]*[a-z0-9}])?",
    max_length=100,
    expected="a lower-case name such as `{project}-{environment}` ({app}, {project}, {environment} are filled in)",
)
CONTEXT = Meta(
    pattern=r"[A-Za-z0-9][A-Za-z0-9_.@:/-]*", max_length=253, expected="the name of a context in a kubeconfig"
)
Danger = Literal[
    "cluster-scoped",
    "other-namespaces",
    "privileged",
    "host-path",
    "host-network",
    "host-ports",
    "service-account-token",
]


@record(frozen=True, kw_only=True)
class HelmTarget:
    """Where and how `helm upgrade --install` runs."""

    namespace: Annotated[str, PLACED, Meta("The namespace that the release goes to.")] = "{project}-{environment}"
    create_namespace: Annotated[bool, Meta("Make the namespace where it is missing.")] = False
    release: Annotated[str, PLACED, Meta("The Helm release's name.")] = "{app}"
    context: Annotated[str | None, CONTEXT, Meta("The context of the kubeconfig; its current one where left out.")] = (
        None
    )
    service_account: Annotated[
        str | None,
        NAME,
        Meta("The account in the namespace that a step works as, with a token of minutes; null: none."),
    ] = "jenkins-cd"
    session: Annotated[
        str, DURATION, Meta("How long that token is good for; the API server gives no less than 10m.")
    ] = "15m"
    credential: Annotated[str | None, CREDENTIAL, Meta("ID of the Jenkins secret file that is the kubeconfig.")] = None
    allow: Annotated[tuple[Danger, ...], Meta("What a release may carry here that is refused otherwise.")] = ()
    uninstall_failed_first: Annotated[bool, Meta("Uninstall a first installation that fails.")] = False
