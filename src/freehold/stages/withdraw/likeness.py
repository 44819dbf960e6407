"""What is like a withdrawn document: copies that were dropped for it, and near-duplicates that stay.

They are told, never taken along: each is a document with a right and a source of its own, and a withdrawal names one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from freehold.text.signatures import EMPTY, HASHES, WIDTH, jaccard, similarity, sketch, unspaced
from freehold.text.signatures import digest as digest_of
from freehold.text.tokens import tokens

LIKE: Final = 0.6  # share of equal tokens, as sketches estimate it, from which a document is worth a look
ROWS_AT_ONCE: Final = 16_384  # 8 MB of sketches
CLUSTERS, SKETCHES = "clusters.parquet", "sketches.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A document that is like one that is to go."""

    id: str
    of: str  # the one that is to go
    fate: str  # "left out as its copy", "stays"
    similarity: float | None  # share of equal tokens, estimated; None: not known


def alike(artifact: Path, texts: Mapping[str, str]) -> tuple[Alike, ...]:
    """What is like some documents {id: text} of a curate artifact, themselves left out; the likest first."""
    found = [*dropped(artifact / CLUSTERS, texts.keys()), *staying(artifact / SKETCHES, texts)]
    return tuple(sorted(found, key=lambda one: (one.of, -(one.similarity or 1.0), one.id)))


def dropped(path: Path, ids: Collection[str]) -> Iterator[Alike]:
    """What curation dropped because it repeats one of the documents."""
    if not path.is_file():
        return
    rows = pq.read_table(path, filters=[("kind", "!=", "boilerplate")]).to_pylist()
    kept = {row["cluster"]: row["id"] for row in rows if row["kept"] and row["id"] in ids}
    for row in rows:
        if not row["kept"] and row["cluster"] in kept:
            of = kept[row["cluster"]]
            yield Alike(id=row["id"], of=of, fate="left out as its copy", similarity=row["similarity"])


def staying(path: Path, texts: Mapping[str, str]) -> Iterator[Alike]:
    """What stays and has a sketch like that of one of the documents."""
    if not path.is_file() or not texts:
        return
    known = {identity: (unspaced(text), digest_of(text)) for identity, text in texts.items()}
    sketches = {name: sketch(tokens(text), width=WIDTH[known[name][0]]) for name, text in texts.items()}
    gone = {digest for _, digest in known.values()}
    for batch in pq.ParquetFile(path).iter_batches(ROWS_AT_ONCE, columns=["id", "digest", "unspaced", "sketch"]):
        ids, digests, kinds, rows = (batch.column(name).to_pylist() for name in batch.schema.names)
        held = np.frombuffer(b"".join(rows), dtype="<u4").reshape(-1, HASHES)
        for name, own in sketches.items():
            if (own == EMPTY).all():
                continue  # a text shorter than a window is like every other such text
            width = WIDTH[known[name][0]]
            agreement = (held == own).mean(axis=1)
            for place in np.flatnonzero(agreement >= jaccard(LIKE, width=width)).tolist():
                share = similarity(float(agreement[place]), width=width)
                other = kinds[place] == known[name][0] and ids[place] not in texts and digests[place] not in gone
                if other:
                    yield Alike(id=ids[place], of=name, fate="stays", similarity=round(share, 3))
