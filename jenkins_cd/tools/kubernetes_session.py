"""The connections to an API server, and the trust in it: its own authority, and nobody else."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from jenkins_cd.tools import answers, server_time
from jenkins_cd.tools.kubeconfig import Cluster

if TYPE_CHECKING:
    import requests


@functools.lru_cache(maxsize=16)
def of(cluster: Cluster) -> requests.Session:
    """Return the session that keeps the connections to a cluster, and trusts its authority alone."""
    import requests
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests.utils import get_environ_proxies

    context = cluster.tls()

    class Trusting(HTTPAdapter):
        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
            options |= {"ssl_context": context, **_named(cluster)}
            super().init_poolmanager(connections, maxsize, block, **options)

        def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
            options |= {"ssl_context": context, **_named(cluster)}
            return super().proxy_manager_for(proxy, **options)

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            """Leave it to the context: requests would add the authorities of the whole world."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        if cluster.token:
            request.headers["Authorization"] = f"Bearer {cluster.token}"
        return request

    session = requests.Session()
    session.hooks["response"].append(server_time.hook)
    session.trust_env = False  # neither .netrc nor REQUESTS_CA_BUNDLE speak of this server
    session.auth = sign
    session.verify = not cluster.insecure
    if cluster.insecure:  # whoever wrote the kubeconfig knows it
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    proxy = {"http": cluster.proxy, "https": cluster.proxy} if cluster.proxy else get_environ_proxies(cluster.server)
    session.proxies.update(proxy)
    session.headers.update({"Accept": "application/json", "User-Agent": "jenkins-cd"})
    session.hooks["response"].append(answers.bounded)
    session.mount("https://", Trusting())
    return session


def _named(cluster: Cluster) -> dict[str, Any]:
    """Return what lets TLS expect the server under another name than that of its address."""
    name = cluster.tls_server_name
    return {"server_hostname": name, "assert_hostname": name} if name else {}
