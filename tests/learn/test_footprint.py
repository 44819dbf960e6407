from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from freehold.learn import footprint as footprints
from freehold.learn import memory
from freehold.learn.footprint import Footprint, chunk_rows, footprint
from freehold.model import head
from freehold.model.config import ModelConfig
from freehold.model.declared import declare

SCRIPT = Path(__file__).with_name("peak_here.py")
BELOW, ABOVE = 0.85, 1.6  # estimate : peak that we answer for
MEMINFO = "MemTotal:       8000 kB\nMemFree:  100 kB\nMemAvailable:    5000 kB\n"
GROUP = "/sys/fs/cgroup"


@pytest.mark.long
@pytest.mark.parametrize("shape", [(4, 4096, 4, 256, "fp32"), (6, 8192, 4, 512, "bf16"), (2, 32768, 2, 512, "bf16")])
def test_the_estimate_is_near_the_real_peak(shape: tuple[object, ...]) -> None:
    command = [sys.executable, str(SCRIPT), *(str(part) for part in shape)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert BELOW < found["estimate"] / found["grown"] < ABOVE, found


@given(st.integers(1, 20), st.integers(1, 64), st.sampled_from([128, 512, 2048]), st.sampled_from(["fp32", "bf16"]))
def test_more_of_anything_takes_more(depth: int, micro: int, sequence: int, precision: str) -> None:
    def total(depth: int, micro: int, sequence: int) -> int:
        config = ModelConfig.from_depth(depth, vocabulary=8192, context=sequence)
        return footprint(config, micro=micro, sequence=sequence, precision=precision).total

    least = total(depth, micro, sequence)
    assert least <= min(total(depth + 1, micro, sequence), total(depth, micro + 1, sequence))
    assert least <= total(depth, micro, sequence * 2) or sequence == 2048  # beyond, probabilities are not kept


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({}, None),
        ({"/proc/meminfo": MEMINFO}, 5000 * 1024),
        ({"/proc/meminfo": MEMINFO, f"{GROUP}/memory.max": "max\n"}, 5000 * 1024),
        (
            {
                "/proc/meminfo": MEMINFO,
                f"{GROUP}/memory.max": "3000000\n",
                f"{GROUP}/memory.current": "2000000\n",
                f"{GROUP}/memory.stat": "anon 5\ninactive_file 250000\n",
            },
            1_250_000,
        ),
        (
            {
                f"{GROUP}/memory/memory.limit_in_bytes": "900\n",
                f"{GROUP}/memory/memory.usage_in_bytes": "500\n",
            },
            400,
        ),
    ],
)
def test_what_is_left_is_the_least_of_machine_and_limits(files: dict[str, str], left: int | None) -> None:
    assert memory.left_of(files) == left


def test_this_machine_has_memory() -> None:
    left = memory.available()
    assert left is None or left > 50e6


def bf16(config: ModelConfig, **chosen: Any) -> Footprint:
    return footprint(config, precision="bf16", **{"micro": 4, "sequence": 512, "native": True, **chosen})


PLAIN = ModelConfig.from_depth(4, vocabulary=8192, context=512)


def probabilities(config: ModelConfig, *, layers: int, sequence: int = 512) -> int:
    return 4 * sequence * layers * 2 * config.heads * (sequence + 256) // 2


@pytest.mark.parametrize(
    ("config", "sequence", "layers"),
    [
        (PLAIN, 512, 0),
        (PLAIN, 500, 4),
        (replace(PLAIN, windows=(0, 0, 128, 512)), 512, 1),
        (ModelConfig.from_depth(4, vocabulary=8192, context=512, head_size=48), 512, 4),
        (declare(4, vocabulary=8192, context=512, family="deepseek_v3"), 512, 4),
    ],
)
def test_attention_that_the_kernels_cannot_do_keeps_its_probabilities(
    config: ModelConfig, sequence: int, layers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bf16(config, sequence=sequence).activations
    monkeypatch.setattr(footprints, "LONGEST_PRODUCT", 0)
    kept = whole - bf16(config, sequence=sequence).activations
    assert kept == probabilities(config, layers=layers, sequence=sequence)


def test_a_mask_of_documents_keeps_probabilities_and_a_bias_for_each_sequence() -> None:
    masked, plain = (bf16(PLAIN, masked=masked).activations for masked in (True, False))
    assert masked - plain == probabilities(PLAIN, layers=4) + 4 * 512 * 512 * 4


def test_a_vocabulary_that_the_kernels_cannot_take_has_its_logits() -> None:
    odd = replace(PLAIN, vocab_size=8200)
    assert bf16(odd).head - bf16(PLAIN).head > 2048 * 8200 * 2


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("vocabulary", [512, 32_768, 50_304, 151_936])
def test_chunks_are_those_of_the_head(vocabulary: int, device: str) -> None:
    assert chunk_rows(vocabulary, device=device) == head.chunk_rows(vocabulary, device=torch.device(device))
