"""What checks report: one parser a report format, and the gates that turn findings into a verdict."""
