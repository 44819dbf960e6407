"""Where a step's time goes: every operation that the profiler saw, put into a row that a person understands.

An operation counts with its own time only, without that of the operations it called, so no moment counts twice and
all rows together are the time that was covered. What no operation covers (Python, allocation, dispatch) is the rest.

- Data and optimizer are ranges that the profile marks; inside the optimizer, products are Muon's.
- What runs inside the head's own autograd function is head, that function's own time included (a native kernel), and
  so is a product outside the layers when these are compiled. Its gradients are made in the forward pass.
- Native kernels have names of their own. Those of attention count causal products, half of the square.
- Batched products belong to attention, and so do the elementwise kernels between the first and the last of them in
  one compiled layer, forward or backward: softmax and its derivative. Uncompiled, attention's own function encloses
  them.
- Other products are the layers'; whether forward or backward is told by autograd, whose backward calls enclose them.
- What remains of the tensor operations is elementwise: norms, rotary positions, SwiGLU, residuals, copies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

DATA, OPTIMIZER, ORTHOGONAL = "sight::data", "sight::optimizer", "sight::orthogonal"  # ranges marked by the profile
COMPILED = "## Call CompiledFxGraph"  # one call of a compiled layer
BACKWARD = "autograd::engine::evaluate_function"
BATCHED = ("aten::bmm", "aten::baddbmm")
PRODUCTS = ("aten::mm", "aten::addmm", *BATCHED)
ATTENTION = (
    "freehold::attend",
    "_Products",
    "scaled_dot_product",
    "flash_attention",
    "flex_attention",
    "causal_attention",
)
HEAD = ("HeadLoss", "head_loss", "nll_loss", "log_softmax", "cross_entropy")
# In the names of what computes; the others only call.
KERNELS = ("aten::", "freehold::", "cpp_fused", "triton_", "HeadLoss", ORTHOGONAL)
CROSSED, HEAD_STEP = "freehold::crossed", "_HeadLoss"
ATTEND = {"freehold::attend": 2, "freehold::attend_back": 5}  # products of T x T x D

ROWS = (
    "data",
    "embedding",
    "norms, rotary, SwiGLU",
    "layers' products, forward",
    "layers' products, backward",
    "attention",
    "head and loss",
    "Muon's products",
    "optimizer updates",
    "rest",
)
READING, EMBEDDING, ELEMENTWISE, FORWARD, BACKWARDS, ATTENDING, HEADING, MUON, UPDATES, REST = ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One call of an operation: its own time, its operands, and what it was called from."""

    name: str
    shapes: tuple[tuple[int, ...], ...]
    start_us: float
    own_us: float
    callers: tuple[str, ...]  # from the innermost outwards
    layer: int | None  # number of the compiled call it is part of, from 1

    @property
    def flops(self) -> int:
        """Floating-point operations of a product; 0 for anything else.

        >>> Operation(name="aten::mm", shapes=((2, 3), (3, 4)), start_us=0, own_us=1, callers=(), layer=None).flops
        48
        """
        if self.name in ATTEND:
            B, H, T, D = self.shapes[0]
            return ATTEND[self.name] * B * H * T * T * D
        if self.name.startswith(ORTHOGONAL):  # each turn: x x', g g and g x
            N, R, C, turns = map(int, self.name.split()[1:])
            return turns * N * (4 * R * R * C + 2 * R**3)
        if self.name == HEAD_STEP:  # logits, and both gradients
            (N, C), (V, _) = self.shapes[:2]
            return 6 * N * C * V
        if self.name == CROSSED:
            (N, O), (_, I) = self.shapes[:2]  # noqa: E741
            return 2 * N * O * I
        if self.name not in PRODUCTS or HEAD_STEP in self.callers:
            return 0
        left, right = [shape for shape in self.shapes if len(shape) > 1][-2:]
        return 2 * math.prod(left) * right[-1]


@dataclass(slots=True, kw_only=True)
class Row:
    """What an entry of the table adds up to."""

    own_us: float = 0.0
    flops: int = 0


def operations(events: Iterable[Any], *, device: str = "cpu") -> list[Operation]:
    """The profiler's events in the order of time; on a GPU their time is that of the kernels they started."""
    found: list[Operation] = []
    layers: dict[int, int] = {}
    for event in sorted(events, key=lambda event: event.time_range.start):
        callers, layer, caller = [], None, event.cpu_parent
        while caller is not None:
            callers.append(caller.name)
            if caller.name.startswith(COMPILED) and layer is None:
                layer = layers.setdefault(caller.id, len(layers) + 1)
            caller = caller.cpu_parent
        kernels_us = sum(kernel.duration for kernel in event.kernels)
        found.append(
            Operation(
                name=event.name,
                shapes=shapes_of(event.input_shapes, event.name),
                start_us=event.time_range.start,
                own_us=event.self_cpu_time_total if device == "cpu" else kernels_us,
                callers=tuple(callers),
                layer=layer,
            )
        )
    return found


def shapes_of(shapes: Sequence[Sequence[int]] | None, name: str) -> tuple[tuple[int, ...], ...]:
    """Shapes of the operands; a product that writes into a given tensor names that one last, which is left out."""
    given = tuple(tuple(shape) for shape in shapes or ())
    count = 3 if name in ("aten::addmm", "aten::baddbmm") else 2
    return given[:count] if name in PRODUCTS else given


def attribute(found: Sequence[Operation], *, wall_us: float) -> dict[str, Row]:
    """Own time and FLOPs of every row; all rows together last `wall_us`."""
    table = {name: Row() for name in ROWS}
    spans = attention_spans(found)
    for operation in found:
        row = table[row_of(operation, spans=spans)]
        row.own_us += operation.own_us
        row.flops += operation.flops
    rest = table[REST]
    rest.own_us = wall_us - sum(row.own_us for row in table.values() if row is not rest)
    return table


def attention_spans(found: Sequence[Operation]) -> dict[int, tuple[float, float]]:
    """Compiled call → when its first batched product begins and its last one begins."""
    spans: dict[int, tuple[float, float]] = {}
    for operation in found:
        if operation.layer is not None and operation.name in BATCHED:
            first, _ = spans.get(operation.layer, (operation.start_us, 0.0))
            spans[operation.layer] = (first, operation.start_us)
    return spans


def row_of(operation: Operation, *, spans: dict[int, tuple[float, float]]) -> str:
    """The row an operation belongs to."""
    line = (operation.name, *operation.callers)
    product = operation.name in (*PRODUCTS, CROSSED) or operation.name.startswith(ORTHOGONAL)
    if DATA in line:
        return READING
    if not named((operation.name,), KERNELS):
        return REST
    if OPTIMIZER in operation.callers:
        return MUON if product else UPDATES
    if named(line, HEAD) or (operation.name == "aten::mm" and spans and operation.layer is None):
        return HEADING
    if named(line, ("embedding",)):
        return EMBEDDING
    if operation.name in BATCHED or named(line, ATTENTION):
        return ATTENDING
    if product:
        return BACKWARDS if any(name.startswith(BACKWARD) for name in operation.callers) else FORWARD
    first, last = spans.get(operation.layer or 0, (math.inf, -math.inf))
    return ATTENDING if first <= operation.start_us <= last else ELEMENTWISE


def named(line: Sequence[str], names: Sequence[str]) -> bool:
    """Whether an operation or one of its callers has one of the names in its own.

    >>> named(("aten::mul", "_ProductsBackward"), ("_Products",))
    True
    """
    return any(name in called for called in line for name in names)
