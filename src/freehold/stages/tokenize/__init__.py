"""Tokenize: documents become shards of tokens, every token traceable to its document."""
