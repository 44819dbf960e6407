"""Items of an exam found in texts, and only where the text gives the answer away."""

from __future__ import annotations

import pytest

from freehold.text.contamination import exam, item, overlap
from freehold.text.tokens import tokens

SHORT, WHO = "Wer wählt den Bundeskanzler heute?", "der Bundestag"
LONG = "In welchem Jahr trat das Gesetz über die Ordnung der Gewässer des Landes am ersten Tag des Mai in Kraft"
JAPANESE = "日本国憲法が施行された年月日として正しいものを次のうちから一つ選びなさい"
FILLER = " ".join(f"wort{number}" for number in range(60))


@pytest.mark.parametrize(
    ("question", "answer", "text", "touched", "held"),
    [
        (LONG, "1957", f"{FILLER} {LONG.upper()}? – 1957. {FILLER}", True, True),
        (LONG, "1957", f"{FILLER} {LONG} {FILLER}", True, False),  # without the answer
        (LONG, "1957", f"1957 {' '.join(LONG.split()[:14])} {FILLER}", True, False),  # a quotation
        (LONG, "1957", FILLER, False, False),
        (SHORT, WHO, "Wer wählt den Bundeskanzler heute? Der Bundestag", True, True),
        (SHORT, WHO, "Wer wählt den Bundeskanzler morgen? Der Bundestag", False, False),
        ("Wer wählt?", "der Deutsche Bundestag selbst", "Wer wählt? Der Deutsche Bundestag selbst.", True, True),
        (JAPANESE, "五月三日", f"問。{JAPANESE}。答は五月三日。", True, True),
        (JAPANESE, "五月三日", f"問。{JAPANESE[:16]}。五月三日。", True, False),
    ],
)  # fmt: skip
def test_what_a_text_holds(question: str, answer: str, text: str, touched: bool, held: bool) -> None:
    one = item("pack", "1", question=question, answer=answer)
    assert one is not None
    found = overlap(tokens(text), exam([one]))
    assert (bool(found.touched), bool(found.held)) == (touched, held)


def test_two_items_that_begin_alike_are_both_found() -> None:
    questions = [f"{LONG} {end}" for end in ("nördlich", "südlich")]
    items = [
        found
        for place, question in enumerate(questions)
        if (found := item("p", str(place), question=question, answer="ja"))
    ]
    assert overlap(tokens(f"{questions[1]} ja"), exam(items)).held == (0, 1)  # half of the other's windows too
    assert overlap(tokens("nein"), exam([])).touched == ()
