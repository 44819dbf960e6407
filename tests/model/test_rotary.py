from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from freehold.model.config import Scaling
from freehold.model.rotary import attention_factor, frequencies, score_factor

CPU = torch.device("cpu")
# As DeepSeek-V3, Llama 3.1 and Qwen3's model cards publish them.
PUBLISHED: dict[str, tuple[int, float, dict[str, Any]]] = {
    "deepseek": (
        64,
        10_000.0,
        {
            "rope_type": "yarn",
            "factor": 40.0,
            "original_max_position_embeddings": 4096,
            "mscale": 1.0,
            "mscale_all_dim": 1.0,
        },
    ),
    "llama": (
        128,
        500_000.0,
        {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
    ),
    "qwen": (128, 1_000_000.0, {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768}),
    "linear": (128, 10_000.0, {"rope_type": "linear", "factor": 2.0}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_angles_are_those_of_transformers(name: str) -> None:
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    size, theta, told = PUBLISHED[name]
    config = SimpleNamespace(
        head_dim=size,
        hidden_size=size,
        num_attention_heads=1,
        max_position_embeddings=131_072,
        rope_parameters={**told, "rope_theta": theta},
        standardize_rope_params=lambda: None,
    )
    expected, factor = ROPE_INIT_FUNCTIONS[told["rope_type"]](config, CPU)
    scaling = Scaling(**told)
    torch.testing.assert_close(frequencies(scaling, size=size, theta=theta, device=CPU), expected, rtol=1e-5, atol=0)
    assert attention_factor(scaling) == pytest.approx(factor)


def test_deepseek_sharpens_scores_and_others_do_not() -> None:
    assert score_factor(Scaling(**PUBLISHED["deepseek"][2])) == pytest.approx((0.1 * 3.6888794541 + 1) ** 2)
    assert score_factor(Scaling(**PUBLISHED["qwen"][2])) == score_factor(None) == 1.0
