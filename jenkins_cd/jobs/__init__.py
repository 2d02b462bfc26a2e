"""The shared jobs of a Jenkins server: made from the platform file, started, and followed to their end."""
