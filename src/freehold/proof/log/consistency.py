"""That a Merkle log only grew: a proof of a few digests between an earlier head and a later one (RFC 9162, 2.1.4).

A head is the number of entries and the root over them. Whoever kept one, a witness or an earlier release, needs no
entry to see that the log of today begins with the log of then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical, merkle
from freehold.proof.canonical import canonical_json
from freehold.proof.form import fields, is_digest

FORMAT = 1
MAX_HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A log at one moment."""

    size: int  # entries
    root: str  # Merkle root over their lines, hex

    def line(self) -> bytes:
        """As it stands in a file, canonical."""
        return canonical_json({"format": FORMAT, "size": self.size, "root": self.root}) + b"\n"


EMPTY = Head(size=0, root=merkle.root([]))


def parse_head(data: bytes, *, where: str) -> Head:
    """A head from the bytes of its file. Raises GateError at `where` if it is none."""
    value: dict[str, Any] = fields(
        canonical.load(data, where=where, max_bytes=MAX_HEAD_BYTES), {"format", "size", "root"}, where=where
    )
    if value["format"] != FORMAT or type(value["size"]) is not int or value["size"] < 0 or not is_digest(value["root"]):
        raise GateError("not the head of a log", where=where)
    return Head(size=value["size"], root=value["root"])


def head_of(leaves: Sequence[bytes]) -> Head:
    """The head of a log with these entries."""
    return Head(size=len(leaves), root=merkle.root(leaves))


def prove(leaves: Sequence[bytes], size: int) -> tuple[str, ...]:
    """The digests (hex) that lead from the head of the first `size` entries to that of all of them.

    >>> prove([b"a", b"b", b"c"], 3)
    ()
    """
    if not 0 <= size <= len(leaves):
        raise ValueError(f"{size} of {len(leaves)} entries")
    return tuple(_between(leaves, size, whole=True)) if 0 < size < len(leaves) else ()


def _between(leaves: Sequence[bytes], size: int, *, whole: bool) -> list[str]:
    """SUBPROOF of RFC 9162: `whole` while the verifier knows the root of the first `size` leaves itself."""
    if size == len(leaves):
        return [] if whole else [merkle.root(leaves)]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)  # the largest power of two below their number
    if size <= half:
        return [*_between(leaves[:half], size, whole=whole), merkle.root(leaves[half:])]
    return [*_between(leaves[half:], size - half, whole=False), merkle.root(leaves[:half])]


def grew(earlier: Head, later: Head, proof: Sequence[str]) -> bool:
    """Whether `proof` shows that the log with the head `later` begins with the one with the head `earlier`."""
    if not 0 < earlier.size < later.size:
        same = earlier == later or (earlier == EMPTY and later.size > 0)
        return same and not proof
    path = [bytes.fromhex(digest) for digest in proof if is_digest(digest)]
    if len(path) != len(proof):
        return False
    if earlier.size & (earlier.size - 1) == 0:  # a whole tree: its root is a node of the later one
        path.insert(0, bytes.fromhex(earlier.root))
    first, last = earlier.size - 1, later.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    if not path:
        return False
    old = new = path[0]
    for digest in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old, new = merkle.node(digest, old), merkle.node(digest, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = merkle.node(new, digest)
        first, last = first >> 1, last >> 1
    return last == 0 and (old.hex(), new.hex()) == (earlier.root, later.root)
