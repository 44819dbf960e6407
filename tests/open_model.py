"""An open model as others publish them, tiny: Llama's shape, bf16, a licence in its card, no chat template."""

from __future__ import annotations

import json
from pathlib import Path

from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer
from freehold.stages.tokenize import vocabulary
from tiny_model import tiny_tokenizer

HEAD = "---\nlicense: apache-2.0\n---\n# A tiny open model\n"
TABLE = '[base]\npath = "llama"\nnew_tokens = 150\nfreeze = ["blocks:0", "norms"]\n'


def write_llama(folder: Path) -> Path:
    """A folder as Llama's are: its own family, bf16, no chat template, a table with more rows than tokens."""
    tokenizer = tiny_tokenizer()
    config = ModelConfig(
        family="llama",
        qk_norm=None,
        vocab_size=tokenizer.get_vocab_size() + 30,
        width=32,
        depth=2,
        heads=4,
        kv_heads=2,
        head_size=8,
        ffn_width=64,
        context=128,
        bos_id=0,
        eos_id=2,
    )
    model = Transformer(config)
    initialise(model, seed=7, embedding_scale=0.02)
    hf.save_folder(folder, config=config, weights=model.state_dict(), dtype="bfloat16")
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = json.loads(vocabulary.settings()) | {"pad_token": None}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "README.md").write_text(HEAD, encoding="utf-8")
    return folder


def without_shape(charter: str) -> str:
    """A charter that leaves shape and vocabulary to a base, and allows its licence."""
    charter = charter.replace("[model]\ndepth = 1\n", "").replace("vocabulary = 700\n", "")
    return charter.replace('licences = ["public-domain-law"]', 'licences = ["public-domain-law", "Apache-2.0"]')
