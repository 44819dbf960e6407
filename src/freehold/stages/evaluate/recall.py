"""What a model gives back word for word.

Legend: B spans of a batch, T positions, N scored positions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from freehold.model.transformer import LanguageModel
from freehold.progress import Task
from freehold.stages.evaluate.surprisal import BATCH_TOKENS, CHUNK_NUMBERS, Span, batches, padded


def recalled(model: LanguageModel, spans: Sequence[Span], *, task: Task | None = None) -> NDArray[np.int64]:
    """Return of every span how many of its scored tokens the model continues with when it always takes the best (B,).

    Nothing has to be generated: as long as the best token is the true one, the model has read the true text when it
    chooses the next. So one pass over a span finds where a greedy continuation first departs from it.
    """
    found = np.zeros(len(spans), dtype=np.int64)
    for batch in batches(spans, limit=BATCH_TOKENS[model.head.device.type]):
        chosen = [spans[place] for place in batch]
        found[batch] = batch_recalled(model, chosen)
        if task is not None:
            task.advance(sum(len(span.tokens) - span.scored_from for span in chosen))
    return found


@torch.inference_mode()
def batch_recalled(model: LanguageModel, spans: Sequence[Span]) -> NDArray[np.int64]:
    """Return how many tokens of each span of one batch are given back from its first scored one on (B,)."""
    tokens_BT, scored_BT = padded(spans, device=model.head.device)
    x_NC = model.hidden(tokens_BT[:, :-1])[scored_BT]
    rows = max(1, CHUNK_NUMBERS[x_NC.device.type] // model.config.vocab_size)
    best_N = torch.cat([model.logits(part).argmax(1) for part in torch.split(x_NC, rows)])
    missed_BT = torch.zeros_like(scored_BT)
    missed_BT[scored_BT] = best_N != tokens_BT[:, 1:][scored_BT]
    held_BT = scored_BT & (missed_BT.cumsum(1) == 0)
    found: NDArray[np.int64] = held_BT.sum(1).cpu().numpy()
    return found
