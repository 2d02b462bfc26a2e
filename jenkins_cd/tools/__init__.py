"""One adapter a foreign program or server. None of them knows the configuration or a verdict."""
