"""One real node: containerd with runc and a bridge network, the kubelet, kube-proxy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.lab import cgroups, cluster, images, network, places
from tests.lab.component import Component, accepts, answers
from tests.lab.pki import NODE
from tests.lab.site import Site

SOCKET = places.STATE / "containerd.sock"  # the path of a Unix socket is short, a temporary folder's may be long
# Parts of containerd that this node does not use, and that complain where the kernel lacks something.
_OFF = (
    "snapshotter.v1.btrfs",
    "snapshotter.v1.zfs",
    "snapshotter.v1.aufs",
    "snapshotter.v1.devmapper",
    "internal.v1.opt",
)


def components(site: Site) -> list[Component]:
    """Return the node's servers."""
    return [_containerd(site), _kubelet(site), _proxy(site)]


def _containerd(site: Site) -> Component:
    config = site.folder / "containerd.toml"

    def prepare() -> None:
        SOCKET.unlink(missing_ok=True)
        config.write_text(_containerd_config(site), encoding="utf-8")
        for host in (site.registry, site.local("registry")):
            mirror = site.folder / "mirrors" / host / "hosts.toml"
            mirror.parent.mkdir(parents=True, exist_ok=True)
            mirror.write_text(f'server = "http://{host}"\n[host."http://{host}"]\n', encoding="utf-8")
        _write(site.folder / "cni" / "10-lab.conflist", _cni(site))

    argv = ["containerd", "--config", str(config)]
    return Component(name="containerd", argv=argv, ready=accepts(str(SOCKET)), prepare=prepare)


def _containerd_config(site: Site) -> str:
    """Return its configuration: https://github.com/containerd/containerd/blob/release/1.6/docs/cri/config.md.

    Scores for the out-of-memory killer are kept: lowering them needs CAP_SYS_RESOURCE, which a container may lack.
    """
    disabled = ", ".join(f'"io.containerd.{name}"' for name in _OFF)
    cri = '[plugins."io.containerd.grpc.v1.cri"'
    return f"""\
version = 2
root = "{site.folder}/containerd/root"
state = "{site.folder}/containerd/state"
oom_score = 0
disabled_plugins = [{disabled}]
[grpc]
  address = "{SOCKET}"
[ttrpc]
  address = "{SOCKET}.ttrpc"
{cri}]
  sandbox_image = "{site.registry}/{images.PAUSE}:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
{cri}.containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"
{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
{cri}.containerd.runtimes.runc.options]
  BinaryName = "{places.BIN}/runc"
  SystemdCgroup = false
{cri}.cni]
  bin_dir = "{places.BIN}"
  conf_dir = "{site.folder}/cni"
{cri}.registry]
  config_path = "{site.folder}/mirrors"
"""


def _cni(site: Site) -> dict[str, Any]:
    """Return the pods' network: https://www.cni.dev/plugins/current/main/bridge/."""
    ranges = [[{"subnet": site.network.pods, "rangeStart": site.network.first_pod}]]
    bridge = {
        "type": "bridge",
        "bridge": network.BRIDGE,
        "isGateway": True,
        "ipMasq": False,  # pods reach this machine and each other, not the world
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(site.folder / "addresses"),
            "ranges": ranges,
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "0.4.0", "name": "lab", "plugins": [bridge]}


def _kubelet(site: Site) -> Component:
    config = site.folder / "kubelet.json"
    argv = [
        "kubelet",
        f"--config={config}",
        f"--kubeconfig={site.keys.node}",
        f"--root-dir={site.folder / 'kubelet'}",
        f"--cert-dir={site.folder / 'kubelet' / 'pki'}",
        f"--hostname-override={NODE}",
        f"--node-ip={site.address}",
    ]
    return Component(
        name="kubelet",
        argv=argv,
        ready=lambda: _node_is_ready(site),
        after=["kube-apiserver", "containerd", "registry"],
        prepare=lambda: _write(config, _kubelet_config(site)),
    )


def _node_is_ready(site: Site) -> bool:
    node = json.loads(cluster.get(site, f"/api/v1/nodes/{NODE}") or "{}")
    conditions = node.get("status", {}).get("conditions", ())
    tainted = node.get("spec", {}).get("taints")
    return not tainted and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _kubelet_config(site: Site) -> dict[str, Any]:
    """Return its configuration: https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    low = {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%"}
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **_kubelet_server(site),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.NAME}",
        "failSwapOn": False,
        "failCgroupV1": False,
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(site.folder / "pods"),
        "volumePluginDir": str(site.folder / "kubelet" / "plugins"),
        "resolvConf": "",
        "clusterDNS": [site.address],
        "clusterDomain": "cluster.local",
        "podCIDR": site.network.pods,
        "maxPods": 100,
        "serializeImagePulls": False,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": low,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
    }


def _kubelet_server(site: Site) -> dict[str, Any]:
    return {
        "address": site.address,
        "port": site.ports["kubelet"],
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": site.ports["kubelet-health"],
        "tlsCertFile": site.keys.file("kubelet.crt"),
        "tlsPrivateKeyFile": site.keys.file("kubelet.key"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": site.keys.authority},
        },
        "authorization": {"mode": "Webhook"},
    }


def _proxy(site: Site) -> Component:
    config = site.folder / "kube-proxy.json"
    return Component(
        name="kube-proxy",
        argv=["kube-proxy", f"--config={config}"],
        ready=answers(f"http://{site.local('proxy-health')}/livez"),
        after=["kube-apiserver"],
        prepare=lambda: _write(config, _proxy_config(site)),
    )


def _proxy_config(site: Site) -> dict[str, Any]:
    """Return its configuration: https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(site.keys.admin)},
        "hostnameOverride": NODE,
        "clusterCIDR": site.network.pods,
        "healthzBindAddress": site.local("proxy-health"),
        "metricsBindAddress": site.local("proxy-metrics"),
        "nodePortAddresses": ["127.0.0.0/8", site.network.pods],
        # The limits of connection tracking are the machine's, not ours.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "iptables": {"minSyncPeriod": "100ms"},
        "oomScoreAdj": 0,
    }


def _write(file: Path, document: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")
