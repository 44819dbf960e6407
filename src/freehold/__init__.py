"""Freehold: build, prove and serve your own language model, from documents to answers."""

__version__ = "0.1.0"
