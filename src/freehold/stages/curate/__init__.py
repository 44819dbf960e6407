"""curate: documents in, documents fit to learn from out, every one that stayed behind with its reason."""
