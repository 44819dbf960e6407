"""Utilisation: the share of a machine's peak matrix rate that training turns into model FLOPs.

The peak of a GPU is its datasheet's dense bf16 figure, as everyone who publishes utilisations takes it; the peak of
a CPU, whose datasheet has none, is measured.
"""

from __future__ import annotations

import time

import torch

# Rows, columns and depth of products that reach the peak of one CPU or another; the best of all counts.
PRODUCTS = ((1024, 1024, 1024), (4096, 1024, 384))
SECONDS = 0.3  # for each, at least one product
GPU_SIZE, GPU_PRODUCTS = 8192, 10  # rows and columns of a product on a GPU, and how many are timed

# Dense bf16 FLOP/s by datasheet; the first name that is part of torch's counts.
DATASHEET = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "GH200": 989e12,
    "GB200": 2500e12,
    "B200": 2250e12,
    "A100": 312e12,
}


def peak(precision: str, *, device: str = "cpu") -> float:
    """FLOP/s that utilisation is a share of: the datasheet's if the device is a GPU we know, else measured."""
    if device == "cuda":
        name = torch.cuda.get_device_name()
        known = next((rate for part, rate in DATASHEET.items() if part in name), None)
        if known is not None:
            return known
    return matrix_rate(precision, device=device)


def matrix_rate(precision: str, *, device: str = "cpu") -> float:
    """FLOP/s of a matrix product in `precision` (fp8 counts as bf16) on this machine now, the best of shapes."""
    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    if device == "cuda":
        return _rate_of_gpu(dtype)
    return max(_rate(*shape, dtype=dtype) for shape in PRODUCTS)


def _rate(rows: int, columns: int, depth: int, *, dtype: torch.dtype) -> float:
    """The fastest of as many products as fit `SECONDS`."""
    left, right = torch.ones(rows, depth, dtype=dtype), torch.ones(depth, columns, dtype=dtype)
    best_s, begun = float("inf"), time.perf_counter()
    while best_s == float("inf") or time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        _ = left @ right
        best_s = min(best_s, time.perf_counter() - start)
    return 2 * rows * columns * depth / best_s


def _rate_of_gpu(dtype: torch.dtype) -> float:
    """The mean of products queued without a pause; random numbers, since zeros draw less power and run faster."""
    left, right = (torch.randn(GPU_SIZE, GPU_SIZE, dtype=dtype, device="cuda") for _ in range(2))
    begun, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for _ in range(3):
        _ = left @ right
    begun.record()
    for _ in range(GPU_PRODUCTS):
        _ = left @ right
    ended.record()
    ended.synchronize()
    took_s = float(begun.elapsed_time(ended)) / 1000
    return 2 * GPU_SIZE**3 * GPU_PRODUCTS / took_s
