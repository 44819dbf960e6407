"""Runs of `loss.py`: what contends, and how a run is made and remembered."""
