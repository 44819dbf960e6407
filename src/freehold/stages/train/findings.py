"""What a sweep found: `sweep.json` for other programs, a dated section of Markdown for people."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from freehold.stage import Stage
from freehold.stages.train.laws import best_rate, loss_law, rate_law
from freehold.stages.train.wanted import pools_of, shares_of
from freehold.store.environment import environment

FORMAT = 1
FILE, PAGE = "sweep.json", "sweep.md"

Result = Mapping[str, Any]


def findings(stage: Stage, results: Sequence[Result]) -> dict[str, Any]:
    """Everything the trials say, as JSON values; artifacts.md documents the fields."""
    best = [row for group in groups(results, "depth", "batch_tokens", "tokens") if (row := best_of(group)) is not None]
    machine = environment()
    batches = sorted({row["batch_tokens"] for row in best})
    facts = json.loads((stage.input("tokenize") / "tokenize.json").read_bytes())
    laws = {}
    for batch in batches:
        at = [row for row in best if row["batch_tokens"] == batch]
        longest = [max(group, key=itemgetter("tokens")) for group in groups(at, "depth")]
        sure = [(row["width"], row["rate"]) for row in longest if row["inside"]]  # an edge is no optimum
        rate = rate_law(sure)
        loss = loss_law([(row["matrix_parameters"], row["tokens"], row["bits_per_byte"]) for row in at])
        laws[str(batch)] = {"rate": asdict(rate) if rate else None, "loss": asdict(loss) if loss else None}
    return {
        "format": FORMAT,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "data": stage.digest("tokenize"),
        "held_out": stage.digest("curate"),
        "shares": shares_of(stage.charter, pools_of(facts)),
        "sequence": stage.charter.train.sequence,
        "machine": {key: machine[key] for key in ("processor", "system", "python")}
        | {"torch": machine["packages"].get("torch")},
        "trials": list(results),
        "best": best,
        "laws": laws,
    }


def groups(results: Sequence[Result], *keys: str) -> list[list[Result]]:
    """Results that agree in all of `keys`, in the order of these."""
    found: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        found.setdefault(tuple(result[key] for key in keys), []).append(result)
    return [found[key] for key in sorted(found)]


def best_of(results: Sequence[Result]) -> dict[str, Any] | None:
    """The best rate of trials that differ in rate and seed only; None where every one diverged."""
    points = [
        (group[0]["rate"], sum(one["bits_per_byte"] for one in group) / len(group))
        for group in groups(results, "rate")
        if all(one["bits_per_byte"] is not None for one in group)
    ]
    if not points:
        return None
    best, first = best_rate(points), results[0]
    return {
        **{key: first[key] for key in ("depth", "width", "parameters", "matrix_parameters", "batch_tokens", "tokens")},
        "rate": best.rate,
        "bits_per_byte": round(best.bits_per_byte, 5),
        "how": best.how,
        "inside": best.inside,
        "seeds": len({one["seed"] for one in results}),
    }


def figures(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the verb shows: trials (depth, batch, tokens, rate, seed), the best rates, the laws in words."""
    trials = {
        f"{label(row)} r{row['rate']:g} s{row['seed']}": {
            key: row[key] for key in ("bits_per_byte", "loss", "tokens_per_s")
        }
        for row in found["trials"]
    }
    best = {
        label(row): {"bits_per_byte": row["bits_per_byte"], "rate": f"{row['rate']:.4g}", "how": row["how"]}
        for row in found["best"]
    }
    told = {
        f"law of the {name} at b{batch}": text
        for batch, laws in found["laws"].items()
        for name, text in zip(("rate", "loss"), sentences(laws), strict=True)
    }
    return {"trial": trials, "best": best, **told}


def label(row: Mapping[str, Any]) -> str:
    """Which trials a row is of: depth, tokens a step, tokens; in a narrow terminal every letter counts."""
    return f"d{row['depth']} b{row['batch_tokens']} t{row['tokens']}"


def sentences(laws: Mapping[str, Any]) -> list[str]:
    """The laws of one batch size as a person reads them."""
    rate, loss, said = laws["rate"], laws["loss"], []
    if rate:
        said.append(f"rate = {rate['coefficient']:.4g} x width^{rate['exponent']:.3f} ({rate['how']})")
    else:
        said.append("none: it takes two depths whose best rate has worse ones on both sides")
    if loss:
        tokens = f" + {loss['token_factor']:.4g} / D^{loss['beta']:.2f}" if loss["token_factor"] else ""
        said.append(
            f"bits per byte = {loss['floor']:.4f} + {loss['size_factor']:.4g} / N^{loss['alpha']:.2f}{tokens}, N "
            f"matrix parameters, off by {loss['worst_error']:.4f} at most ({loss['how']})"
        )
    else:
        said.append("none: it takes three depths")
    return said


def markdown(found: Mapping[str, Any], *, title: str) -> str:
    """A section for a log of experiments: setting, trials, best rates, laws."""
    machine, first = found["machine"], found["trials"][0]
    lines = [
        f"## {found['date']}: {title}",
        "",
        f"{machine['processor']}, {machine['system']}, torch {machine['torch']}, {first['precision']}; sequence "
        f"{found['sequence']}; tokens of `tokenize` {found['data'][:12]}. Embedding, head and vector rates move with "
        "the matrix rate. Held-out bits per byte in windows that do not overlap, languages weighted by their shares.",
        "",
        *rows(found["trials"], ("depth", "width", "batch_tokens", "tokens", "rate", "seed", "bits_per_byte", "loss")),
        "",
        *rows(found["best"], ("depth", "batch_tokens", "tokens", "rate", "bits_per_byte", "how")),
        "",
    ]
    for batch, laws in found["laws"].items():
        told = zip(("rate", "loss"), sentences(laws), strict=True)
        lines += [f"- law of the {name}, batch {int(batch):,}: {sentence}." for name, sentence in told]
    return "\n".join(lines) + "\n"


def rows(entries: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[str]:
    """A Markdown table."""
    head = [f"| {' | '.join(column.replace('_', ' ') for column in columns)} |", "| --- " * len(columns) + "|"]
    return head + [f"| {' | '.join(cell(entry[column]) for column in columns)} |" for entry in entries]


def cell(value: object) -> str:
    """A figure in a table: ``cell(12345) == '12,345'``, and a diverged trial's is "diverged"."""
    if value is None:
        return "diverged"
    if isinstance(value, int):
        return f"{value:,}" if value < 10_000_000 else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
