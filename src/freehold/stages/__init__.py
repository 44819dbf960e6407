"""The journey, one folder per verb; stages meet only through artifacts."""
