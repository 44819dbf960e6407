"""A small evaluation whose figures follow from its rows, for releases that tests build."""

from __future__ import annotations

import json
from typing import Any

from freehold.proof import scores

REFERENCES = [float(value) for value in range(100, 355)]


def answers() -> list[dict[str, Any]]:
    """Answers to four questions of one pack."""
    scored = [[1.0, 2.0, 3.0], [2.5, 0.5, 4.0], [3.0, 3.5, 1.0], [0.7, 0.7, 0.9]]
    return [
        {
            "pack": "civics",
            "id": f"q{place}",
            "language": "deu",
            "nats_per_byte": nats,
            "chosen": scores.chosen(nats),
            "answer": 1,
            "correct": scores.chosen(nats) == 1,
        }
        for place, nats in enumerate(scored)
    ]


def held_out() -> list[dict[str, Any]]:
    """Two documents in bits."""
    return [
        {
            "document": f"h{place}",
            "language": "deu",
            "bytes": 100 * place,
            "bits": {"model": 150.0 * place, "xz": 222.2},
        }
        for place in (1, 2)
    ]


def memorisation() -> dict[str, Any]:
    """Three passages and two canaries."""
    rows = [
        {"document": f"d{times}" if times else "h1", "language": "deu", "offset": 5, "times": times, "verbatim": tokens}
        for times, tokens in ((0, 2), (1, 4), (7, 50))
    ]
    canaries = [
        {"id": f"canaries/deu/{times}/0", "language": "deu", "times": times, "read": times, "nats": nats, "bits": 300.0}
        | scores.exposed(nats, REFERENCES, bits=300.0)
        | {"verbatim": 0, "of": 30}
        for times, nats in ((1, 240.0), (16, 60.0))
    ]
    return {
        "format": 1,
        "seed": 7,
        "prompt_tokens": 50,
        "continuation_tokens": 50,
        "rows": rows,
        "passages": scores.verbatim(rows, tokens=50),
        "canary_rows": canaries,
        "canaries": scores.canaries(canaries),
        "never_planted_nats": REFERENCES,
    }


def results() -> dict[str, Any]:
    """What follows from answers and held-out documents."""
    bits = {"model": 1.5, "xz": 1.4813, "bytes": 300, "documents": 2}
    return {"format": 1, "bits_per_byte": {"deu": bits}, "choice": {"civics": scores.accuracy(answers())}}


def evaluation(**changed: Any) -> dict[str, bytes]:
    """The files that evaluate leaves; a test replaces one of results, answers, held_out, memorisation."""
    made = {
        "results": results(),
        "answers": answers(),
        "held_out": held_out(),
        "memorisation": memorisation(),
    } | changed
    ending = {"results": ".json", "answers": ".jsonl", "held_out": ".jsonl", "memorisation": ".json"}
    return {
        name + ending[name]: b"".join(json.dumps(row).encode() + b"\n" for row in value)
        if ending[name] == ".jsonl"
        else json.dumps(value).encode()
        for name, value in made.items()
        if value is not None
    }
