"""Serve: a release answers OpenAI clients and the terminal."""
