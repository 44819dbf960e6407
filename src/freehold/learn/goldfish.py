"""Goldfish: one token in k is never predicted, and always the same one in the same passage.

A passage that comes back, in another window or another pass, has the same gap, so it cannot be learned by heart
(Hans et al., arXiv:2406.10209, section 3). Which token is left out is a hash of the tokens before it in its document,
wherever the window begins: were the window's own first tokens always predicted, windows that begin elsewhere in each
pass would fill the gaps one by one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CONTEXT = 13  # tokens hashed, as in the paper

Read = Callable[[int, int, int], NDArray[np.int64]]  # document row, offset, tokens


def gaps(read: Read, piece: tuple[int, int, int], *, every: int) -> NDArray[np.bool_]:
    """Which tokens of a piece (document row, offset, tokens) are not to be predicted (S).

    The first 13 of a document are always predicted.
    """
    row, offset, length = piece
    before = min(offset, CONTEXT)
    tokens_BS = read(row, offset - before, before + length)[None]
    found: NDArray[np.bool_] = forgotten(tokens_BS, every=every)[0, before:]
    return found


def forgotten(tokens_BS: NDArray[np.int64], *, every: int) -> NDArray[np.bool_]:
    """Which tokens of each row are not to be predicted (B, S): one in `every`, by a hash of the 13 before it.

    The first 13 of a row lack that context and are always predicted.

    >>> forgotten(np.arange(200).reshape(1, 200) % 17, every=1)[0, 12:15].tolist()
    [False, True, True]
    """
    width = tokens_BS.shape[1] - CONTEXT
    gaps_BS = np.zeros(tokens_BS.shape, dtype=np.bool_)
    if width <= 0:
        return gaps_BS
    unsigned_BS = tokens_BS.astype(np.uint64)
    mixed_BS = np.zeros((len(tokens_BS), width), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for back in range(CONTEXT):
            mixed_BS = (mixed_BS ^ unsigned_BS[:, back : back + width]) * np.uint64(0x9E3779B97F4A7C15)
            mixed_BS ^= mixed_BS >> np.uint64(29)
    gaps_BS[:, CONTEXT:] = mixed_BS % np.uint64(every) == 0
    return gaps_BS
