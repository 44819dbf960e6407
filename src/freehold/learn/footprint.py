"""The footprint: how much memory a run will take, from its numbers alone. Pure, without torch.

Counted as autograd keeps it where nothing is compiled, so that a compiled run stays below. Legend as in
`model/transformer.py`; "wide" is fp32.
"""

from __future__ import annotations

from dataclasses import dataclass

from freehold.model.config import ForeignConfig, ModelConfig

AT_ONCE = 8192  # tokens that pass through the model together on a CPU
WIDE = 4  # bytes of an fp32 number
NARROW = {"fp32": 4, "bf16": 2, "fp8": 2}  # bytes of a number in the stream
CHUNK_ROWS, CHUNK_NUMBERS = 2048, 2**26  # of the head, see `model/head.py`
LONGEST_PRODUCT = 2048  # tokens up to which a CPU keeps attention's probabilities, see `model/attention.py`
# Freed blocks that the allocator cannot use again at once, and what the libraries take when first used (eager steps of
# 5 to 16 M parameters in fp32 and bf16, glibc as `memory.keep` sets it: estimates of 0.93 to 1.46 times the peak).
SLACK, LIBRARIES = 1.3, 96 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """Bytes of each kind. What is made for one part of a step is gone in the next, so the largest of them counts."""

    weights: int  # in the type of the stream, the embedding table wide
    masters: int
    moments: int
    gradients: int
    activations: int  # of the sequences that pass through the model at once
    head: int  # a chunk of logits, and the head's gradient while it is summed
    update: int  # what the optimizer needs for its largest stack of matrices
    shipping: int  # the weights as a file, for the digest in the chain

    @property
    def total(self) -> int:
        """At the highest point of a step."""
        kept = self.weights + self.masters + self.moments
        learning = self.gradients + max(self.activations + self.head, self.update)
        return round(SLACK * (kept + max(learning, self.shipping))) + LIBRARIES


def footprint(
    config: ModelConfig, *, micro: int, sequence: int, precision: str, device: str = "cpu", native: bool = False
) -> Footprint:
    """What training takes on `device`, with `micro` sequences of `sequence` tokens at once; a process's own apart.

    `native` kernels (`model/native`, in bf16 alone) keep less: neither probabilities, wide norms nor logits.
    """
    native = native and precision == "bf16" and device == "cpu"
    narrow = NARROW[precision]
    table = config.vocab_size * config.width
    numbers = config.parameters
    tables = table if config.tied else 2 * table
    hidden = numbers - tables
    weights = narrow * (hidden + tables - table) + WIDE * table
    tokens = micro * sequence
    return Footprint(
        weights=weights,
        masters=WIDE * numbers,
        moments=WIDE * (hidden + 2 * tables),
        gradients=weights,
        activations=tokens * _activations(config, sequence=sequence, narrow=narrow, device=device, native=native),
        head=_head(config, tokens=tokens, narrow=narrow, native=native),
        update=_update(config, narrow=narrow),
        shipping=2 * WIDE * numbers,
    )


def coarse(config: ForeignConfig) -> int:
    """Bytes of weights, masters, moments and gradients where the layers are not ours; activations come on top."""
    return config.parameters * (4 * WIDE + 2)


def _activations(config: ModelConfig, *, sequence: int, narrow: int, device: str, native: bool) -> int:
    """Bytes a token that the backward pass needs, of all layers."""
    queries, keys = config.heads * config.head_size, config.kv_heads * config.head_size
    norm = narrow + WIDE + (WIDE if narrow < WIDE else 0)  # a norm keeps its input and the scaled one wide
    norm = 2 * narrow if native else norm
    normed = 2 * config.width + queries + keys
    attention = narrow * (4 * queries + 3 * keys)
    multiplied = device == "cpu" and sequence <= LONGEST_PRODUCT and not native
    probabilities = narrow * config.heads * (sequence + 256) // 2 if multiplied else 0  # causal, in blocks of 256
    layer = norm * normed + attention + probabilities + narrow * (4 * _inner(config) + config.width)
    return config.depth * layer + (narrow + WIDE) * config.width


def _head(config: ModelConfig, *, tokens: int, narrow: int, native: bool) -> int:
    rows = min(tokens, CHUNK_ROWS, max(64, CHUNK_NUMBERS // config.vocab_size))
    number = narrow + (2 if narrow == WIDE else 3) * WIDE  # of a logit: itself, wide, less the top one, raised
    table = config.vocab_size * config.width
    logits = 0 if native else number * rows * config.vocab_size
    return logits + (2 * WIDE + narrow) * table + narrow * tokens * config.width


def _update(config: ModelConfig, *, narrow: int) -> int:
    """Stacks hold the matrices of one shape of all layers; the table's moments need a wide copy of its gradient."""
    inner = 2 * (config.experts.count * config.experts.width if config.experts else config.ffn_width)
    stack = config.depth * config.width * max(inner, 2 * config.heads * config.head_size)
    return max((4 * narrow + 4 * WIDE) * stack, 4 * WIDE * config.vocab_size * config.width)


def _inner(config: ModelConfig) -> int:
    """Numbers inside the feed-forward of a layer that a token passes through, the wider kind of layer."""
    if config.experts is None:
        return config.ffn_width
    return max(config.ffn_width, config.experts.chosen * config.experts.width + config.experts.shared_width)
