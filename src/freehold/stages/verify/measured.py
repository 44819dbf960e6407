"""Part of check 7: rows of an evaluation have one form, name the same documents, and are what its statement tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.errors import GateError
from freehold.proof.bundle import ANSWERS, COMPLETIONS, HELD_OUT, MEMORISATION, RESULTS, step_path
from freehold.proof.statements import StageStatement
from freehold.stages.verify.claims import agree, table

FORMAT = 1
FIELDS = {
    ANSWERS: {
        "answer": int, "chosen": int, "correct": bool, "id": str, "language": str, "nats_per_byte": list, "pack": str,
    },
    HELD_OUT: {"document": str, "language": str, "bytes": int, "bits": dict},
    COMPLETIONS: {
        "document": str, "language": str, "prompt": str, "completion": str, "seed": int, "temperature": float,
        "top_p": float,
    },
}  # fmt: skip
PASSAGE = {"document": str, "language": str, "offset": int, "times": int, "verbatim": int}

Row = Mapping[str, Any]


def formed(rows: Sequence[Row], fields: Mapping[str, type], *, where: str) -> None:
    """Raise GateError unless each row has exactly these fields, each of its kind."""
    for number, row in enumerate(rows, 1):
        if set(row) != set(fields) or any(type(row[name]) is not kind for name, kind in fields.items()):
            raise GateError("is not what an evaluation leaves", where=f"{where}:{number}")


def named(held: Sequence[Row], completed: Sequence[Row], passages: Sequence[Row]) -> None:
    """Raise GateError where a document stands twice, or what is said of a held-out one is of none."""
    languages = {row["document"]: row["language"] for row in held}
    if len(languages) < len(held):
        raise GateError("a document is held out twice", where=HELD_OUT)
    for row in completed:
        if languages.get(row["document"]) != row["language"]:
            raise GateError(f"{row['document']} is not held out in {row['language']}", where=COMPLETIONS)
    for row in passages:
        due = row["language"] if row["times"] == 0 else None
        if held and languages.get(row["document"]) != due:
            raise GateError(f"{row['document']} is read and held out, or neither", where=MEMORISATION)


def compared(results: Row) -> None:
    """Raise GateError unless the figures before refinement are of the same model and of no more bytes."""
    for language, row in table(results, "bits_per_byte").items():
        before, size = table(row, "before_refinement"), table(row).get("bytes", 0)
        if not before:
            continue
        numbers = [before.get(name) for name in ("model", "pretrained")]
        if set(before) != {"model", "pretrained", "bytes"} or any(type(number) is not float for number in numbers):
            raise GateError(f"{language}: before_refinement is of another form", where=RESULTS)
        if type(before["bytes"]) is not int or not 0 < before["bytes"] <= size:
            raise GateError(f"{language}: {before['bytes']!r} bytes before refinement, {size} in all", where=RESULTS)
        if before["bytes"] == size:
            agree(f"{language}: model", {"all bytes": row.get("model"), RESULTS: before["model"]})


def told(results: Row, memory: Row, step: StageStatement) -> None:
    """Raise GateError unless the statement tells the figures of results and memorisation."""
    where = step_path("evaluate")
    agree("format", {"this version": FORMAT, RESULTS: results.get("format")})
    for name in ("bits_per_byte", "choice"):
        agree(name, {RESULTS: results.get(name), where: step.figures.get(name)})
    if memory:
        agree("format", {"this version": FORMAT, MEMORISATION: memory.get("format")})
        tables = {"memorisation": table(memory, "passages", "all"), "canaries": table(memory, "canaries")}
        for name, rows in tables.items():  # an empty one is not told
            agree(name, {MEMORISATION: rows or None, where: step.figures.get(name)})
