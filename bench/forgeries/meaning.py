"""Kind (b): a leaf of the evidence is changed, and everything is hashed and signed again with the trusted key."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from forgeries import leaves
from forgeries.folder import Folder
from forgeries.forger import Files, Forger

from freehold.proof import bundle
from freehold.records import canonical_json

Depth = Literal["sealed", "carried"]
Verify = Callable[[Path], "set[int]"]  # the numbers of the checks that fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One mutation, and which checks failed for it."""

    depth: Depth
    file: str
    place: str  # as `leaves.named` writes it
    exact: str  # with the numbers of elements, so that it can be repeated
    what: str
    failed: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.depth}: {self.file}: {self.exact} {self.what}: failed {list(self.failed)}"


def evidence(folder: Folder) -> list[str]:
    """JSON files and files of JSON lines below evidence/, signatures aside: those are kind (a)."""
    ends = (".json", ".jsonl")
    return [
        path
        for path in folder.files
        if path.startswith("evidence/") and path.endswith(ends) and not bundle.is_signature(path)
    ]


def mutated(folder: Folder, path: str) -> Iterator[tuple[leaves.Place, str, Callable[[], bytes]]]:
    """(place, what was done, the file's bytes after it) for every leaf of a file; of lines the place begins with one."""
    data = folder.files[path]
    whole = not path.endswith(".jsonl")
    parts = [data] if whole else data.removesuffix(b"\n").split(b"\n") if data else []
    values = [json.loads(part) for part in parts]
    for number, value in enumerate(values):
        for place in leaves.leaves(value):
            for what, make in leaves.mutations(value, place):

                def written(number: int = number, make: Callable[[], Any] = make) -> bytes:
                    rows = [dumped(make()) if each == number else part for each, part in enumerate(parts)]
                    return rows[0] if whole else b"".join(row + b"\n" for row in rows)

                yield (place if whole else (number, *place)), what, written


def dumped(value: Any) -> bytes:
    """Canonical JSON that can hold a key twice."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def trials(
    folder: Folder, forger: Forger, verify: Verify, *, depth: Depth, files: Sequence[str], each: int, chance: random.Random
) -> Iterator[Trial]:
    """`each` mutations of every leaf of these files, drawn by chance; those that the forger's own work undoes are left out."""
    for path in files:
        by_leaf: dict[leaves.Place, list[tuple[str, Callable[[], bytes]]]] = {}
        for place, what, make in mutated(folder, path):
            by_leaf.setdefault(place, []).append((what, make))
        for place, ways in by_leaf.items():
            for what, make in chance.sample(ways, min(each, len(ways))):
                if (files_after := after(forger, {path: make()}, depth=depth)) is not None:
                    with folder.changed(files_after) as release:
                        failed = verify(release)
                    exact = ".".join(map(str, place))
                    yield Trial(depth=depth, file=path, place=leaves.named(place), exact=exact, what=what, failed=tuple(sorted(failed)))


def after(forger: Forger, changes: Files, *, depth: Depth) -> Files | None:
    """What the forger leaves; None where it is the release as it was."""
    files = forger.sealed(changes) if depth == "sealed" else forger.carried(changes)
    same = all(forger.folder.files.get(path) == data for path, data in files.items())
    return None if same else files


__all__ = ["Trial", "canonical_json", "evidence", "fnmatchcase", "trials"]
