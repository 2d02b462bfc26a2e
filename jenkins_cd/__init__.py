"""From a commit to production: CI, delivery and promotion that run the same in Jenkins and on a laptop."""

__version__ = "0.1.0"
