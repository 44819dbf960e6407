"""A model and a tokenizer so small that a test can make its own; weights are random, everything else is real."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer

from freehold.model.config import ModelConfig
from freehold.model.hf import save_folder
from freehold.model.transformer import Transformer
from freehold.stages.tokenize import vocabulary

TEXTS = (
    "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller staatlichen Gewalt.",
    "天皇は、日本国の象徴であり日本国民統合の象徴であつて、この地位は、主権の存する日本国民の総意に基く。",
    "대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있고, 모든 권력은 국민으로부터 나온다.",
    "La France est une République indivisible, laïque, démocratique et sociale.",
)


def tiny_tokenizer() -> Tokenizer:
    """Byte-level BPE as our tokenize stage makes it."""
    return vocabulary.learn(TEXTS * 3, size=320)


def tiny_model(*, vocabulary_size: int, context: int = 128, seed: int = 0) -> Transformer:
    """Two layers with random weights, in fp32."""
    numbers = vocabulary.token_ids()
    config = ModelConfig(
        vocab_size=vocabulary_size,
        width=32,
        depth=2,
        heads=4,
        kv_heads=2,
        head_size=8,
        ffn_width=64,
        context=context,
        bos_id=numbers[vocabulary.BOS],
        eos_id=numbers[vocabulary.TURN_END],
        pad_id=numbers[vocabulary.PAD],
    )
    model = Transformer(config).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * 0.3 if weight.dim() == 2 else 1.0)
    return model


def tiny_folder(folder: Path, *, context: int = 128) -> Path:
    """A Hugging Face folder with weights, tokenizer and chat template."""
    tokenizer = tiny_tokenizer()
    model = tiny_model(vocabulary_size=tokenizer.get_vocab_size(), context=context)
    save_folder(folder, config=model.config, weights=model.state_dict())
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_bytes(vocabulary.settings())
    (folder / "chat_template.jinja").write_text(vocabulary.CHAT_TEMPLATE, encoding="utf-8")
    return folder
