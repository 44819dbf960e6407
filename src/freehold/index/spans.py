"""The parts of a query that stand verbatim in some suffix array and cannot grow to either side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from freehold.index.matching import Ints, Matcher

BLOCK = 512  # begins looked up together
LONG = 512  # tokens; a longer match is measured by itself, so that a block's cost stays bounded
PROBES = 16  # begins tried together behind a long match


def maximal_spans(matcher: Matcher, tokens: int, *, min_tokens: int) -> Iterator[tuple[int, int]]:
    """Spans query[start:end] of at least `min_tokens` (1 or more) tokens, in reading order; `tokens` of the query.

    From every begin the longest match is looked up. A span is maximal where it ends behind the one that begins a
    token earlier. From within a long match the search goes on at the first begin that reaches beyond it.
    """
    most = max(LONG, min_tokens)
    start, reached = 0, 0  # where the next block begins, and the end of the match before it
    while start + min_tokens <= tokens:
        begins = np.arange(start, min(start + BLOCK, tokens - min_tokens + 1))
        lengths = matcher.longest(begins, np.minimum(tokens - begins, most))
        long = np.flatnonzero((lengths == most) & (begins + most < tokens))
        count = int(long[0]) if len(long) else len(begins)
        ends = begins + lengths
        grows = ends[:count] > np.concatenate([[reached], ends[:count]])[:count]
        for place in np.flatnonzero(grows & (lengths[:count] >= min_tokens)).tolist():
            yield int(begins[place]), int(ends[place])
        reached = int(ends[count - 1]) if count else reached
        start += count
        if len(long):
            rest = np.array([start])
            reached = start + int(matcher.longest(rest, tokens - rest)[0])
            yield start, reached
            start = next_start(matcher, start=start, end=reached + 1) if reached < tokens else tokens


def next_start(matcher: Matcher, *, start: int, end: int) -> int:
    """The smallest begin > start such that query[begin:end] stands somewhere; `end` if not even its last token.

    Lengths from the end are doubled until one stands nowhere, then the begins between are narrowed down.
    """
    low, high, length = start + 1, end, 1
    while end - length > start and stands(matcher, np.array([end - length]), end)[0]:
        high, length = end - length, 2 * length
    low = max(low, end - length + 1)
    while low < high:
        begins = np.unique(np.linspace(low, high - 1, PROBES).astype(np.int64))
        first = int(np.searchsorted(stands(matcher, begins, end), True))
        if first < len(begins):
            high = int(begins[first])
        if first:
            low = int(begins[first - 1]) + 1
    return low


def stands(matcher: Matcher, begins: Ints, end: int) -> NDArray[np.bool_]:
    """Whether each query[begin:end] stands somewhere; from the first that does, all later ones do."""
    found: NDArray[np.bool_] = matcher.longest(begins, end - begins) == end - begins
    return found
