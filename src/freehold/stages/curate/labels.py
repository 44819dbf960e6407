"""Labels of the charter's own: texts that a person would keep or drop, and the classifier that learns from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from freehold.errors import InputError
from freehold.text.classifier import HELD_OUT, learn, score
from freehold.text.repair import repair

FEWEST: Final = 20  # texts of either label
MOST: Final = 20_000  # labels; more would not fit the memory that curating may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One line of labels: a text, or the id of one, and whether to drop what is like it."""

    id: str | None
    text: str | None
    drop: bool


def read_labels(path: Path) -> tuple[Label, ...]:
    """Every label of a JSON Lines file. Raises InputError with the line for what is none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"labels cannot be read: {error}", where=path.name, remedy="mend [curate].labels") from None
    labels = tuple(parsed(line, where=f"{path.name}:{number}") for number, line in enumerate(lines, 1) if line.strip())
    if len(labels) > MOST:
        raise InputError(f"{len(labels)} labels, at most {MOST}", where=path.name, remedy="take a sample of them")
    return labels


def parsed(line: str, *, where: str) -> Label:
    """One line."""
    advice = '{"id": … or "text": …, "label": "keep" or "drop"}'
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise InputError(f"no JSON: {error}", where=where, remedy=advice) from None
    if not isinstance(row, dict) or row.get("label") not in ("keep", "drop"):
        raise InputError("no label", where=where, remedy=advice)
    identity, text = row.get("id"), row.get("text")
    if not (isinstance(text, str) and text.strip()) and not isinstance(identity, str):
        raise InputError("neither id nor text", where=where, remedy=advice)
    return Label(id=identity, text=text if isinstance(text, str) else None, drop=row["label"] == "drop")


def train(
    labels: tuple[Label, ...], found: Mapping[str, str], *, where: str
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """The classifier's weights and what the artifact tells of it; `found` are the texts of labels by id.

    One labelled text in five, chosen by its digest, is not learned from and gives precision and recall. Raises
    InputError where too few texts are left of either label.
    """
    texts = {
        repair(label.text).text if label.text else found[str(label.id)]: label.drop
        for label in labels
        if label.text or label.id in found
    }
    pairs = sorted(
        ((sha256(text.encode()).hexdigest(), text, drop) for text, drop in texts.items()), key=lambda p: p[0]
    )
    test = [pair for pair in pairs if int(pair[0][:8], 16) % HELD_OUT == 0]
    training = [pair for pair in pairs if int(pair[0][:8], 16) % HELD_OUT]
    drops = sum(drop for *_, drop in training)
    if min(drops, len(training) - drops) < FEWEST:
        message = f"{drops} texts to drop and {len(training) - drops} to keep are left to learn from"
        raise InputError(message, where=where, remedy=f"give at least {FEWEST * 2} of either label")
    weights = learn([text for _, text, _ in training], [drop for *_, drop in training])
    told = score(
        [text for _, text, _ in test], [drop for *_, drop in test], weights, learned_from=len(training)
    )  # fmt: skip
    missing = sum(1 for label in labels if not label.text and label.id not in found)
    digest = sha256(np.ascontiguousarray(weights).tobytes()).hexdigest()
    return weights, asdict(told) | {"labels": len(labels), "ids_not_found": missing, "weights_sha256": digest}
