"""Texts to look at, while the scratch folder of the stage is still there: a document before and after, a dropped one.

Which documents are shown is a function of their names alone. Personal values are replaced before anything is kept
here, also in texts that no rule of the charter would have kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from freehold.sight.corpus.bounds import Bounds
from freehold.sight.corpus.facts import Chosen, Cluster, Facts, Row, rows_in
from freehold.sight.corpus.reasons import may_be_shown
from freehold.text.differences import PLACEHOLDER, Piece, concealed, differences, excerpt, with_placeholders

CHANGED: Final = frozenset({"removed", "added", "replaced"})
CANDIDATES: Final = 3  # of a source, for each document shown before and after
LONGEST: Final = 300_000  # bytes of a document that is compared
BEGINNING: Final = 6_000  # characters of a dropped text that are looked at
ENOUGH: Final = 500  # documents with placeholders, after which no more are looked for
SAFETY: Final = 200  # characters cut off behind them: half an address is no address to a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """How the stage itself sees a text."""

    redact: Callable[[str, str], str]  # text, language → text without personal values
    plain: Callable[[str, bool], str]  # text, whether it is a web page → the text a reader sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A document as it was read and as it is kept."""

    id: str
    source: str
    markup: bool  # it was a web page: the text taken out of it is compared
    pieces: tuple[Piece, ...]
    repairs: Row  # rule → number


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What there is to look at."""

    snippets: dict[tuple[str, str, str], str]  # source, id, reason → the beginning of a dropped text
    changes: tuple[Change, ...]
    pairs: dict[int, tuple[Piece, ...]]  # position of a cluster → its first two members compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A raw part, what judging made of it, and its rows."""

    raw: Path
    judged: Path
    first: int
    last: int


def samples_of(scratch: Path, facts: Facts, *, bounds: Bounds, eyes: Eyes) -> Samples:
    """Choose and read them: one pass without texts, then only the parts that hold a chosen text."""
    wanted = examples(facts, bounds=bounds)
    found: dict[int, tuple[str, str, str]] = {}  # row → of a dropped text that is wanted
    candidates = Chosen(max(1, CANDIDATES * bounds.changes // max(1, len(facts.sources))))
    parts, replaced = [], 0
    for raw, judged in both(scratch):
        rows = list(rows_in(judged, "row", "id", "source", "reason", "bytes"))
        if not rows:
            continue
        parts.append(Part(raw=raw, judged=judged, first=rows[0]["row"], last=rows[-1]["row"]))
        mended = mended_rows(judged)
        redacted = redacted_rows(judged) if replaced < ENOUGH else frozenset()
        replaced += len(redacted)
        for row in rows:
            key = (row["source"], row["id"], row["reason"] or "")
            if key in wanted:
                found.setdefault(row["row"], key)
            elif row["reason"] is None and row["bytes"] <= LONGEST:
                place = row["row"]
                kind = "redacted" if place in redacted else "mended" if place in mended else "other"
                candidates.offer(f"{kind} {row['source']}", row, row["id"])
    turns = zip_longest(*(candidates.of(kind) for kind in sorted(candidates.heaps, reverse=True)))  # each in its turn
    chosen = [row["row"] for turn in turns for row in turn if row is not None]
    raw_rows = fetch(parts, {*chosen, *found}, raw=True)
    alike = [(place, members(cluster)) for place, cluster in enumerate(facts.clusters)]
    kept_rows = fetch(parts, {*chosen, *(row for _, pair in alike for row in pair)}, raw=False)
    return Samples(
        snippets={
            found[row]: snippet(raw_rows[row], limit=bounds.snippet, eyes=eyes) for row in found if row in raw_rows
        },
        changes=tuple(changes(chosen, raw_rows, kept_rows, repairs_of(parts, chosen), eyes=eyes, bounds=bounds)),
        pairs={
            place: compared(*(kept_rows[row]["text"] for row in pair), limit=bounds.change)
            for place, pair in alike
            if len(pair) == 2 and all(kept_rows.get(row, {}).get("text") for row in pair)
        },
    )


def both(scratch: Path) -> Iterator[tuple[Path, Path]]:
    """Every judged part with the raw part it was made from, in reading order."""
    for judged in sorted((scratch / "judged").glob("*/part-*.parquet")):
        yield scratch / "raw" / judged.parent.name / judged.name, judged


def redacted_rows(judged: Path) -> frozenset[int]:
    """Rows of a part in whose text a placeholder stands."""
    table = pq.read_table(judged, columns=["row", "text"])
    return frozenset(
        table.filter(pc.match_substring_regex(table.column("text"), PLACEHOLDER.pattern))["row"].to_pylist()
    )


def mended_rows(judged: Path) -> frozenset[int]:
    """Rows of a part that the log of repairs beside it names; none where there is no log."""
    log = repairs_beside(judged)
    return frozenset(pq.read_table(log, columns=["row"])["row"].to_pylist()) if log.is_file() else frozenset()


def repairs_beside(judged: Path) -> Path:
    """The log of what judging repaired in a part."""
    return judged.with_name(judged.name.replace("part-", "repairs-"))


def examples(facts: Facts, *, bounds: Bounds) -> set[tuple[str, str, str]]:
    """The dropped records whose texts may be shown and are."""
    seen: dict[str, int] = {}
    wanted = set()
    for row in facts.drops:
        seen[row["reason"]] = seen.get(row["reason"], 0) + 1
        if seen[row["reason"]] <= bounds.examples and may_be_shown(row["reason"]):
            wanted.add((row["source"], row["id"], row["reason"]))
    return wanted


def members(cluster: Cluster) -> tuple[int, ...]:
    """The rows of the two members to compare; none where they only have a passage in common."""
    first = cluster.members[:2] if cluster.kind != "boilerplate" else ()
    return tuple(member["row"] for member in first if member["row"] is not None)


def fetch(parts: Sequence[Part], rows: Iterable[int], *, raw: bool) -> dict[int, dict[str, Any]]:
    """The records of some rows, part by part."""
    wanted, found = sorted(set(rows)), {}
    columns = ["row", "id", "text", "language", "markup" if raw else "source"]
    for part in parts:
        inside = [row for row in wanted if part.first <= row <= part.last]
        if inside:
            table = pq.read_table(part.raw if raw else part.judged, columns=columns)
            kept = table.filter(pc.is_in(table.column("row"), value_set=pa.array(inside, pa.int64())))
            found.update({row["row"]: row for row in kept.to_pylist()})
    return found


def snippet(row: Mapping[str, Any], *, limit: int, eyes: Eyes) -> str:
    """The beginning of a dropped text, personal values replaced."""
    text = row["text"][:BEGINNING]
    cut = len(row["text"]) > BEGINNING
    safe = eyes.redact(text, row["language"] or "")
    return (safe[: len(safe) - SAFETY] if cut else safe)[:limit]


def changes(
    chosen: Sequence[int],
    raw: Mapping[int, Row],
    kept: Mapping[int, Row],
    repairs: Mapping[int, Row],
    *,
    eyes: Eyes,
    bounds: Bounds,
) -> Iterator[Change]:
    """Documents in which something changed, until there are enough."""
    shown = 0
    for row in chosen:
        if shown == bounds.changes or row not in raw or row not in kept:
            continue
        after = kept[row]
        before = eyes.redact(eyes.plain(raw[row]["text"], raw[row]["markup"]), after["language"])
        pieces = compared(before, after["text"], limit=bounds.change)
        if any(piece.kind in CHANGED for piece in pieces):
            shown += 1
            yield Change(
                id=after["id"],
                source=after["source"],
                markup=raw[row]["markup"],
                pieces=pieces,
                repairs=repairs.get(row, {}),
            )


def compared(before: str, after: str, *, limit: int) -> tuple[Piece, ...]:
    """Two texts compared, fit to be shown."""
    pieces = list(with_placeholders(concealed(differences(before.strip(), after.strip()))))
    return tuple(excerpt(pieces, limit=limit))


def repairs_of(parts: Sequence[Part], rows: Sequence[int]) -> dict[int, dict[str, int]]:
    """How often each rule repaired each row, where judging kept a log of it."""
    found: dict[int, dict[str, int]] = {}
    wanted = pa.array(sorted(rows), pa.int64())
    for log in filter(Path.is_file, (repairs_beside(part.judged) for part in parts)):
        table = pq.read_table(log, columns=["row", "rule"])
        for row in table.filter(pc.is_in(table.column("row"), value_set=wanted)).to_pylist():
            rules = found.setdefault(row["row"], {})
            rules[row["rule"]] = rules.get(row["rule"], 0) + 1
    return found
