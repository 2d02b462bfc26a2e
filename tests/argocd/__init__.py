"""Argo CD as it is: the lab's, on the lab's cluster, with the lab's Git server."""
