"""How surprised a model is by tokens: the sum of their negative log-probabilities, many spans at a time.

Legend: B spans of a batch, T positions, C width, N scored positions, R rows of a chunk, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from freehold.model.transformer import LanguageModel
from freehold.progress import Task

Tokens = Sequence[int]

# Positions read at once, padding included. On a CPU what a layer makes of 2,048 stays in the caches: 27,000 positions
# a second against 19,000 with 8,192 (6 x 384, bf16, two AMX cores).
BATCH_TOKENS = {"cpu": 2048, "cuda": 32_768}
CHUNK_NUMBERS = {"cpu": 2 * 2**20, "cuda": 2**28}  # logits that exist at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Tokens that one forward pass reads, and from which of them on they are scored."""

    tokens: Tokens  # at most the context plus one: the last is only predicted
    scored_from: int  # at least 1: nothing precedes the first token

    @property
    def positions(self) -> int:
        """Positions the model reads."""
        return len(self.tokens) - 1


def windows(tokens: Tokens, *, context: int) -> Iterator[Span]:
    """Cut a document's tokens into spans that score every token but the first exactly once.

    A document longer than the context is read in windows that begin half a context apart, so that every token but
    the first window's sees at least half a context before it.

    >>> [(list(span.tokens), span.scored_from) for span in windows(range(8), context=4)]
    [([0, 1, 2, 3, 4], 1), ([2, 3, 4, 5, 6], 3), ([4, 5, 6, 7], 3)]
    """
    last = len(tokens) - 1
    stride = max(1, context // 2)
    start, scored = 0, 0  # the window's first position, and the last token that is scored already
    while scored < last:
        end = min(start + context, last)
        yield Span(tokens=tokens[start : end + 1], scored_from=scored + 1 - start)
        start, scored = start + stride, end


def surprisal(model: LanguageModel, spans: Sequence[Span], *, task: Task | None = None) -> NDArray[np.float64]:
    """Return for every span the negative log-probability (nats) of its scored tokens, (spans,)."""
    nats = np.zeros(len(spans))
    for batch in batches(spans, limit=BATCH_TOKENS[model.head.device.type]):
        chosen = [spans[place] for place in batch]
        nats[batch] = batch_surprisal(model, chosen)
        if task is not None:
            task.advance(sum(len(span.tokens) - span.scored_from for span in chosen))
    return nats


def batches(spans: Sequence[Span], *, limit: int) -> Iterator[list[int]]:
    """Group the places of spans of like length, at most `limit` positions, the longest first: little is padded."""
    order = sorted(range(len(spans)), key=lambda place: (-spans[place].positions, place))
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) + 1) * spans[batch[0]].positions > limit:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


@torch.inference_mode()
def batch_surprisal(model: LanguageModel, spans: Sequence[Span]) -> NDArray[np.float64]:
    """Return the nats of one batch, (B,). Padding stands on the right, where causal attention never looks."""
    device = model.head.device
    tokens_BT, scored_BT = padded(spans, device=device)
    x_NC = model.hidden(tokens_BT[:, :-1])[scored_BT]
    nats_N = token_nats(model, x_NC, tokens_BT[:, 1:][scored_BT])
    row_N = torch.nonzero(scored_BT)[:, 0]
    nats_B = torch.zeros(len(spans), dtype=torch.float64, device=device)
    total: NDArray[np.float64] = nats_B.index_add_(0, row_N, nats_N.double()).cpu().numpy()
    return total


def padded(spans: Sequence[Span], *, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the tokens of one batch (B, T + 1), and which of its T positions predict a scored token (B, T)."""
    tokens_BT = torch.zeros(len(spans), max(span.positions for span in spans) + 1, dtype=torch.int64)
    scored_BT = torch.zeros(tokens_BT.shape, dtype=torch.bool)
    for row, span in enumerate(spans):
        tokens_BT[row, : len(span.tokens)] = torch.tensor(np.asarray(span.tokens, dtype=np.int64))
        scored_BT[row, span.scored_from : len(span.tokens)] = True
    return tokens_BT.to(device), scored_BT[:, 1:].to(device)


def token_nats(model: LanguageModel, x_NC: Tensor, target_N: Tensor) -> Tensor:
    """Return the negative log-probability of each target (N) in fp32; logits exist a chunk at a time."""
    rows = max(1, CHUNK_NUMBERS[x_NC.device.type] // model.config.vocab_size)
    nats_N = torch.empty(len(x_NC), dtype=torch.float32, device=x_NC.device)
    for start in range(0, len(x_NC), rows):
        part = slice(start, start + rows)
        logits_RV = model.logits(x_NC[part]).float()
        nats_N[part] = logits_RV.logsumexp(1) - logits_RV.gather(1, target_N[part, None]).squeeze(1)
    return nats_N
