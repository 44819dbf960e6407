"""Part of check 3: evidence has one reading, and what stages say of it in their statements is what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical
from freehold.proof.bundle import LOCATORS, MAX_RELEASE_BYTES, STEPS, step_path
from freehold.proof.signing.signatures import SIGNATURES
from freehold.proof.statements import StageStatement
from freehold.stages.verify.claims import agree, loaded, sound, table, total
from freehold.stages.verify.contents import Contents

FAIRNESS = "evidence/tokenizer/fairness.json"
SHOWN = ("fertility", "unit", "bytes_per_token", "premium")  # of a language, in the statement too
DECIMALS = 4
APART = (LOCATORS, SIGNATURES, STEPS)  # read strictly elsewhere, or by no verdict
MEASURE = "tokens per byte of the same text under xz -9e, as a multiple of the language with the fewest"
LANGUAGE = {
    "tokens", "bytes", "characters", "fertility", "unit", "bytes_per_token", "tokens_per_character", "content_bytes",
    "premium", "seen",
}  # fmt: skip


def check(contents: Contents, steps: Mapping[str, StageStatement]) -> None:
    """Raise GateError where evidence has two readings, or a statement's figures are not those of the evidence."""
    for path in contents.listed:
        if path.startswith("evidence/") and not path.startswith(APART):
            read(contents, path)
    if "tokenize" in steps and FAIRNESS in contents.listed:
        with sound(FAIRNESS):
            served(loaded(contents, FAIRNESS), steps["tokenize"])


def read(contents: Contents, path: str) -> None:
    """Raise GateError unless a file of JSON, or of lines of it, can be read strictly: no key stands twice in it."""
    if path.endswith(".jsonl"):
        canonical.lines(contents.read(path), where=path, max_bytes=MAX_RELEASE_BYTES)
    elif path.endswith(".json"):
        canonical.load(contents.read(path), where=path, max_bytes=MAX_RELEASE_BYTES)


def served(fairness: Mapping[str, Any], step: StageStatement) -> None:
    """Raise GateError unless shares and premiums follow from the counts, and the statement tells the same ones."""
    where, rows = step_path("tokenize"), table(fairness, "languages")
    told = step.figures
    agree("tokens", {"its languages": total(told.get("tokens_by_language")), where: told.get("tokens")})
    shown = {code: {name: table(row).get(name) for name in SHOWN} for code, row in rows.items()}
    agree("fairness", {FAIRNESS: shown, where: told.get("fairness")})
    agree("gini", {FAIRNESS: fairness.get("gini"), where: told.get("gini")})
    agree("measure", {"this version": MEASURE, FAIRNESS: fairness.get("measure")})
    agree("languages", {where: sorted(table(told, "tokens_by_language")), FAIRNESS: sorted(rows)})
    for code, row in rows.items():
        counts = [
            row.get(name) if isinstance(row, dict) else None
            for name in ("tokens", "bytes", "characters", "content_bytes")
        ]
        if not isinstance(row, dict) or set(row) != LANGUAGE or any(type(n) is not int or n <= 0 for n in counts):
            raise GateError(f"{code}: counts of another form", where=FAIRNESS)
        if (
            type(row["seen"]) is not bool
            or row["unit"] not in ("word", "character")
            or type(row["fertility"]) is not float
        ):
            raise GateError(f"{code}: facts of another form", where=FAIRNESS)
    costs = {code: row["tokens"] / row["content_bytes"] for code, row in rows.items()}
    for code, row in rows.items():
        follows = {
            "bytes_per_token": row["bytes"] / row["tokens"],
            "tokens_per_character": row["tokens"] / row["characters"],
            "premium": costs[code] / min(costs.values()),
        } | ({"fertility": row["tokens"] / row["characters"]} if row["unit"] == "character" else {})
        for name, value in follows.items():
            agree(f"{code}: {name}", {"its counts": round(value, DECIMALS), FAIRNESS: row[name]})
    spread = sum(abs(one - other) for one in costs.values() for other in costs.values())
    whole = {
        "best_served": min(costs, key=lambda code: (costs[code], code)),
        "worst_premium": max(row["premium"] for row in rows.values()),
        "gini": round(spread / (2 * len(costs) * sum(costs.values())), DECIMALS),
    }
    agree("the whole", {"its languages": whole | {"languages": rows, "measure": MEASURE}, FAIRNESS: dict(fairness)})
