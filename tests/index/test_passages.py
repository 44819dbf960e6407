from hypothesis import given
from hypothesis import strategies as st

from freehold.index.passages import SPACED_CHARACTERS, UNSPACED_CHARACTERS, passages


@given(st.text(st.sampled_from("ab. 。\n"), max_size=4000), st.integers(1, 4))
def test_passages_stand_in_the_text_and_leave_out_only_blanks(text: str, times: int) -> None:
    text *= times
    end = 0
    for start, passage in passages(text):
        assert text[start : start + len(passage)] == passage
        assert passage == passage.strip()
        assert not text[end:start].strip()
        assert 0 < len(passage) <= SPACED_CHARACTERS
        end = start + len(passage)
    assert not text[end:].strip()


def test_paragraphs_stay_whole() -> None:
    paragraphs = [f"§ {n} " + "Wort " * 70 for n in range(8)]
    found = [passage for _, passage in passages("\n\n".join(paragraphs))]
    assert len(found) == 4
    assert all(passage.startswith("§ ") and passage.count("§") == 2 for passage in found)


def test_dense_scripts_take_shorter_passages() -> None:
    text = "この法律は、公布の日から施行する。" * 200
    assert max(len(passage) for _, passage in passages(text)) <= UNSPACED_CHARACTERS


def test_a_line_without_any_end_is_cut() -> None:
    assert [len(passage) for _, passage in passages("x" * 2500)] == [1000, 1000, 500]
