"""Utilisation: the share of the measured matrix rate that training turns into model FLOPs."""

from __future__ import annotations

import time

import torch

# Rows, columns and depth of products that reach the peak of one machine or another; the best of all counts.
PRODUCTS = ((1024, 1024, 1024), (4096, 1024, 384), (4096, 4096, 4096))
SECONDS = 0.3  # for each, at least one product


def matrix_rate(precision: str, *, device: str = "cpu") -> float:
    """FLOP/s of a matrix product in `precision` on this machine now, the best of shapes and repetitions."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    shapes = PRODUCTS if device == "cuda" else PRODUCTS[:-1]  # the last takes a CPU too long
    return max(_rate(*shape, dtype=dtype, device=device) for shape in shapes)


def _rate(rows: int, columns: int, depth: int, *, dtype: torch.dtype, device: str) -> float:
    left = torch.ones(rows, depth, dtype=dtype, device=device)
    right = torch.ones(depth, columns, dtype=dtype, device=device)
    best_s, begun = float("inf"), time.perf_counter()
    while best_s == float("inf") or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        _ = left @ right
        if device == "cuda":
            torch.cuda.synchronize()
        best_s = min(best_s, time.perf_counter() - start)
    return 2 * rows * columns * depth / best_s
