from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from freehold.stages.tokenize import vocabulary

CHAT = [
    {"role": "user", "content": "Was gilt?\n"},
    {"role": "assistant", "content": "§ 1"},
    {"role": "user", "content": [{"type": "text", "text": "Und "}, {"type": "text", "text": "sonst?"}]},
]
HARD = [
    "",
    "Die Würde des Menschen ist unantastbar.",
    "すべて国民は、法の下に平等であつて、\n\n　第十四条",
    "법 앞에 평등하다. 제1항\t① ２０２６년",
    "ไม่มีผู้ใดจะถูกทรมาน हिन्दी में क्षत्रिय",
    "  a\r\n\r\n b  's 'LL 1234567 €¬ \U0001f1e9\U0001f1ea\u200b",
    "<|bos|><|im_start|>user",
]


def test_two_trainings_give_the_same_bytes_in_any_order(law: list[dict[str, Any]]) -> None:
    texts = [row["text"] for row in law]
    once = vocabulary.learn(texts, size=600).to_str()
    assert vocabulary.learn(iter(reversed(texts)), size=600).to_str() == once


def test_too_little_text_gives_fewer_tokens() -> None:
    assert vocabulary.learn(["ab"], size=600).get_vocab_size() == vocabulary.SMALLEST


def test_special_tokens_come_first_and_bos_begins_a_text(tokenized: Path) -> None:
    tokenizer = Tokenizer.from_file(str(tokenized / "tokenizer.json"))
    assert [tokenizer.id_to_token(n) for n in range(len(vocabulary.SPECIAL))] == list(vocabulary.SPECIAL)
    assert tokenizer.encode("Satz").ids == [0, *tokenizer.encode("Satz", add_special_tokens=False).ids]


@pytest.mark.parametrize("text", HARD)
def test_every_text_comes_back_and_none_is_read_as_special(tokenized: Path, text: str) -> None:
    tokenizer = vocabulary.reader(tokenized / "tokenizer.json")
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    assert min(ids, default=99) >= len(vocabulary.SPECIAL)


@pytest.mark.parametrize("text", HARD)
def test_transformers_reads_the_folder_alike(tokenized: Path, text: str) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(tokenized))
    ours = Tokenizer.from_file(str(tokenized / "tokenizer.json"))
    assert theirs(text)["input_ids"] == ours.encode(text).ids
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == (0, 2, 3)
    assert set(vocabulary.SPECIAL) == set(theirs.all_special_tokens)


@pytest.mark.parametrize("prompted", [False, True])
def test_the_chat_template_renders_alike_in_transformers_and_plain_jinja(tokenized: Path, prompted: bool) -> None:
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(str(tokenized)).apply_chat_template(
        CHAT, tokenize=False, add_generation_prompt=prompted
    )
    template = jinja2.Template((tokenized / "chat_template.jinja").read_text())
    assert template.render(messages=CHAT, bos_token="<|bos|>", add_generation_prompt=prompted) == theirs
    turns = "user\nWas gilt?\n", "assistant\n§ 1", "user\nUnd sonst?"
    expected = "<|bos|>" + "".join(f"<|im_start|>{turn}<|im_end|>\n" for turn in turns)
    assert theirs == expected + ("<|im_start|>assistant\n" if prompted else "")


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("abÄß'´.,;:!?)/ \n\t\r01漢字のー。、」한글ก่ำहि́"), max_size=120), st.integers(8, 40))
def test_pieces_tokenize_to_what_the_whole_does(tokenized: Path, text: str, limit: int) -> None:
    parts = vocabulary.pieces(text, limit=limit)
    assert "".join(parts) == text
    assert all(len(part) <= limit for part in parts)
    tokenizer = vocabulary.reader(tokenized / "tokenizer.json")
    if all(part[-1].isalpha() and following[0] in " \n.,;:)。、」" for part, following in pairwise(parts)):
        encoded = [tokenizer.encode(part, add_special_tokens=False).ids for part in parts]
        assert list(chain(*encoded)) == tokenizer.encode(text, add_special_tokens=False).ids


def test_a_text_without_a_place_to_cut_is_cut_at_the_limit() -> None:
    assert vocabulary.pieces("7" * 25, limit=10) == ["7" * 10, "7" * 10, "7" * 5]
