"""The deploy repository: a writer that no race can fool, byte-exact edits, its layout, and the ledger."""
