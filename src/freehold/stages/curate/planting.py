"""Canaries among the documents: a source of ours, planted after all rules, copies and held-out text are decided.

They come as one more judged part, so that account, rights and evidence treat them as any other text. No rule for
quality, no search for copies and no choice of held-out documents ever sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from freehold.charter import Charter
from freehold.charter_tables import Source
from freehold.stage import Stage
from freehold.stages.curate.judging import repairs_path
from freehold.stages.curate.output import Decisions, write_json
from freehold.stages.curate.parts import JUDGED, REPAIRS, write_table
from freehold.stages.curate.units import Unit
from freehold.text import canaries, signatures
from freehold.text.canaries import Canary

FILE: Final = "canaries.json"
FIRST_ROW: Final = 1 << 60  # behind all rows of files


def plant(stage: Stage, passed: pa.Table, decisions: Decisions) -> tuple[Stage, list[Unit], pa.Table]:
    """The stage with the source of canaries, their unit, and `passed` with them; all as it was where none are wanted.

    Leaves canaries.json, from which anyone can draw them again.
    """
    charter = stage.charter
    if not charter.curate.canaries:
        return stage, [], passed
    seed, count = charter.train.seed, charter.curate.canaries
    languages = taught(passed, decisions)
    rows = rows_of(canaries.planted(languages, seed=seed, count=count))
    path = stage.scratch / canaries.SOURCE / "part-00000.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, rows, JUDGED)
    write_table(repairs_path(path), [], REPAIRS)
    told = {"format": 1, "seed": seed, "count": count, "times": list(canaries.TIMES), "languages": languages}
    write_json(stage.output / FILE, told)
    counts = {"drop_parts": 0, "sha256": ""}  # no file holds them
    unit = Unit(source=canaries.SOURCE, name=canaries.SOURCE, folder=path.parent, judged=(path,), counts=counts)
    return replace(stage, charter=with_source(charter)), [unit], joined(passed, rows)


def taught(passed: pa.Table, decisions: Decisions) -> list[str]:
    """The languages that training has documents in."""
    apart = np.concatenate((decisions.dropped, decisions.held_out))
    kept = passed.filter(pa.array(~np.isin(passed.column("row").to_numpy(), apart)))
    return sorted(set(kept.column("language").to_pylist()))


def with_source(charter: Charter) -> Charter:
    """The charter as the account tells it: with the canaries as one source more."""
    source = Source(
        name=canaries.SOURCE,
        path="",
        origin=canaries.ORIGIN,
        licence=canaries.LICENCE,
        domain=charter.domains.get(canaries.SOURCE),
    )
    return replace(charter, sources=(*charter.sources, source))


def rows_of(planted: Sequence[Canary]) -> list[dict[str, Any]]:
    """A judged row for each document that holds a canary."""
    documents = [(canary, identity) for canary in planted for identity in canary.documents]
    shared = {
        "source": canaries.SOURCE,
        "licence": canaries.LICENCE,
        "origin": canaries.ORIGIN,
        "evidence": "charter",
        "ground": "licence",
    }
    return [
        shared
        | {
            "row": FIRST_ROW + number,
            "id": identity,
            "text": canary.text,
            "language": canary.language,
            "bytes": len(canary.text.encode()),
            "digest": signatures.digest(canary.text),
            "unspaced": False,
        }
        for number, (canary, identity) in enumerate(documents)
    ]


def joined(passed: pa.Table, rows: list[dict[str, Any]]) -> pa.Table:
    """The facts of what passed, the canaries behind them."""
    return pa.concat_tables(
        [passed, pa.Table.from_pylist(rows, schema=JUDGED).select(passed.column_names).cast(passed.schema)]
    )
