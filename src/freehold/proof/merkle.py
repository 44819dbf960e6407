"""Merkle tree hash over a list (RFC 6962, section 2.1): one digest for many leaves, in their order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def root(leaves: Iterable[bytes]) -> str:
    """The tree's head in hex, in one pass and memory for its height only.

    Leaves and nodes are hashed with different first bytes, so that no node can pass for a leaf.

    >>> root([])
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    peaks: list[tuple[int, bytes]] = []  # (height, hash) of complete subtrees, highest first
    for leaf in leaves:
        peaks.append((0, hashlib.sha256(b"\0" + leaf).digest()))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            height, right = peaks.pop()
            peaks[-1] = (height + 1, node(peaks[-1][1], right))
    if not peaks:
        return hashlib.sha256().hexdigest()
    head = peaks.pop()[1]
    while peaks:
        head = node(peaks.pop()[1], head)
    return head.hex()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()
