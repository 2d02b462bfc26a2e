"""What we do with a cluster itself: accounts and rights, what lives in a namespace, what becomes of it."""
