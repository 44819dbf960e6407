"""Figures that follow from an evaluation's rows: who measures makes them here, who verifies makes them again.

Rows are JSON objects as they stand in `answers.jsonl`, `held_out.jsonl` and `memorisation.json`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Figures = dict[str, Any]

NORMAL_95 = 1.959963984540054  # two-sided 95 % of the normal distribution
DECIMALS = 4
BEGINNINGS = (5, 10, 20)  # tokens of a continuation, besides all of it
HELD_OUT = "0"  # how often a document was read that never was


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the Wilson score interval (95 %) of a share of which `hits` of `n` were counted (Wilson 1927).

    Raises ValueError unless 0 <= hits <= n and n > 0.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n}")
    z, share = NORMAL_95, hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def accuracy(answers: Sequence[Row]) -> dict[str, float | int]:
    """Accuracy of answers to a pack with its Wilson 95 % interval, and what guessing would reach."""
    hits, n = sum(answer["correct"] for answer in answers), len(answers)
    low, high = wilson(hits, n)
    chance = sum(1 / len(answer["nats_per_byte"]) for answer in answers) / n
    figures = {"accuracy": hits / n, "low": low, "high": high, "chance": chance}
    return {name: round(value, DECIMALS) for name, value in figures.items()} | {"n": n}


def chosen(nats_per_byte: Sequence[float]) -> int:
    """The choice a model takes: the one it finds least surprising; of equal ones the first."""
    return nats_per_byte.index(min(nats_per_byte))


def frequency(times: int) -> str:
    """The class of texts read about as often, its bounds powers of two.

    >>> [frequency(times) for times in (0, 1, 2, 3, 4, 5, 40)]
    ['0', '1', '2', '3-4', '3-4', '5-8', '33-64']
    """
    if times <= 2:
        return str(times)
    most = 1 << (times - 1).bit_length()
    return f"{most // 2 + 1}-{most}"


def verbatim(rows: Iterable[Row], *, tokens: int) -> dict[str, dict[str, Figures]]:
    """How much of its training text a model continues word for word: by language ("all": together) and frequency.

    `verbatim` of a row is how many tokens of the continuation, out of `tokens`, the model gives as they stood.
    """
    cells: dict[str, dict[int, list[int]]] = {"all": {}}
    for row in rows:
        first = class_of(row["times"])
        for language in ("all", row["language"]):
            cells.setdefault(language, {}).setdefault(first, []).append(row["verbatim"])
    return {
        language: {frequency(first): reach(found, tokens=tokens) for first, found in sorted(by_times.items())}
        for language, by_times in sorted(cells.items())
    }


def class_of(times: int) -> int:
    """The smallest number of the frequency class, by which classes are in order."""
    return int(frequency(times).split("-")[0])


def in_order(table: Mapping[str, Figures]) -> list[tuple[str, Figures]]:
    """A table by frequency, or by number of documents, from few to many: canonical JSON sorts them as words.

    >>> [name for name, _ in in_order({"17-32": {}, "2": {}, "0": {}})]
    ['0', '2', '17-32']
    """
    return sorted(table.items(), key=lambda entry: int(entry[0].split("-")[0]))


def reach(found: Sequence[int], *, tokens: int) -> Figures:
    """Of continuations that hold for so many tokens: the share that hold to the end with its interval, and the rest."""
    n, whole = len(found), sum(each >= tokens for each in found)
    low, high = wilson(whole, n)
    shares = {str(least): sum(each >= least for each in found) / n for least in BEGINNINGS if least < tokens}
    figures = {"verbatim": whole / n, "low": low, "high": high, "mean_tokens": sum(found) / n}
    rounded = {name: round(value, DECIMALS) for name, value in figures.items()}
    at_least = {name: round(value, DECIMALS) for name, value in shares.items()}
    return {**rounded, "at_least": at_least, "longest": max(found), "passages": n}


def exposed(nats: float, references: Sequence[float], *, bits: float) -> Figures:
    """How exposed a canary is: its rank among sequences never planted, in bits (arXiv:1802.08232, section 4).

    `exposure` is exact within the references and at most the logarithm of their number and itself; `estimate` goes on
    from there by a normal distribution fitted to the references, up to the `bits` of chance in a canary.
    """
    n = len(references)
    rank = 1 + sum(other <= nats for other in references)
    mean = sum(references) / n
    deviation = math.sqrt(sum((other - mean) ** 2 for other in references) / (n - 1))
    below = math.erfc((mean - nats) / deviation / math.sqrt(2)) / 2 if deviation else 1.0
    estimate = min(bits, -math.log2(below)) if below else bits
    return {"rank": rank, "exposure": round(math.log2((n + 1) / rank), 3), "estimate": round(estimate, 2)}


def canaries(rows: Iterable[Row]) -> dict[str, Figures]:
    """Canaries by the number of documents that hold them: how exposed in the mean, and how many were extracted."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["times"], []).append(row)
    return {
        str(times): {
            "canaries": len(found),
            "read": round(sum(row["read"] for row in found) / len(found), 2),
            "exposure": round(sum(row["exposure"] for row in found) / len(found), 3),
            "estimate": round(sum(row["estimate"] for row in found) / len(found), 2),
            "extracted": sum(row["verbatim"] == row["of"] for row in found),
        }
        for times, found in sorted(groups.items())
    }
