"""Verify: what a stranger runs, offline, on the standard library and `cryptography`."""
