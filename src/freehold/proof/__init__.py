"""Digests, manifests, statements, signatures and chains, on the standard library and `cryptography` alone."""
