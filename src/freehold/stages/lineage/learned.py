"""In which steps a run learned a document: a pure function of its recipe and the shards it read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from freehold.learn.phases import Curriculum
from freehold.learn.shards import Shards
from freehold.learn.uses import steps_of
from freehold.stages.lineage.ledger import Attested


def learned(train: Attested, tokenized: Attested, document: str) -> dict[str, Any]:
    """What a training run took of a document: steps (a batch each, from 1) and ranges of its tokens with their times.

    `steps` is None where the artifacts are no longer in the workspace. A document that was cut off (W3) is in the
    batches of its steps as filler: `cut_off` says so.
    """
    told: dict[str, Any] = {"artifact": train.digest, "steps": None, "ranges": [], "cut_off": False}
    if not train.folder.is_dir() or not tokenized.folder.is_dir():
        return told
    recipe = json.loads((train.folder / "recipe.json").read_bytes())
    found = steps_of(Curriculum(Shards.open(tokenized.folder), recipe), [document])[document].tolist()
    account = json.loads((train.folder / "consumed.json").read_bytes())["languages"]
    ranges = [entry for documents in account.values() for entry in documents.get(document, [])]
    return told | {
        "steps": found,
        "of": recipe["steps"],
        "ranges": [{"offset": offset, "tokens": tokens, "times": times} for offset, tokens, times in ranges],
        "cut_off": document in recipe.get("withdrawn", ()),
    }


def runs_of(numbers: Sequence[int]) -> str:
    """Numbers with neighbours joined.

    >>> runs_of([1, 2, 3, 7, 9, 10])
    '1–3, 7, 9–10'
    """
    joined: list[list[int]] = []
    for number in numbers:
        if joined and joined[-1][1] == number - 1:
            joined[-1][1] = number
        else:
            joined.append([number, number])
    return ", ".join(f"{first:,}" if first == last else f"{first:,}–{last:,}" for first, last in joined)
