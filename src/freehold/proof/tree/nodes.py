"""A compact sparse Merkle tree: one digest for a set of 256-bit keys, and one short proof for every key there could be.

The tree branches only where keys differ (PATRICIA: Morrison, J. ACM 15, 1968), so it has no empty places to hash or to
prove; a full tree over all 2^256 keys says the same at more length (Dahlberg, Pulls & Peeters, NordSec 2016). A node
stands for the keys below it, whatever the order they came in:

    no key             SHA-256(2)                                   only the tree as a whole
    one key            SHA-256(0 ‖ key)
    more               SHA-256(1 ‖ depth ‖ left ‖ right)            depth: the first bit in which its keys differ

To find a key, go left at a node where the key's bit number `depth` is 0, right where it is 1. Every key ends at exactly
one leaf: its own, then it is in the set, or another's, then it is not. The proof is that leaf with the siblings on the
way. So no root, however it was made, has proofs for both answers, unless SHA-256 collides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from freehold.errors import GateError

KEY_BYTES = 32
KEY_BITS = 8 * KEY_BYTES
EMPTY = sha256(b"\2").digest()

Node = tuple[bytes, bytes]  # (any key below it, its hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where `key` ends in a tree; nothing in it is believed before `check`."""

    key: bytes
    ends_at: bytes | None  # the key of the leaf at the end of the way, often another's; None: the tree has no keys
    path: tuple[tuple[int, bytes], ...]  # (depth, hash of the sibling) from the root down

    @property
    def included(self) -> bool:
        """What the proof says: whether the key is in the set."""
        return self.key == self.ends_at


def leaf(key: bytes) -> bytes:
    """The hash of a single key."""
    return sha256(b"\0" + key).digest()


def inner(depth: int, left: bytes, right: bytes) -> bytes:
    """The hash of the node whose keys first differ in bit `depth`, counted from 0 at the most significant."""
    return sha256(b"\1" + bytes((depth,)) + left + right).digest()


def bit(key: bytes, depth: int) -> int:
    """One bit of a key."""
    return key[depth >> 3] >> (7 - (depth & 7)) & 1


def parting(one: bytes, other: bytes) -> int:
    """The first bit in which two keys differ.

    >>> parting(bytes(32), bytes([0, 1]) + bytes(30))
    15
    """
    return KEY_BITS - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()


def fold(nodes: Iterable[Node]) -> bytes:
    """The hash of the tree over nodes whose keys ascend, in one pass and memory for its height only.

    Raises GateError where a key does not come after the one before it.

    >>> fold([]) == EMPTY, fold([(bytes(32), leaf(bytes(32)))]) == leaf(bytes(32))
    (True, True)
    """
    lefts: list[tuple[int, bytes]] = []  # nodes that wait for what stands right of them, and the depth where they part
    held, last = EMPTY, -1
    for key, node in nodes:
        value = int.from_bytes(key, "big")
        if last >= 0:
            depth = KEY_BITS - (value ^ last).bit_length()
            while lefts and lefts[-1][0] > depth:
                above, left = lefts.pop()
                held = inner(above, left, held)
            lefts.append((depth, held))
        if value <= last:
            raise GateError("its keys do not ascend")
        held, last = node, value
    while lefts:
        above, left = lefts.pop()
        held = inner(above, left, held)
    return held


def root(keys: Iterable[bytes]) -> str:
    """The root, in hex, over keys in any order, held in memory; a key given twice counts once."""
    return fold((key, leaf(key)) for key in sorted(set(keys))).hex()


def descend(nodes: Sequence[Node], key: bytes) -> tuple[int, list[tuple[int, bytes]]]:
    """Which of these nodes (at least one, keys ascending) `key` ends at, and the siblings on the way."""
    low, high = 0, len(nodes)
    path = []
    while high - low > 1:
        depth = parting(nodes[low][0], nodes[high - 1][0])
        middle = first_with(nodes, depth, low=low, high=high)
        if bit(key, depth):
            path.append((depth, fold(nodes[low:middle])))
            low = middle
        else:
            path.append((depth, fold(nodes[middle:high])))
            high = middle
    return low, path


def first_with(nodes: Sequence[Node], depth: int, *, low: int, high: int) -> int:
    """The first of the nodes `low` to `high` whose keys have bit `depth`, by bisection."""
    while low < high:
        middle = (low + high) // 2
        if bit(nodes[middle][0], depth):
            high = middle
        else:
            low = middle + 1
    return low


def check(proof: Proof, root: str) -> bool:
    """Whether the key is in the set that `root` (hex) stands for. Raises GateError unless the proof leads to that root.

    A key that ends at another's leaf must have gone that leaf's way: depths grow, and at each both have the same bit.
    """
    key, end = proof.key, proof.ends_at
    if len(key) != KEY_BYTES or (end is not None and len(end) != KEY_BYTES) or (end is None and proof.path):
        raise GateError("a malformed proof")
    depths = [depth for depth, _ in proof.path]
    if depths != sorted(set(depths)) or not all(0 <= depth < KEY_BITS for depth in depths):
        raise GateError("the depths of the proof do not grow")
    node = EMPTY if end is None else leaf(end)
    for depth, sibling in reversed(proof.path):
        if len(sibling) != KEY_BYTES or end is None or bit(key, depth) != bit(end, depth):
            raise GateError("the proof leads past the key")
        node = inner(depth, sibling, node) if bit(key, depth) else inner(depth, node, sibling)
    if node.hex() != root:
        raise GateError(f"the proof leads to the root {node.hex()}, not to {root}")
    return proof.included
