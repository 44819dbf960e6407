"""New tokens for an open model's tokenizer: reachable, exact, and none of the old ones touched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteFallback, Fuse, Replace, Strip
from tokenizers.decoders import Sequence as Steps
from tokenizers.models import BPE, Unigram
from tokenizers.normalizers import Prepend
from tokenizers.normalizers import Replace as Swap
from tokenizers.normalizers import Sequence as Normal
from tokenizers.pre_tokenizers import Metaspace

from freehold.errors import InputError
from freehold.progress import Progress
from freehold.stages.tokenize.extension import Extension, extend
from tiny_model import TEXTS, tiny_tokenizer

POLISH = (
    "Rzeczpospolita Polska jest dobrem wspólnym wszystkich obywateli. Rzeczpospolita Polska jest demokratycznym "
    "państwem prawnym, urzeczywistniającym zasady sprawiedliwości społecznej.",
    "Władza zwierzchnia w Rzeczypospolitej Polskiej należy do Narodu. Naród sprawuje władzę przez przedstawicieli.",
    "대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있고, 대한민국의 국민은 법률로 정한다.",
)


def byte_level() -> dict[str, Any]:
    """A tokenizer as ours are, whose control tokens stand in no vocabulary: as in Qwen's and Llama 3's files."""
    found = json.loads(tiny_tokenizer().to_str())
    size = len(found["model"]["vocab"])
    for place, token in enumerate(found["added_tokens"]):  # to the end, behind a hole of no tokens
        del found["model"]["vocab"][token["content"]]
        token["id"] = size - len(found["added_tokens"]) + place
    numbers = sorted(found["model"]["vocab"], key=found["model"]["vocab"].get)
    found["model"]["vocab"] = {token: number for number, token in enumerate(numbers)}
    found["post_processor"] = None
    return found


def sentence_piece(*, split: bool) -> dict[str, Any]:
    """Llama 2's kind: words begin with a blank, bytes for what has no token; split by words, or not at all."""
    letters = sorted({letter for text in TEXTS[:1] for letter in text.replace(" ", "▁")} | {"▁"})
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *letters, "en", "er", "▁d", "▁▁"]
    merges = [("e", "n"), ("e", "r"), ("▁", "d"), ("▁", "▁")]
    model = BPE({word: n for n, word in enumerate(words)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = Tokenizer(model)
    if split:
        tokenizer.pre_tokenizer = Metaspace(prepend_scheme="always")
    else:
        tokenizer.normalizer = Normal([Prepend("▁"), Swap(" ", "▁")])
    tokenizer.decoder = Steps([Replace("▁", " "), ByteFallback(), Fuse(), Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in words[:3]])
    found: dict[str, Any] = json.loads(tokenizer.to_str())
    return found


def extended(described: dict[str, Any], *, count: int = 40, texts: tuple[str, ...] = POLISH * 3) -> Extension:
    with Progress(quiet=True).task("new tokens", total=count) as task:
        return extend(described, texts, count=count, task=task, where="tokenizer.json")


KINDS = {
    "byte-level": byte_level(),
    "words": sentence_piece(split=True),
    "whole texts": sentence_piece(split=False),
}


@pytest.mark.parametrize("kind", KINDS)
def test_texts_take_fewer_tokens_and_come_back_whole(kind: str) -> None:
    base, found = Tokenizer.from_str(json.dumps(KINDS[kind])), extended(KINDS[kind])
    grown = Tokenizer.from_str(found.tokenizer.decode())
    unseen = "Narodu sprawiedliwości 대한민국의  법률 jest 🙂 dobrem\n\tπ"
    for text in (*POLISH, unseen, TEXTS[1]):
        before, after = base.encode(text, add_special_tokens=False), grown.encode(text, add_special_tokens=False)
        assert grown.decode(after.ids) == base.decode(before.ids) == text
        assert len(after.ids) <= len(before.ids)
    whole = [sum(len(one.encode(text).ids) for text in POLISH) for one in (base, grown)]
    assert whole[1] < 0.75 * whole[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_new_token_is_reached_and_stands_for_its_pieces(kind: str) -> None:
    base, found = Tokenizer.from_str(json.dumps(KINDS[kind])), extended(KINDS[kind], count=25)
    grown = Tokenizer.from_str(found.tokenizer.decode())
    first = max(base.get_vocab(with_added_tokens=True).values()) + 1
    assert list(found.pieces) == list(range(first, first + 25))
    spelled = {number: text for text, number in grown.get_vocab().items()}
    for number, pieces in found.pieces.items():
        assert pieces == [piece.id for piece in base.model.tokenize(spelled[number])]
        assert max(pieces) < first and len(pieces) > 1
    parts = {part for _, part in json.loads(found.tokenizer)["model"]["merges"]}
    inner = parts | {part for part, _ in json.loads(found.tokenizer)["model"]["merges"]}
    used = {number for text in POLISH for number in grown.encode(text).ids}
    assert all(number in used or spelled[number] in inner for number in found.pieces)


@pytest.mark.parametrize("kind", KINDS)
def test_old_tokens_keep_their_numbers_and_special_ones_their_place(kind: str) -> None:
    base, found = Tokenizer.from_str(json.dumps(KINDS[kind])), extended(KINDS[kind])
    grown = Tokenizer.from_str(found.tokenizer.decode())
    before, after = base.get_vocab(with_added_tokens=True), grown.get_vocab(with_added_tokens=True)
    assert before.items() <= after.items()
    assert [t["id"] for t in KINDS[kind]["added_tokens"]] == sorted(grown.get_added_tokens_decoder())
    special = KINDS[kind]["added_tokens"][1]
    assert grown.encode(special["content"], add_special_tokens=False).ids == [special["id"]]
    grown.encode_special_tokens = True
    assert special["id"] not in grown.encode(f"a {special['content']} b", add_special_tokens=False).ids


def test_characters_that_were_spelled_as_bytes_become_tokens() -> None:
    found = extended(sentence_piece(split=True), count=12)
    grown = Tokenizer.from_str(found.tokenizer.decode())
    number = grown.token_to_id("민")
    assert number in found.pieces and len(found.pieces[number]) == 3
    assert not any("<0x" in one for pair in json.loads(found.tokenizer)["model"]["merges"] for one in pair)


def test_the_same_texts_in_another_order_give_the_same_bytes() -> None:
    assert extended(byte_level()) == extended(byte_level(), texts=tuple(reversed(POLISH * 3)))


def test_a_text_that_holds_too_few_pairs_gives_fewer_tokens() -> None:
    assert len(extended(byte_level(), count=5000, texts=("aa bb",) * 4).pieces) < 10


def test_a_vocabulary_of_another_kind_is_refused() -> None:
    described = json.loads(Tokenizer(Unigram([("a", -1.0), ("<unk>", -2.0)], unk_id=1)).to_str())
    with pytest.raises(InputError, match="of kind Unigram cannot be extended; set"):
        extended(described)
    with pytest.raises(InputError, match="neither byte-level BPE nor"):
        extended({**byte_level(), "decoder": None})
