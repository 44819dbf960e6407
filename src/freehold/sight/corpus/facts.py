"""What the artifact of curate says, as far as the page shows it. Files that an artifact may lack are optional."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.sight.corpus.bounds import Bounds

ROWS: Final = 20_000  # read at a time

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Documents that are the same, or nearly so, or chapters of one family."""

    kind: str
    members: tuple[Row, ...]  # row and source (None: in an earlier release), id, similarity, kept; the kept ones first
    size: int  # also of those that are not among the members


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The account of a curation."""

    summary: Row  # curate.json
    sources: tuple[Row, ...]  # sources.jsonl
    drops: tuple[Row, ...]  # lines of the ledger, of every reason some
    clusters: tuple[Cluster, ...]
    clustered: Row  # kind → number of clusters
    rights: Row | None  # rights.json
    mixture: Row | None  # mixture.json


def facts_of(artifact: Path, *, bounds: Bounds) -> Facts:
    """Read the account; memory is bounded by `bounds` and by the number of clusters."""
    clusters, clustered = clusters_of(artifact / "clusters.parquet", bounds=bounds)
    lines = (artifact / "sources.jsonl").read_text(encoding="utf-8").splitlines()
    return Facts(
        summary=json.loads((artifact / "curate.json").read_text(encoding="utf-8")),
        sources=tuple(json.loads(line) for line in lines),
        drops=tuple(drops_of(artifact / "ledger.parquet", bounds=bounds)),
        clusters=clusters,
        clustered=clustered,
        rights=optional(artifact / "rights.json"),
        mixture=optional(artifact / "mixture.json"),
    )


def optional(path: Path) -> Row | None:
    """A JSON file, or None where there is none."""
    found: Row | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


def rows_in(path: Path, *columns: str) -> Iterator[dict[str, Any]]:
    """Rows of a Parquet file, some thousands in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=ROWS, columns=list(columns) or None):
            yield from batch.to_pylist()


def rank(*names: object) -> str:
    """A place in an order that is the same on every machine and favours nobody."""
    return hashlib.sha256("\0".join(map(str, names)).encode("utf-8", "surrogatepass")).hexdigest()


class Chosen:
    """Up to `most` rows of each kind, those of the lowest rank, while any number of rows goes by."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.heaps: dict[str, list[tuple[int, int, Row]]] = {}
        self.counts: Counter[str] = Counter()

    def offer(self, kind: str, row: Row, *names: object) -> None:
        """Take the row up if its rank, made of `names`, is low enough."""
        heap = self.heaps.setdefault(kind, [])
        self.counts[kind] += 1
        entry = (-int(rank(kind, *names)[:16], 16), self.counts[kind], row)
        if len(heap) < self.most:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)

    def of(self, kind: str) -> list[Row]:
        """What was chosen of one kind, the lowest rank first."""
        return [row for _, _, row in sorted(self.heaps.get(kind, []), key=lambda entry: (-entry[0], entry[1]))]


def drops_of(ledger: Path, *, bounds: Bounds) -> Iterator[Row]:
    """Lines of the ledger: of each reason an even part of what there is room for, frequent reasons first."""
    chosen = Chosen(bounds.drops)
    for row in rows_in(ledger, "id", "source", "reason", "detail"):
        chosen.offer(row["reason"], row, row["source"], row["id"])
    reasons = [reason for reason, _ in chosen.counts.most_common()]
    room = bounds.drops
    parts = fair({reason: chosen.counts[reason] for reason in reasons}, room=room)
    for reason in reasons:
        yield from chosen.of(reason)[: parts[reason]]


def fair(counts: Mapping[str, int], *, room: int) -> dict[str, int]:
    """How many of each kind fit when none may crowd out another.

    >>> fair({"near-duplicate": 900, "too-short": 3, "empty": 200}, room=100)
    {'near-duplicate': 49, 'too-short': 3, 'empty': 48}
    """
    parts: dict[str, int] = {}
    for left, (name, count) in zip(
        range(len(counts), 0, -1), sorted(counts.items(), key=lambda entry: entry[1]), strict=True
    ):
        parts[name] = min(count, room // left)
        room -= parts[name]
    return {name: parts[name] for name in counts}


def clusters_of(path: Path, *, bounds: Bounds) -> tuple[tuple[Cluster, ...], Row]:
    """The largest clusters of each kind and some others, and how many there are."""
    if not path.is_file():
        return (), {}
    gathered: dict[tuple[str, Any], list[Row]] = {}
    sizes: Counter[tuple[str, Any]] = Counter()
    for row in rows_in(path):
        key = (row["kind"], row["cluster"])
        sizes[key] += 1
        members = gathered.setdefault(key, [])
        if len(members) < bounds.members or (row["kept"] and not members[0]["kept"]):
            members.append(row)
    kinds = Counter(kind for kind, _ in gathered)
    parts = fair(kinds, room=bounds.clusters)
    return tuple(
        Cluster(kind=kind, members=ordered(gathered[key], bounds.members), size=sizes[key])
        for kind in sorted(kinds)
        for key in sorted((key for key in gathered if key[0] == kind), key=lambda key: (-sizes[key], rank(*key)))[
            : parts[kind]
        ]
    ), dict(sorted(kinds.items()))


def ordered(members: Sequence[Row], most: int) -> tuple[Row, ...]:
    """Members of a cluster, the kept ones first, then in reading order."""
    return tuple(sorted(members, key=lambda row: (not row["kept"], -1 if row["row"] is None else row["row"]))[:most])


def total(counts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """Several counts as one."""
    found: Counter[str] = Counter()
    for one in counts:
        found.update(one)
    return found
