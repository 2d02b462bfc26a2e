"""The embedded default: a registry, a deploy repository and an agent that stands in for the cluster."""
