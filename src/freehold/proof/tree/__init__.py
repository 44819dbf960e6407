"""The sparse Merkle tree of documents: one digest for a corpus, a short proof for any text, in it or not."""
