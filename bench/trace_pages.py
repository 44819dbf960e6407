"""How many 4 KiB pages an answer touches: by noting every element that is read, and by asking the system.

python trace_pages.py FOLDER TEXT      pages that came into memory for one answer, from files dropped out of it
"""

from __future__ import annotations

import ctypes
import mmap
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from freehold.index.suffix import EVERY
from freehold.stages.trace import query
from freehold.stages.trace.corpus import Corpus, read_facts
from freehold.text.normalise import normalise

PAGE: Final = 4096


class Noted:
    """An array on disk that notes which pages of its file are read."""

    def __init__(self, array: Any, pages: set[tuple[str, int]], *, file: str, start: int = 0) -> None:
        self.array, self.pages, self.file, self.start = array, pages, file, start
        self.dtype = array.dtype

    def __len__(self) -> int:
        return len(self.array)

    def note(self, places: Any) -> None:
        """Add the pages of elements."""
        found = np.unique((np.asarray(places, dtype=np.int64) + self.start) * self.array.itemsize // PAGE)
        self.pages.update((self.file, page) for page in found.tolist())

    def take(self, places: Any, mode: str = "raise") -> Any:
        """Elements; places behind the end touch the last."""
        self.note(np.minimum(places, len(self.array) - 1))
        return self.array.take(places, mode=mode)

    def __getitem__(self, part: slice) -> Any:
        self.note(np.arange(part.start, part.stop))
        return self.array[part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What one answer touches."""

    matching: int  # distinct pages that finding spans and their places takes
    bound: int  # that no text of as many tokens can exceed in this index
    whole: int  # with widening and what stands around


def pages_of(folder: Path, text: str, *, min_tokens: int) -> Pages:
    """The pages of one answer, counted exactly."""
    corpus, pages = noting(folder)
    text = normalise(text)
    with patch.object(query, "opened", return_value=corpus):
        question = query.Question(corpus=corpus, text=text, data=text.encode(), withdrawn=(), learned=None)
        query.cores(question, min_tokens=min_tokens)
        matching = len(pages)
        query.trace(folder, folder, text, min_tokens=min_tokens)
    return Pages(matching=matching, bound=bound(corpus, len(corpus.encode(text)), min_tokens), whole=len(pages))


def noting(folder: Path) -> tuple[Corpus, set[tuple[str, int]]]:
    """The corpus of a folder, and the set that its pages are noted in."""
    corpus, pages = Corpus(folder / "index", folder / "tokenized"), set[tuple[str, int]]()
    facts = read_facts(folder / "index")
    files = [shard["file"] for shard in facts["shards"]]
    corpus.shards = [Noted(tokens, pages, file=name) for tokens, name in zip(corpus.shards, files, strict=True)]  # type: ignore[misc]
    corpus.arrays = [
        replace(
            array,
            tokens=Noted(array.tokens, pages, file=files[part["shard"]], start=part["start"]),  # type: ignore[arg-type]
            suffixes=Noted(array.suffixes, pages, file=part["suffixes"]),  # type: ignore[arg-type]
        )
        for array, part in zip(corpus.arrays, facts["arrays"], strict=True)
    ]
    return corpus, pages


def bound(corpus: Corpus, tokens: int, min_tokens: int) -> int:
    """Pages that finding the spans of any text of so many tokens (at most 512) takes at most.

    Each begin is a lane in every array, and each span two more. A lane halves the rows between two neighbours of the
    sample; these are most where the same first tokens repeat most. A step reads a row's page and at most two of text.
    """
    begins = tokens - min_tokens + 1
    total = 0
    for array in corpus.arrays:
        edges = np.flatnonzero(np.diff(array.sample, prepend=array.sample[:1] + 1, append=array.sample[-1:] + 1))
        rows = (int(np.diff(edges).max()) + 1) * EVERY
        total += 3 * begins * 3 * rows.bit_length()
    return total


def resident(paths: Iterable[Path]) -> int:
    """How many pages of files are in memory, by mincore(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    total = 0
    for path in paths:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ | mmap.PROT_WRITE, flags=mmap.MAP_PRIVATE) as held,
        ):
            flags = (ctypes.c_ubyte * -(-len(held) // PAGE))()
            address = ctypes.addressof(ctypes.c_char.from_buffer(held))
            if libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(len(held)), flags):
                raise OSError(ctypes.get_errno(), "mincore", str(path))
            total += int((np.frombuffer(flags, dtype=np.uint8) & 1).sum())
    return total


def cold_pages(folder: Path, text: str) -> tuple[int, int]:
    """Pages that opening the index and then one answer bring into memory, counted by the system, in a process anew."""
    told = subprocess.run([sys.executable, __file__, str(folder), text], capture_output=True, text=True, check=True)
    left, opened, after = map(int, told.stdout.split())
    return opened - left, after - opened


def main() -> None:
    """Drop the files out of memory, open the index, answer once."""
    folder, text = Path(sys.argv[1]), sys.argv[2]
    paths = [*folder.glob("index/suffix-*"), *folder.glob("tokenized/shards/*.bin")]
    for path in paths:
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    left = resident(paths)
    query.opened(folder / "index", folder / "tokenized")
    opened = resident(paths)
    query.trace(folder / "index", folder / "tokenized", text)
    print(left, opened, resident(paths))


if __name__ == "__main__":
    main()
