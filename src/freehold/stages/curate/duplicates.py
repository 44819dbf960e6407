"""Which documents are the same: exact copies, older versions, near copies, and families of the held-out split.

digests → versions → candidates by sketch → alignment of the candidates' tokens. Memory holds rows and hashes; sketches
lie in a file, and the texts of candidates alone are read again, a part at a time. Documents are numbered by preference
(`preference.py`), those of earlier releases first, so that of two copies the one with the smaller number stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from freehold.stages.curate.alignment import TokenFile, kept_copies
from freehold.stages.curate.candidates import Pairs, agreements, candidates
from freehold.stages.curate.earlier import Earlier, sketches_of
from freehold.stages.curate.parts import rows_of
from freehold.stages.curate.versions import ALIKE, Text, successions
from freehold.text.signatures import EMPTY, HASHES, WIDTH, components, jaccard, similarity

FAMILY: Final = 0.75  # share of equal tokens, as sketches estimate it, from which two share the held-out split's fate
ROUNDS: Final = 4  # of comparing with the documents that the round before kept
Repeats = dict[int, tuple[int, float]]  # place → the place it repeats, and how alike they are

FACTS: Final = ("tokens", "unspaced", "date", "title", "url")  # beside the stage's own columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Why a row goes: what it repeats, `kept` a row of this run or None for a document of an earlier release."""

    reason: str
    kept: int | None
    of: str  # the id of what it repeats
    similarity: float

    def told(self) -> str:
        """What the ledger says of it."""
        where = "" if self.kept is not None else " in an earlier corpus"
        return f"of {self.of}{where}" + (f", {self.similarity:.3f} alike" if self.similarity < 1 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Rows that repeat something. Families: row → first row of its family, the lone absent."""

    copies: dict[int, Copy] = field(default_factory=dict)
    family: dict[int, int] = field(default_factory=dict)

    def rows(self, reason: str) -> dict[int, int | None]:
        """Row → the row it repeats, for one reason."""
        return {row: copy.kept for row, copy in self.copies.items() if copy.reason == reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All documents by preference; the first of them belong to earlier releases."""

    facts: pa.Table  # of this run's documents, in the same order
    earlier: Earlier
    sketches: NDArray[np.uint32]  # (N, HASHES)
    tokens: NDArray[np.int64]  # (N,)
    unspaced: NDArray[np.bool_]  # (N,)
    rows: NDArray[np.int64]  # (N,), negative for earlier ones
    ids: list[str]

    def places(self, *, unspaced: bool, leave_out: Collection[int]) -> NDArray[np.int64]:
        """The places whose texts are of one kind, without those already decided."""
        places = np.flatnonzero(self.unspaced == unspaced)
        return places[~np.isin(places, np.fromiter(leave_out, dtype=np.int64, count=len(leave_out)))]

    def copy(self, place: int, *, kept: int, reason: str, similarity: float) -> tuple[int, Copy]:
        """The row at a place, and what it repeats."""
        row = int(self.rows[kept])
        of = self.ids[kept]
        return int(self.rows[place]), Copy(
            reason=reason, kept=row if row >= 0 else None, of=of, similarity=round(similarity, 4)
        )

    def families(self, pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
        """Row → first row of its family, of this run's documents."""
        before = len(self.earlier.ids)
        rows = ((int(self.rows[one]), int(self.rows[other])) for one, other in pairs if min(one, other) >= before)
        return components(rows)


def compare(
    judged: Sequence[Path],
    facts: pa.Table,
    *,
    threshold: float,
    order: NDArray[np.int64],
    scratch: Path,
    earlier: Earlier | None = None,
    newest: bool = True,
) -> Likeness:
    """Compare all documents that passed, and with those of earlier releases.

    `facts` has row, id, source, language, digest and FACTS of each, `order` (N,) its places by preference; `threshold`
    is the share of the longer text's tokens that two copies have in common, in order; `newest` drops older versions.
    """
    shelf = shelve(judged, facts.take(pa.array(order)), earlier or Earlier(), scratch / "sketches.npy")
    exact = same(shelf)
    followed = lineages(shelf, leave_out=exact.keys())
    older = later_version(followed) if newest else {}
    near: Repeats = {}
    alike: list[tuple[int, int]] = []
    tokens = TokenFile(scratch / "tokens.u32")
    for unspaced in (False, True):
        places = shelf.places(unspaced=unspaced, leave_out=exact.keys() | older.keys())
        pairs, agreement = candidates(
            shelf.sketches, places=places, tokens=shelf.tokens, similarity=min(threshold, FAMILY), unspaced=unspaced
        )
        alike += as_tuples(pairs[agreement >= jaccard(FAMILY, width=WIDTH[unspaced])])
        found = Comparison(shelf=shelf, judged=judged, tokens=tokens, threshold=threshold, apart=followed.keys())
        near |= found.copies(pairs, unspaced=unspaced)
    reasons = {"exact-duplicate": exact, "older-version": older, "near-duplicate": near}
    alike += [(kept, place) for repeats in reasons.values() for place, (kept, _) in repeats.items()]
    copies = [
        shelf.copy(place, kept=kept, reason=reason, similarity=value)
        for reason, repeats in reasons.items()
        for place, (kept, value) in repeats.items()
    ]
    return Likeness(copies=dict(sorted(copies, key=lambda entry: entry[0])), family=shelf.families([*alike, *followed]))


def shelve(judged: Sequence[Path], facts: pa.Table, earlier: Earlier, path: Path) -> Shelf:
    """Put the sketches of all documents into a file, by preference; `facts` are in that order already."""
    before, size = len(earlier.ids), len(earlier.ids) + len(facts)
    sketches = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint32, shape=(size, HASHES))
    kinds, tokens = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.int64)
    kinds[before:] = facts.column("unspaced").to_numpy()
    tokens[before:] = facts.column("tokens").to_numpy()
    rows = np.concatenate((np.arange(-before, 0), facts.column("row").to_numpy()))
    begun = 0
    for batch in earlier.batches():
        span = slice(begun, begun := begun + len(batch))
        sketches[span] = sketches_of(batch.column("sketch"))
        kinds[span] = batch.column("unspaced").to_numpy(zero_copy_only=False)
        tokens[span] = batch.column("tokens").to_numpy()
    by_row = np.argsort(rows)
    for part in judged:
        table = pq.read_table(part, columns=["row", "reason", "sketch"])
        table = table.filter(pc.is_null(table.column("reason")))
        if len(table):
            places = by_row[np.searchsorted(rows, table.column("row").to_numpy(), sorter=by_row)]
            sketches[places] = sketches_of(table.column("sketch"))
    ids = [*earlier.ids, *facts.column("id").to_pylist()]
    return Shelf(facts=facts, earlier=earlier, sketches=sketches, tokens=tokens, unspaced=kinds, rows=rows, ids=ids)


def same(shelf: Shelf) -> Repeats:
    """Every place whose digest an earlier place has."""
    digests = [*shelf.earlier.digests, *shelf.facts.column("digest").to_pylist()]
    first: dict[str, int] = {}
    for place, digest in enumerate(digests):
        first.setdefault(digest, place)
    before = len(shelf.earlier.ids)
    return {
        place: (first[digest], 1.0)
        for place, digest in enumerate(digests)
        if place >= before and first[digest] != place
    }


def lineages(shelf: Shelf, *, leave_out: Collection[int]) -> dict[tuple[int, int], float]:
    """Versions of one law: (newer place, older place) → how alike they are, as sketches estimate it."""
    before = len(shelf.earlier.ids)
    named = enumerate(rows_of(shelf.facts, "source", "language", "id", "title", "url", "date"), start=before)
    texts = (
        Text(place=place, source=source, language=language, id=identity, title=title, url=url, date=date)
        for place, (source, language, identity, title, url, date) in named
        if place not in leave_out
    )
    pairs = [pair for pair in successions(texts) if shelf.unspaced[pair[0]] == shelf.unspaced[pair[1]]]
    agreement = agreements(shelf.sketches, np.array(pairs, dtype=np.int64).reshape(-1, 2)).tolist()
    measured = {
        pair: similarity(value, width=WIDTH[bool(shelf.unspaced[pair[0]])])
        for pair, value in zip(pairs, agreement, strict=True)
        if shelf.sketches[pair[0], 0] != EMPTY
    }
    return {pair: value for pair, value in measured.items() if value >= ALIKE}


def later_version(followed: Mapping[tuple[int, int], float]) -> Repeats:
    """Every older version, with the newest that it is like; `followed` names the newest of each law first."""
    found: Repeats = {}
    for (newer, older), value in followed.items():
        found.setdefault(older, (newer, value))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Candidates of one kind, to be aligned."""

    shelf: Shelf
    judged: Sequence[Path]
    tokens: TokenFile
    threshold: float
    apart: Collection[tuple[int, int]]  # versions of one law, which are no copies of one another

    def copies(self, pairs: Pairs, *, unspaced: bool) -> Repeats:
        """Near copies, each with a kept document that it was compared with.

        A document whose likeness was dropped is compared with what was kept instead, until nothing new comes up.
        """
        known: dict[tuple[int, int], float] = {}
        wanted = self.worth(pairs)
        self.read(wanted)
        found: Repeats = {}
        for _ in range(ROUNDS):
            known |= self.measure(wanted, width=WIDTH[unspaced])
            found = kept_copies(known, threshold=self.threshold)
            instead = {
                (min(found[one][0], other), max(found[one][0], other))
                for pair, value in known.items()
                if value >= self.threshold
                for one, other in (pair, pair[::-1])
                if one in found and other not in found and found[one][0] != other
            }
            if not (new := instead - known.keys()):
                break
            wanted = self.worth(np.array(sorted(new), dtype=np.int64))
        return found

    def worth(self, pairs: Pairs) -> Pairs:
        """Pairs whose lengths allow them to be copies, the later one of this run, and not versions of one law."""
        sizes = np.sort(self.shelf.tokens[pairs], axis=1)
        fit = (sizes[:, 0] >= self.threshold * sizes[:, 1]) & (pairs[:, 1] >= len(self.shelf.earlier.ids))
        chosen = pairs[fit]
        free = [tuple(pair) not in self.apart and tuple(pair[::-1]) not in self.apart for pair in chosen.tolist()]
        return chosen[np.array(free, dtype=np.bool_)]

    def read(self, pairs: Pairs) -> None:
        """Read the tokens of all documents in the pairs; earlier releases have none."""
        rows = self.shelf.rows[np.unique(pairs)]
        self.tokens.fill(self.judged, rows[rows >= 0])

    def measure(self, pairs: Pairs, *, width: int) -> dict[tuple[int, int], float]:
        """How alike each pair is: aligned, or as sketches estimate it for a document of an earlier release."""
        old = pairs[:, 0] < len(self.shelf.earlier.ids)
        agreement = agreements(self.shelf.sketches, pairs[old]).tolist()
        measured = {
            pair: similarity(value, width=width) for pair, value in zip(as_tuples(pairs[old]), agreement, strict=True)
        }
        rows = as_tuples(self.shelf.rows[pairs[~old]])
        aligned = self.tokens.similarities(rows, least=self.threshold)
        return measured | dict(zip(as_tuples(pairs[~old]), aligned, strict=True))


def as_tuples(pairs: NDArray[np.int64]) -> list[tuple[int, int]]:
    """An array (P, 2) as pairs of plain numbers."""
    return list(zip(pairs[:, 0].tolist(), pairs[:, 1].tolist(), strict=True))
