"""The lab: real systems on one machine, a Kubernetes cluster with a node among them. docs/lab.md tells of it."""
