"""What is generated for Argo CD from the platform file: projects with roles and windows, applications; and tokens."""
