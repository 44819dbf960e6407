"""The tree of documents as a file, `documents.smt`: every key once, and a level of nodes for quick proofs.

    bytes 0–15     "freehold.smt.v1" and a line feed
          16–23    number of keys n, big-endian
          24–31    bits b of the stored level, big-endian: half the binary digits of n, rounded down
          32–63    root
          then     n keys of 32 bytes, ascending
          then     2^b hashes of 32 bytes: for every beginning of b bits the node over the keys that begin so, or zeros

Nothing in a file is believed. Opening it computes the root from the stored level. A proof computes its node of that
level from the keys below it, so a wrong key or node cannot change an answer: it is an error, told to whoever asks about
a document that it concerns. `Tree.check` looks at all of it.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import mmap
import os
import struct
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

from freehold.errors import GateError, InputError
from freehold.proof.digests import opened, sha256_file
from freehold.proof.tree.nodes import KEY_BITS, KEY_BYTES, Node, Proof, check, descend, fold, leaf
from freehold.proof.tree.normal_form import key_of_bytes, key_of_text

__all__ = ["Proof", "Tree", "check", "key_of_bytes", "key_of_text", "with_keys", "without", "write"]

MAGIC = b"freehold.smt.v1\n"
HEADER = struct.Struct(">16sQQ32s")
MAX_KEYS = 1 << 40
NONE = bytes(KEY_BYTES)  # stored where no key begins so
RUN_KEYS = 1 << 19  # sorted in memory at once; more are sorted in files


class Tree:
    """A tree of documents in a file, memory-mapped; close it, or use it in a `with`."""

    def __init__(self, data: mmap.mmap, *, count: int, bits: int, where: str) -> None:
        """Use `Tree.open`."""
        self.data, self.count, self.bits, self.where = data, count, bits, where
        self.level = [node for node in enumerated(self.stored(), bits=bits) if node[1] != NONE]
        self.root = fold(self.level).hex()

    @classmethod
    def open(cls, path: Path, *, where: str | None = None) -> Tree:
        """The tree in a file, which errors call `where`. Raises InputError if it cannot be read, GateError if it is no
        tree: another size than its number of keys gives, or a root that does not follow from its stored level."""
        where = where or str(path)
        with opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEADER.size)
            if len(head) < HEADER.size or not head.startswith(MAGIC):
                raise GateError("no tree of documents", where=where)
            _, count, bits, root = HEADER.unpack(head)
            if count > MAX_KEYS or bits != bits_for(count) or size != size_for(count):
                raise GateError(f"{size:,} bytes are no tree of {count:,} documents", where=where)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            tree = cls(data, count=count, bits=bits, where=where)
        if tree.root != root.hex():
            tree.close()
            raise GateError(f"its root is {tree.root}, it says {root.hex()}", where=where)
        return tree

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self.data.close()

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[bytes]:
        """The keys, as the file has them."""
        return map(self.key, range(self.count))

    def sha256(self) -> str:
        """SHA-256 of the file as it is mapped, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def key(self, position: int) -> bytes:
        """One key."""
        start = HEADER.size + KEY_BYTES * position
        return self.data[start : start + KEY_BYTES]

    def stored(self) -> Iterator[bytes]:
        """The hashes of the stored level."""
        start = HEADER.size + KEY_BYTES * self.count
        for place in range(start, start + (KEY_BYTES << self.bits), KEY_BYTES):
            yield self.data[place : place + KEY_BYTES]

    def prove(self, key: bytes) -> Proof:
        """Whether and where `key` is in the tree, proved against its root.

        Computes √n nodes of n, and the stored node that the key is below. Raises GateError if that is another.
        """
        if not self.level:
            return Proof(key=key, ends_at=None, path=())
        place, above = descend(self.level, key)
        below = self.below(self.level[place])
        position, path = descend(below, key)
        return Proof(key=key, ends_at=below[position][0], path=(*above, *path))

    def below(self, node: Node) -> Sequence[Node]:
        """The leaves under a stored node. Raises GateError unless they ascend and hash to it."""
        first = self.position(node[0])
        end = self.position(successor(node[0], bits=self.bits))
        # SHA-256 spreads keys evenly: such a crowd is made by hand, to keep verifiers busy.
        if end - first > 4 * (self.count >> self.bits) + KEY_BITS:
            raise GateError(f"{end - first:,} keys begin alike", where=self.where)
        leaves = [(key, leaf(key)) for key in map(self.key, range(first, end))]
        with self.named():
            if not leaves or fold(leaves) != node[1]:
                raise GateError("its keys are not those that its nodes were made of")
        return leaves

    def position(self, key: bytes | None) -> int:
        """Where `key` stands or would stand; None: behind all."""
        low, high = 0, self.count
        while key is not None and low < high:
            middle = (low + high) // 2
            if self.key(middle) < key:
                low = middle + 1
            else:
                high = middle
        return high

    def check(self) -> None:
        """Raise GateError unless all keys ascend and every stored node follows from them."""
        with self.named():
            if self.level != list(level_of(self, bits=self.bits)):
                raise GateError("its keys are not those that its nodes were made of")

    @contextmanager
    def named(self) -> Iterator[None]:
        """Give errors about nodes the name of the file that they are in."""
        try:
            yield
        except GateError as error:
            raise GateError(error.message, where=self.where) from None


def bits_for(count: int) -> int:
    """Bits of the stored level for so many keys: about as many nodes are stored as keys are below each."""
    return count.bit_length() // 2


def size_for(count: int) -> int:
    """Bytes of the file for so many keys."""
    return HEADER.size + KEY_BYTES * (count + (1 << bits_for(count)))


def beginning(key: bytes, *, bits: int) -> int:
    """The first bits of a key as a number."""
    return int.from_bytes(key[:8], "big") >> (64 - bits)


def enumerated(hashes: Iterable[bytes], *, bits: int) -> Iterator[Node]:
    """The hashes of a level, each with the first key that could be below it."""
    for number, found in enumerate(hashes):
        yield (number << (KEY_BITS - bits)).to_bytes(KEY_BYTES, "big"), found


def successor(key: bytes, *, bits: int) -> bytes | None:
    """The first key that begins with the next number; None behind the last."""
    following = beginning(key, bits=bits) + 1
    return (following << (KEY_BITS - bits)).to_bytes(KEY_BYTES, "big") if following < 1 << bits else None


def level_of(keys: Iterable[bytes], *, bits: int) -> Iterator[Node]:
    """The nodes that are not empty of the level that begins at `bits`, over ascending keys. Raises GateError as fold
    does, and where a beginning comes back."""
    last = -1
    for number, below in itertools.groupby(keys, key=lambda key: beginning(key, bits=bits)):
        if number <= last:
            raise GateError("its keys do not ascend")
        last = number
        yield (number << (KEY_BITS - bits)).to_bytes(KEY_BYTES, "big"), fold((key, leaf(key)) for key in below)


def write(path: Path, keys: Iterable[bytes]) -> str:
    """Write the tree over keys of 32 bytes in any order, repetitions included; returns its root in hex.

    Equal sets give equal bytes. At most RUN_KEYS are held at a time. A file that was not finished has no header.
    """
    with path.open("w+b") as file:
        file.write(bytes(HEADER.size))
        count = 0
        for key in distinct(ascending(keys, folder=path.parent)):
            file.write(key)
            count += 1
        file.flush()
        bits = bits_for(count)
        nodes = dict(level_of(read_keys(file, count), bits=bits))
        file.seek(HEADER.size + KEY_BYTES * count)
        for beginning_key, none in enumerated([NONE] * (1 << bits), bits=bits):
            file.write(nodes.get(beginning_key, none))
        root = fold(nodes.items())
        file.seek(0)
        file.write(HEADER.pack(MAGIC, count, bits, root))
    return root.hex()


def ascending(keys: Iterable[bytes], *, folder: Path) -> Iterator[bytes]:
    """Keys in their order; what does not fit into memory is sorted in unnamed files on the disk of `folder`."""
    source = iter(keys)
    with ExitStack() as files:
        runs: list[Iterable[bytes]] = []
        while run := sorted(itertools.islice(source, RUN_KEYS)):
            if any(len(key) != KEY_BYTES for key in run):
                raise ValueError(f"a key has {KEY_BYTES} bytes")
            if len(run) < RUN_KEYS:  # the last
                runs.append(run)
                break
            file = files.enter_context(tempfile.TemporaryFile(dir=folder))
            file.write(b"".join(run))
            runs.append(read_keys(file, len(run), first=0))
            del run  # before the next is sorted
        yield from heapq.merge(*runs)


def distinct(keys: Iterable[bytes]) -> Iterator[bytes]:
    """Ascending keys, each once."""
    return (key for key, _ in itertools.groupby(keys))


def read_keys(file: IO[bytes], count: int, *, first: int = HEADER.size) -> Iterator[bytes]:
    """So many keys of a file, from byte `first` on, a block at a time."""
    file.seek(first)
    for start in range(0, count, 4096):
        block = file.read(KEY_BYTES * min(4096, count - start))
        yield from (block[place : place + KEY_BYTES] for place in range(0, len(block), KEY_BYTES))


def without(tree: Tree, keys: Collection[bytes]) -> Iterator[bytes]:
    """The tree's keys less some. Raises InputError if one of them is not in it: it cannot be taken out."""
    left = set(keys)
    for key in tree:
        if key in left:
            left.remove(key)
        else:
            yield key
    if left:
        raise InputError(f"the tree has no key {min(left).hex()}", where=tree.where)


def with_keys(tree: Tree, keys: Collection[bytes]) -> str:
    """SHA-256, in hex, of the file that the tree was before `keys` were taken out of it.

    Raises GateError if it still has one of them.
    """
    back = sorted(set(keys))
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / "documents.smt"
        write(before, heapq.merge(tree, back))
        with Tree.open(before) as whole:
            if len(whole) != len(tree) + len(back):
                raise GateError("has a key that was withdrawn", where=tree.where)
        return sha256_file(before)
