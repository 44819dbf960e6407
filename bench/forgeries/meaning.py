"""Kind (b): a leaf of the evidence is changed, and everything is hashed and signed again with the trusted key."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from forgeries import leaves
from forgeries.folder import Folder
from forgeries.forger import Files, Forger
from freehold.law import facts, generate
from freehold.proof import bundle

Depth = Literal["sealed", "carried"]
GENERATED = (f"{generate.FOLDER}/", "evidence/bom/")
Way = tuple[str, Callable[[], bytes]]  # what is done, and the file's bytes after it
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
    """JSON files and files of JSON lines below evidence/; signatures and locators, which prove nothing, aside."""
    ends = (".json", ".jsonl")
    return [
        path
        for path in folder.files
        if path.startswith("evidence/")
        and path.endswith(ends)
        and path != bundle.LOCATORS
        and not bundle.is_signature(path)
    ]


def mutated(folder: Folder, path: str) -> Iterator[tuple[leaves.Place, str, Callable[[], bytes]]]:
    """(place, what was done, the file's bytes after it) of every leaf; a place in lines begins with a number."""
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
    folder: Folder,
    forger: Forger,
    verify: Verify,
    *,
    depth: Depth,
    files: Sequence[str],
    seed: int,
    most: int | None = None,
    each: int = 1,
) -> Iterator[Trial]:
    """`each` mutations of every leaf of these files, `most` of all, drawn by the seed.

    What the forger's own work undoes is left out.
    """
    chance = random.Random(seed)
    chosen = []
    for path in files:
        if depth == "carried" and path.startswith(GENERATED) and path != facts.DECLARED:
            continue  # a forger who carries a change through generates them again
        by_leaf: dict[leaves.Place, list[Way]] = {}
        for place, what, make in mutated(folder, path):
            by_leaf.setdefault(place, []).append((what, make))
        for place, ways in by_leaf.items():
            chosen += [(path, place, way) for way in chance.sample(ways, min(each, len(ways)))]
    for path, place, (what, make) in chosen if most is None else chance.sample(chosen, min(most, len(chosen))):
        files_after = after(forger, {path: make()}, depth=depth)
        if files_after is not None:
            with folder.changed(files_after) as release:
                failed = tuple(sorted(verify(release)))
            exact, named = ".".join(map(str, place)), leaves.named(place)
            yield Trial(depth=depth, file=path, place=named, exact=exact, what=what, failed=failed)


def after(forger: Forger, changes: Files, *, depth: Depth) -> Files | None:
    """What the forger leaves; None where it is the release as it was."""
    files = forger.sealed(changes) if depth == "sealed" else forger.carried(changes)
    same = all(forger.folder.files.get(path) == data for path, data in files.items())
    return None if same else files
