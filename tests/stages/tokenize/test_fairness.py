import json
from pathlib import Path

import pytest

from freehold.stages.tokenize import fairness


def test_the_premium_compares_tokens_for_the_same_content() -> None:
    text = "Alle Menschen sind vor dem Gesetz gleich. Männer und Frauen sind gleichberechtigt. " * 3
    table = fairness.table({"deu": text, "gsw": text}, {"deu": 50, "gsw": 100}, seen=frozenset({"gsw"}))
    rows = table["languages"]
    assert (rows["deu"]["premium"], rows["gsw"]["premium"]) == (1.0, 2.0)
    assert (table["best_served"], table["worst_premium"]) == ("deu", 2.0)
    assert table["gini"] == pytest.approx(1 / 6, abs=1e-4)
    assert (rows["deu"]["seen"], rows["gsw"]["seen"]) == (False, True)


def test_fertility_counts_words_or_characters_by_the_script() -> None:
    texts = {"deu": "vier Wörter stehen hier", "jpn": "八文字の日本語文"}
    rows = fairness.table(texts, {"deu": 8, "jpn": 4}, seen=frozenset())["languages"]
    assert (rows["deu"]["fertility"], rows["deu"]["unit"]) == (2.0, "word")
    assert (rows["jpn"]["fertility"], rows["jpn"]["unit"]) == (0.5, "character")


def test_the_stage_measures_on_what_is_held_out(tokenized: Path) -> None:
    table = json.loads((tokenized / "fairness.json").read_bytes())
    assert set(table["languages"]) == {"deu", "jpn"}
    assert not any(row["seen"] for row in table["languages"].values())
    assert min(row["premium"] for row in table["languages"].values()) == 1.0
