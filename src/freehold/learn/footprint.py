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
CHUNK_ROWS, CHUNK_NUMBERS = 2048, 2**26  # of the head on a CPU; these and the next are those of `model/head.py`
GPU_CHUNK_NUMBERS, GPU_ROW_TILE = 2**28, 256
LONGEST_PRODUCT = 2048  # tokens up to which a CPU keeps attention's probabilities, see `model/attention.py`
SIDE = 32  # native kernels take sizes that are multiples of it, see `model/native`
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
    config: ModelConfig,
    *,
    micro: int,
    sequence: int,
    precision: str,
    device: str = "cpu",
    native: bool = False,
    masked: bool = False,
) -> Footprint:
    """What training takes on `device`, with `micro` sequences of `sequence` tokens at once; a process's own apart.

    `native` kernels (`model/native`, in bf16 alone) keep less: neither probabilities, wide norms nor logits, each
    where the sizes suit them. `masked` attention stays within documents, which they cannot do.
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
        activations=tokens
        * (
            _activations(config, narrow=narrow, native=native)
            + _attention(config, sequence=sequence, narrow=narrow, device=device, native=native, masked=masked)
        ),
        head=_head(config, tokens=tokens, narrow=narrow, device=device, native=native),
        update=_update(config, narrow=narrow),
        shipping=2 * WIDE * numbers,
    )


def coarse(config: ForeignConfig) -> int:
    """Bytes of weights, masters, moments and gradients where the layers are not ours; activations come on top."""
    return config.parameters * (4 * WIDE + 2)


def chunk_rows(vocabulary: int, *, device: str) -> int:
    """Rows whose logits exist at once, as `model/head.py` has it.

    >>> chunk_rows(32_768, device="cpu"), chunk_rows(50_304, device="cuda")
    (2048, 5120)
    """
    if device == "cpu":
        return min(CHUNK_ROWS, max(64, CHUNK_NUMBERS // vocabulary))
    return max(1, GPU_CHUNK_NUMBERS // vocabulary // GPU_ROW_TILE) * GPU_ROW_TILE


def _activations(config: ModelConfig, *, narrow: int, native: bool) -> int:
    """Bytes a token that the backward pass needs of all layers, but for attention's meeting of positions."""
    queries, keys = config.heads * config.head_size, config.kv_heads * config.head_size
    norm = narrow + WIDE + (WIDE if narrow < WIDE else 0)  # a norm keeps its input and the scaled one wide
    of_stream = 2 * narrow if native and _suits(config.width) else norm
    of_heads = 2 * narrow if native and _suits(config.head_size) and not config.latent else norm
    normed = 2 * of_stream * config.width + of_heads * (queries + keys)
    layer = normed + narrow * (4 * queries + 3 * keys + 4 * _inner(config) + config.width)
    return config.depth * layer + (narrow + WIDE) * config.width


def _attention(config: ModelConfig, *, sequence: int, narrow: int, device: str, native: bool, masked: bool) -> int:
    """Bytes a token that the meeting of positions keeps in all layers: on a CPU, probabilities and what hides keys."""
    if device != "cpu":
        return 0
    windows = [config.window(layer) for layer in range(config.depth)]
    hidden = [masked or 0 < window < sequence for window in windows]  # layers that need a bias, and so no kernel
    suited = native and config.latent is None and _suits(sequence, config.head_size)
    if sequence > LONGEST_PRODUCT:
        kept = narrow * sum(hidden) * sequence if masked and narrow < WIDE else 0  # the bias, narrow, in each layer
    else:
        multiplied = sum(hides or not suited for hides in hidden)
        kept = multiplied * narrow * config.heads * (sequence + 256) // 2  # causal, in blocks of 256
    return kept + (len(set(windows)) * WIDE * sequence if masked else 0)  # a bias of its own for each sequence


def _head(config: ModelConfig, *, tokens: int, narrow: int, device: str, native: bool) -> int:
    rows = min(tokens, chunk_rows(config.vocab_size, device=device))
    number = narrow + (2 if narrow == WIDE else 3) * WIDE  # of a logit: itself, wide, less the top one, raised
    table = config.vocab_size * config.width
    logits = 0 if native and _suits(tokens, config.width, config.vocab_size) else number * rows * config.vocab_size
    return logits + (2 * WIDE + narrow) * table + narrow * tokens * config.width


def _suits(*sizes: int) -> bool:
    """Whether native kernels take these sizes."""
    return all(size % SIDE == 0 for size in sizes)


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
