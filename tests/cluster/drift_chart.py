"""A chart that says things otherwise than the API server writes them, deployed with Helm and recorded in a ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jenkins_cd.config.types import PlatformFile
from jenkins_cd.drift import AppDrift, Drift
from jenkins_cd.drift.environment import check
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.tools import process
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare
from tests.gitops.samples import deployment, platform, release
from tests.lab.lab import Lab

APP = "storefront"
PASSWORD = "correct horse battery"
CHART = f"apiVersion: v2\nname: {APP}\nversion: 1.4.0\nappVersion: 1.4.0\n"
TEMPLATES = {
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}, released: 2026-01-02x}
  creationTimestamp: null
spec:
  {{- if not .Values.autoscaled }}
  replicas: 1
  {{- end }}
  minReadySeconds: 0
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}
  template:
    metadata:
      creationTimestamp: null
      labels: {app: {{ .Release.Name }}}
    spec:
      hostNetwork: false
      terminationGracePeriodSeconds: 1
      securityContext: {}
      nodeSelector: {}
      tolerations: []
      containers:
        - name: probe
          image: {{ .Values.image }}
          command: null
          ports: [{name: http, containerPort: 8080}]
          env:
            - {name: EMPTY, value: ""}
            - {name: GREETING, value: hello}
            - {name: API_TOKEN, value: t0ken-in-the-open}
            - {name: FROM, valueFrom: {secretKeyRef: {name: {{ .Release.Name }}, key: password}}}
          resources:
            requests: {cpu: 0.01, memory: 16.0Mi}
            limits: {cpu: 1000m, memory: 0.5Gi}
          volumeMounts: [{name: config, mountPath: /etc/storefront}]
          readinessProbe: {httpGet: {path: /health, port: http}, periodSeconds: 10}
      volumes: [{name: config, configMap: {name: {{ .Release.Name }}}}]
""",
    "service.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}, labels: {app.kubernetes.io/instance: {{ .Release.Name }}}}
spec:
  clusterIP: ""
  selector: {app: {{ .Release.Name }}}
  ports:
    - {name: http, port: 80, targetPort: http}
    - {name: admin, port: 81, targetPort: 8080, protocol: TCP}
""",
    "config.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  empty: ""
  greeting: hello
  limits: "1000m"
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {password: {{ .Values.password }}}
""",
    "policy.yaml": """\
apiVersion: v1
kind: List
items:
  - apiVersion: policy/v1
    kind: PodDisruptionBudget
    metadata: {name: {{ .Release.Name }}}
    spec: {minAvailable: 50%, selector: {matchLabels: {app: {{ .Release.Name }}}}}
  - apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: {{ .Release.Name }}}
    spec:
      podSelector: {matchLabels: {app: {{ .Release.Name }}}}
      ingress: [{ports: [{port: 8080}]}]
""",
    "scaler.yaml": """\
{{- if .Values.autoscaled }}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: {{ .Release.Name }}}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: {{ .Release.Name }}}
  minReplicas: 2
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 0.5}}}]
{{- end }}
""",
    "hook.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-hook
  labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: {{ .Release.Name }}}
  annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: before-hook-creation}
""",
}


@dataclass(frozen=True)
class Deployed:
    """An app that Helm has deployed to a namespace of the lab, as the ledger of its platform says."""

    lab: Lab
    namespace: str
    helm: Path
    chart: Path
    platform: PlatformFile

    def upgrade(self, *flags: str, **values: Any) -> None:
        """Deploy it, anew or again."""
        image = {"image": self.lab.image(), "password": PASSWORD}
        given = [f"--set={name}={json.dumps(value)}" for name, value in {**image, **values}.items()]
        self.run_helm("upgrade", "--install", APP, str(self.chart), *given, *flags)

    def run_helm(self, *arguments: str) -> str:
        """Run Helm as the administrator and return what it says."""
        argv = [str(self.helm), *arguments, f"--namespace={self.namespace}", f"--kubeconfig={self.lab.kubeconfig}"]
        return process.run(argv, timeout=60).require(arguments[0]).stdout

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """Run kubectl as somebody does who changes things by hand."""
        return self.lab.kubectl("--namespace", self.namespace, *arguments, stdin=stdin).stdout

    def checkout(self) -> Path:
        """Return a folder with the platform file."""
        folder = self.chart.parent / "checkout"
        folder.mkdir(exist_ok=True)
        dev = self.platform.environments["dev"]
        content = {
            "registry": {"images": "registry.local/apps", "charts": "oci://registry.local/charts"},
            "deploy_repository": {"url": self.platform.declared_in.url},
            "environments": {
                "dev": {
                    "model": "helm",
                    "after": "ci",
                    "health_url": dev.health_url,
                    "helm": {"namespace": dev.helm.namespace, "service_account": dev.helm.service_account},
                }
            },
        }
        (folder / "platform.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return folder

    def drift(self) -> Drift:
        """Look at the environment."""
        return check(self.platform, "dev", None, Notes())

    def app(self) -> AppDrift:
        """Look at the app."""
        [told] = self.drift().apps
        return told


def deployed(folder: Path, lab: Lab, namespace: str, helm: Path, **target: Any) -> Deployed:
    """Return the app, recorded as deployed; nothing is deployed yet."""
    from jenkins_cd.config.types import HelmTarget

    chart = folder / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART, encoding="utf-8")
    (chart / "values.yaml").write_text(yaml.safe_dump({"autoscaled": False}), encoding="utf-8")
    for name, content in TEMPLATES.items():
        (chart / "templates" / name).write_text(content, encoding="utf-8")
    where = HelmTarget(namespace=namespace, **{"service_account": None, **target})
    place = platform(str(bare(folder / "deploy.git", {"README.md": b"\n"})), model="helm", helm=where)
    ledger = Ledger.open(place)
    ledger.publish(release())
    ledger.record(deployment(1, model="helm"))
    return Deployed(lab, namespace, helm, chart, place)
