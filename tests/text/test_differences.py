from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freehold.text.differences import Piece, concealed, differences, excerpt, visible

TEXTS = st.text(alphabet=st.sampled_from("ab c\n§法の。\u00ad<>"), max_size=60)


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_off_the_pieces(before: str, after: str) -> None:
    pieces = differences(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
    assert all(piece.text for piece in pieces)


def test_only_the_words_that_differ_are_told_in_a_script_without_spaces() -> None:
    pieces = differences("すべて国民は法の下に平等である。", "すべて国民は法の前に平等である。")
    assert [piece.text for piece in pieces if piece.kind != "same"] == ["下", "前"]


def test_a_value_that_a_placeholder_replaced_is_not_shown() -> None:
    pieces = concealed(differences("Tel. 030 / 18 580-0, Frau Muster", "Tel. <PHONE>, Frau Muster"))
    shown = "".join(piece.text for piece in pieces)
    assert "580" not in shown
    assert "030" not in shown
    assert "<PHONE>" in shown


def test_what_is_far_from_a_change_is_left_out_and_the_whole_is_bounded() -> None:
    before = "wort " * 3000 + "alt " + "wort " * 3000
    pieces = excerpt(differences(before, before.replace("alt", "neu")), limit=2000)
    assert [piece.kind for piece in pieces] == ["gap", "same", "removed", "added", "same", "gap"]
    assert sum(len(piece.text) for piece in pieces) < 600
    rewritten = excerpt([Piece(kind="removed", text="x" * 9000), Piece(kind="added", text="y" * 9000)], limit=2000)
    assert sum(len(piece.text) for piece in rewritten) < 4500


def test_what_a_terminal_or_an_eye_would_not_show_is_written_out() -> None:
    assert visible("a\u202eb\x1b[2Jc") == "a⟨U+202E⟩b⟨U+001B⟩[2Jc"
