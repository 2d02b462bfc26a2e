"""The toolchains are data: one YAML file a language."""
