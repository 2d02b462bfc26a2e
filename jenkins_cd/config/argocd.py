"""The keys of platform.yaml that speak of Argo CD: its server, what is generated for it, how an environment syncs."""

# Without `from __future__ import annotations`, as in types.py: evaluating strings takes longer than all of validation.

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from jenkins_cd.config.helm import PLACED
from jenkins_cd.config.kinds import CREDENTIAL, DURATION, GIT_URL, NAME, PATH, URL, Meta
from jenkins_cd.config.record import record

GROUP = Meta(
    pattern=r"[^\s,\"']+( [^\s,\"']+)*", max_length=200, expected="the name of a group as the login provider gives it"
)
KIND = Meta(
    pattern=r"(\*|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?/(\*|[A-Z][A-Za-z0-9]*)",
    max_length=200,
    expected="a group and a kind such as `apps/Deployment`, `/ConfigMap` (no group) or `*/*`",
)
RESOURCE = Meta(
    pattern=r"[a-z0-9.-]*:[A-Z][A-Za-z0-9]*:([a-z0-9.-]+/)?[a-z0-9{][a-z0-9.{}-]*",
    max_length=300,
    expected="GROUP:KIND:NAME such as `apps:Deployment:{app}`",
)
OPTION = Meta(
    pattern=r"[A-Z][A-Za-z]+=[A-Za-z0-9_.-]+", max_length=100, expected="a sync option such as `ServerSideApply=true`"
)
SCHEDULE = Meta(pattern=r"\S+( \S+){4}", max_length=100, expected="a cron schedule of five fields such as `0 22 * * *`")
ZONE = Meta(pattern=r"[A-Za-z]+([/_+-][A-Za-z0-9]+)*", max_length=64, expected="a time zone such as `Europe/Zurich`")
WINDOW = Meta(pattern=r"([0-9]+[hms])+", max_length=20, expected="a duration such as `1h` or `1h30m`")
API_SERVER = "https://kubernetes.default.svc"
OWN_CLUSTER = "in-cluster"


@record(frozen=True, kw_only=True)
class ArgoCdWindow:
    """A time in which Argo CD syncs (allow) or does not (deny), again and again."""

    kind: Annotated[Literal["allow", "deny"], Meta("Whether it opens or closes.")]
    schedule: Annotated[str, SCHEDULE, Meta("When it begins.", example="0 22 * * *")]
    duration: Annotated[str, WINDOW, Meta("How long it lasts.", example="8h")]
    time_zone: Annotated[str, ZONE, Meta("The zone that the schedule is in.")] = "UTC"
    manual_sync: Annotated[bool, Meta("Whether people, and we, may sync all the same.")] = False


@record(frozen=True, kw_only=True)
class ArgoCdTarget:
    """How an environment is delivered to through Argo CD."""

    application: Annotated[str, PLACED, Meta("The Application's name.")] = "{project}-{app}-{environment}"
    application_namespace: Annotated[
        str | None, NAME, Meta("The namespace that the Application lives in; Argo CD's own where left out.")
    ] = None
    project: Annotated[str, PLACED, Meta("The AppProject.")] = "{project}"
    cluster: Annotated[str, NAME, Meta("The destination: a name in `argocd.clusters`, or Argo CD's own cluster.")] = (
        OWN_CLUSTER
    )
    namespace: Annotated[str, PLACED, Meta("The namespace that the app goes to.")] = "{project}-{environment}"
    create_namespace: Annotated[bool, Meta("Let Argo CD make the namespace where it is missing.")] = False
    release: Annotated[str, PLACED, Meta("The Helm release's name, as charts see it.")] = "{app}"
    automated: Annotated[bool, Meta("Let Argo CD sync by itself too, as soon as it sees a commit.")] = False
    self_heal: Annotated[bool, Meta("Let Argo CD undo what is changed by hand; needs `automated`.")] = False
    prune: Annotated[bool, Meta("Delete what is not declared any more.")] = True
    sync_options: Annotated[tuple[Annotated[str, OPTION], ...], Meta("Options of each sync.")] = ()
    resources: Annotated[
        tuple[Annotated[str, RESOURCE], ...], Meta("The only resources that we sync; all where empty.")
    ] = ()
    retries: Annotated[int, Meta("How often Argo CD tries a failed sync again.", minimum=0, maximum=100)] = 0
    windows: Annotated[tuple[ArgoCdWindow, ...], Meta("Sync windows, besides those that `freeze` makes.")] = ()
    credential: Annotated[
        str | None,
        CREDENTIAL,
        Meta("ID of the Jenkins secret text with the token; `argocd.credential` where left out."),
    ] = None


@record(frozen=True, kw_only=True)
class ArgoCdCluster:
    """A cluster that Argo CD delivers to, besides its own."""

    server: Annotated[str, URL, Meta("Its API server.", example="https://prod.example:6443")]
    namespaces: Annotated[
        bool, Meta("Give Argo CD the namespaces of the environments there, not the whole cluster.")
    ] = False
    credential: Annotated[
        str | None, NAME, Meta("The Secret in Argo CD's namespace whose `config` your secret manager fills.")
    ] = None


@record(frozen=True, kw_only=True)
class ArgoCdGroups:
    """Who has which role in every project: groups as the login provider names them."""

    developer: Annotated[tuple[Annotated[str, GROUP], ...], Meta("See everything, logs too.")] = ()
    devops: Annotated[tuple[Annotated[str, GROUP], ...], Meta("And sync, and roll back.")] = ()
    admin: Annotated[tuple[Annotated[str, GROUP], ...], Meta("And change applications.")] = ()
    ci: Annotated[tuple[Annotated[str, GROUP], ...], Meta("Sync, and make tokens for it: the pipeline's own.")] = ()


@record(frozen=True, kw_only=True)
class ArgoCd:
    """The Argo CD server, and what is generated for it."""

    url: Annotated[str | None, URL, Meta("Its address.", example="https://argocd.local")] = None
    namespace: Annotated[str, NAME, Meta("The namespace that it runs in.")] = "argocd"
    credential: Annotated[str | None, CREDENTIAL, Meta("ID of the Jenkins secret text that is a token of it.")] = None
    groups: Annotated[ArgoCdGroups, Meta("Roles in every project, by group.")] = field(default_factory=ArgoCdGroups)
    project_groups: Annotated[
        Mapping[Annotated[str, NAME], ArgoCdGroups], Meta("Roles in one project, besides `groups`, by project.")
    ] = field(default_factory=dict)
    clusters: Annotated[Mapping[Annotated[str, NAME], ArgoCdCluster], Meta("Other clusters, by name.")] = field(
        default_factory=dict
    )
    allow_kinds: Annotated[
        tuple[Annotated[str, KIND], ...], Meta("Kinds in a namespace that may be delivered; all where empty.")
    ] = ()
    deny_kinds: Annotated[tuple[Annotated[str, KIND], ...], Meta("Kinds in a namespace that may not.")] = (
        "/ResourceQuota",
        "/LimitRange",
        "networking.k8s.io/NetworkPolicy",
    )
    cluster_kinds: Annotated[tuple[Annotated[str, KIND], ...], Meta("Kinds outside of namespaces that may be.")] = ()
    source_repositories: Annotated[
        tuple[Annotated[str, GIT_URL], ...], Meta("Repositories that may be delivered besides the deploy repository.")
    ] = ()
    repository_url: Annotated[
        str | None, GIT_URL, Meta("The deploy repository as Argo CD reaches it; its `url` where left out.")
    ] = None
    shared_paths: Annotated[
        tuple[Annotated[str, PATH], ...],
        Meta("Folders of the deploy repository that all apps are made from too, besides charts that theirs depend on."),
    ] = ()
    repository_credentials: Annotated[
        str | None, NAME, Meta("The Secret in Argo CD's namespace with its credential for Git, by your secret manager.")
    ] = None
    orphan_warning: Annotated[bool, Meta("Warn of objects in the namespaces that no application has.")] = True
    generate: Annotated[
        Literal["applications", "applicationset"],
        Meta("An Application for each app and environment, or an ApplicationSet that makes them from the folders."),
    ] = "applications"
    session: Annotated[str, DURATION, Meta("How long a token of `argocd token` is good for.")] = "30m"
