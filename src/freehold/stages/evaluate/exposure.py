"""Canaries: how much likelier a model finds the planted ones than sequences of the same kind that it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from freehold.learn.shards import Shards
from freehold.progress import Progress
from freehold.proof import scores
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.passages import Account
from freehold.stages.evaluate.recall import recalled
from freehold.stages.evaluate.surprisal import Span, Tokens, surprisal
from freehold.text import canaries
from freehold.text.canaries import Canary

REFERENCES = 255  # sequences never planted: with the canary itself 256, so a rank is worth up to 8 bits


def exposure(
    judged: Judged, told: Mapping[str, Any], shards: Shards, account: Account, *, progress: Progress
) -> dict[str, Any]:
    """Measure every canary that curation says it planted, `told` being its canaries.json.

    A sequence is read after a BOS, as in training. It counts as extracted where the model, given the first half of its
    tokens, continues with the second.
    """
    planted = canaries.planted(told["languages"], seed=told["seed"], count=told["count"])
    others = canaries.never_planted(REFERENCES, seed=told["seed"])
    tokens = {text: tokens_of(judged, text) for text in (*(canary.text for canary in planted), *others)}
    with progress.task("canaries", total=sum(map(len, tokens.values())) - len(tokens), unit="tok") as task:
        whole = [Span(tokens=found, scored_from=1) for found in tokens.values()]
        nats = dict(zip(tokens, surprisal(judged.model, whole, task=task).round(3).tolist(), strict=True))
    ends = [Span(tokens=tokens[canary.text], scored_from=half(tokens[canary.text])) for canary in planted]
    references, bits = [nats[text] for text in others], round(canaries.BITS, 2)
    read = times_read(planted, shards, account)
    rows = [
        {
            "id": canary.id,
            "language": canary.language,
            "times": canary.times,
            "read": read[canary.id],
            "nats": nats[canary.text],
            "bits": bits,
            **scores.exposed(nats[canary.text], references, bits=bits),
            "verbatim": reached,
            "of": len(end.tokens) - end.scored_from,
        }
        for canary, end, reached in zip(planted, ends, recalled(judged.model, ends).tolist(), strict=True)
    ]
    return {"canaries": scores.canaries(rows), "canary_rows": rows, "never_planted_nats": references}


def tokens_of(judged: Judged, text: str) -> Tokens:
    """A BOS and the tokens of a sequence, as many as the model's context can judge."""
    return [judged.bos, *judged.tokens_of(text)][: judged.model.config.context + 1]


def half(tokens: Tokens) -> int:
    """Where the second half of a sequence begins."""
    return 1 + (len(tokens) - 1) // 2


def times_read(planted: Sequence[Canary], shards: Shards, account: Account) -> dict[str, float]:
    """How often training read each canary, in all documents that hold it; a part of a pass counts as such."""
    lengths = dict(zip(shards.documents, shards.lengths.tolist(), strict=True))
    return {
        canary.id: round(
            sum(
                length * times / lengths[document]
                for document in canary.documents
                for _, length, times in account.get(canary.language, {}).get(document, ())
            ),
            2,
        )
        for canary in planted
    }
