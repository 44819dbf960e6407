from __future__ import annotations

from pathlib import Path

import pytest
import torch
from published import VARIANTS, published, some_tokens

from freehold.model import hf
from freehold.model.slots import Rereading, slots_of

GROWN = 12  # tokens, beyond every window


@pytest.mark.parametrize("name", VARIANTS)
def test_answers_grow_as_the_whole_text_would(name: str, tmp_path: Path) -> None:
    theirs = published(name, tmp_path)
    cache = slots_of(hf.load_folder(tmp_path), slots=3)
    texts = [some_tokens(rows=1, length=length)[0].tolist() for length in (11, 5)]
    slots = [2, 0]
    logits = torch.stack([cache.prefill(slot, text) for slot, text in zip(slots, texts, strict=True)])
    for _ in range(GROWN):
        lengths = [len(text) for text in texts]
        for text, row in zip(texts, logits, strict=True):
            with torch.no_grad():
                expected = theirs(torch.tensor([text])).logits[0, -1]
            torch.testing.assert_close(row, expected, atol=1e-4, rtol=0)
            text.append(int(row.argmax()))
        logits = cache.decode(slots, [text[-1] for text in texts], lengths, rows=3)


def test_a_foreign_model_reads_its_answer_anew(tmp_path: Path) -> None:
    import transformers

    config = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=99, n_positions=64)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    theirs.save_pretrained(tmp_path)
    cache = slots_of(hf.load_folder(tmp_path), slots=2)
    assert isinstance(cache, Rereading)
    text = [1, 5, 9]
    logits_V = cache.prefill(1, text)
    for _ in range(4):
        with torch.no_grad():
            torch.testing.assert_close(logits_V, theirs(torch.tensor([text])).logits[0, -1], atol=1e-5, rtol=0)
        text.append(int(logits_V.argmax()))
        logits_V = cache.decode([1], text[-1:], [len(text) - 1], rows=2)[0]
