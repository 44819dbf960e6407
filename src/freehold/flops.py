"""The one formula for training compute, over any object with a model's shape: without torch, and for whoever verifies.

6 FLOP a matrix parameter and token, forward and backward (Kaplan et al., arXiv:2001.08361, section 2.1), and the
products of attention over the positions that causal attention sees (PaLM, arXiv:2204.02311, appendix B, halved).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Shape(Protocol):
    """What of a transformer's shape counts; `model.config.ModelConfig` has it, and a recipe.json too."""

    @property
    def vocab_size(self) -> int:
        """Rows of the embedding table and of the head."""

    @property
    def width(self) -> int:
        """Of the stream."""

    @property
    def depth(self) -> int:
        """Number of layers."""

    @property
    def heads(self) -> int:
        """Of queries."""

    @property
    def kv_heads(self) -> int:
        """Of keys and values."""

    @property
    def head_size(self) -> int:
        """Of queries and keys."""

    @property
    def ffn_width(self) -> int:
        """Of dense feed-forwards."""

    @property
    def windows(self) -> Sequence[int]:
        """Positions that each layer sees, 0: all; empty: all layers see all."""

    @property
    def experts(self) -> Any:
        """`model.config.Experts`, or None."""

    @property
    def latent(self) -> Any:
        """`model.config.Latent`, or None."""


def flops_per_token(shape: Shape, sequence: int) -> int:
    """Training FLOP a token in windows of `sequence` tokens: 6 x matrices, and 6 x attention width x positions seen."""
    value_size = shape.latent.value_size if shape.latent else shape.head_size
    attention = shape.heads * (shape.head_size + value_size) // 2  # products with keys, and with values
    windows = shape.windows or (0,) * shape.depth
    return 6 * matrices(shape) + 6 * attention * sum(seen(sequence, window) for window in windows)


def foreign_flops_per_token(*, matrix_parameters: int, depth: int, width: int, sequence: int) -> int:
    """The same of a model whose matrices were only counted: as if attention were as wide as the stream."""
    return 6 * matrix_parameters + 6 * depth * sequence * width


def matrices(shape: Shape, *, active: bool = True) -> int:
    """Numbers of all matrices and the head, without the embedding table; of experts those a token uses if `active`."""
    dense, sparse = 3 * shape.width * shape.ffn_width, 0
    layers: frozenset[int] = frozenset()
    if shape.experts:
        used = shape.experts.chosen if active else shape.experts.count
        rows = used * shape.experts.width + shape.experts.shared_width
        sparse = shape.width * (3 * rows + shape.experts.count)  # the router scores every expert
        layers = frozenset(shape.experts.layers)
    feed_forward = sum(sparse if layer in layers else dense for layer in range(shape.depth))
    return feed_forward + shape.depth * attention_matrices(shape) + shape.vocab_size * shape.width


def attention_matrices(shape: Shape) -> int:
    """Numbers of the matrices of one layer's attention."""
    if shape.latent is None:
        return 2 * shape.width * shape.head_size * (shape.heads + shape.kv_heads)
    rank, made = shape.latent.query_rank, shape.heads * shape.head_size
    queries = shape.width * made if rank is None else rank * (shape.width + made)
    expanded = shape.heads * (shape.head_size - shape.latent.rotary_size + shape.latent.value_size)
    values = shape.width * (shape.latent.value_rank + shape.latent.rotary_size) + shape.latent.value_rank * expanded
    return int(queries + values + shape.heads * shape.latent.value_size * shape.width)


def seen(sequence: int, window: int) -> int:
    """Twice the positions that a position of a sequence sees on average (causal attention, half counted).

    >>> seen(512, 0), seen(512, 128)
    (512, 224)
    """
    return sequence if not 0 < window < sequence else 2 * window - window * window // sequence
