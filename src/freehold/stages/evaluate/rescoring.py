"""Answers and completions given again from a release's model folder; whoever verifies calls it with rows that it read.

Rows come from strangers: what is not of the form that evaluation leaves is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from freehold.errors import GateError
from freehold.model.folder import open_folder
from freehold.model.generation import Request
from freehold.progress import Progress
from freehold.stages.evaluate.choice import Question, answers, load_pack
from freehold.stages.evaluate.completions import TEMPERATURE, TOKENS, TOP_P
from freehold.stages.evaluate.judged import Judged

Row = Mapping[str, Any]


def questions(pack: Path) -> list[Question]:
    """The questions of a pack. Raises InputError with the line."""
    return load_pack(pack)


def answered(model: Path, asked: Sequence[Question], *, precision: str) -> list[list[float]]:
    """Nats per byte of every choice of each question, computed on the CPU."""
    judged = Judged.open(model, precision=precision, device="cpu")
    return [answer["nats_per_byte"] for answer in answers(judged, asked, progress=Progress(quiet=True))]


def completed(model: Path, rows: Sequence[Row]) -> list[str]:
    """What the model writes after the prompt of each row, by the row's seed and the settings of every evaluation."""
    requests = []
    for row in rows:
        if not isinstance(row.get("prompt"), str) or type(row.get("seed")) is not int:
            raise GateError("a completion without prompt or seed", where=str(row.get("document")))
        requests.append(
            Request(prompt=row["prompt"], max_tokens=TOKENS, temperature=TEMPERATURE, top_p=TOP_P, seed=row["seed"])
        )
    decoder = open_folder(model, precision="fp32").decoder
    return [given.text for given in decoder.complete(requests)]
