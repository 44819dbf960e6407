"""Refine: a supervised pass that teaches the chat template."""
