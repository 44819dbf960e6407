"""Named artifacts in a folder, and the lineage ledger beside them."""
