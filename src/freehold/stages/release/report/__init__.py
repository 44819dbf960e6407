"""The report of a release: one self-contained page with plots, for people."""
