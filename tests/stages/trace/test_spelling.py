from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from freehold.index.spelling import Spelling, whole_characters


def test_tokens_spell_what_they_were_read_from(tokenized: Path) -> None:
    tokenizer = Tokenizer.from_file(str(tokenized / "tokenizer.json"))
    text = "Die Würde, 法の下 \U0001f1e9\n\n한글"
    assert Spelling(tokenizer).spell(tokenizer.encode(text).ids) == text.encode(), "the BOS says nothing"


@given(st.text(st.sampled_from("aé漢\U0001f1e9"), max_size=8), st.integers(0, 40), st.integers(0, 40))
def test_whole_characters_is_the_largest_decodable_range(text: str, a: int, b: int) -> None:
    data = text.encode()[min(a, b) : max(a, b)]
    begin, end = whole_characters(data)
    data[begin:end].decode()
    assert begin < 4
    assert len(data) - end < 4
    assert all(data[i] & 0xC0 == 0x80 for i in range(begin))
    if end < len(data):
        assert data[end] >= 0xC0, "what is left is a character that was cut"
