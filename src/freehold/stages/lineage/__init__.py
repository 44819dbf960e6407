"""Lineage: from a document on to the weights, from weights back to their sources; told, and drawn."""
