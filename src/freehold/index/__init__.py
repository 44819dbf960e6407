"""Indexes over the corpus, memory-mapped: verbatim spans (suffix array) and ranked passages."""
