"""Argo CD as we see it: what an application is up to, what becomes of a sync, and what is generated for it."""
