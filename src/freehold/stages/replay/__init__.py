"""Replay: segments of a release's training, computed again by whoever holds the text."""
