"""Trace: where a text stands verbatim in the training data."""
