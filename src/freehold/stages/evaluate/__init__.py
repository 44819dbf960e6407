"""Evaluate: how well the model predicts text it never saw, beside references that cost nothing to train."""
