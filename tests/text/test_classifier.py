"""The classifier learns what labels tell, and the same labels give the same weights."""

from __future__ import annotations

import random

import numpy as np

from freehold.text.classifier import learn, probability, score

GOOD = [
    "Gesetz",
    "Behörde",
    "Antrag",
    "Frist",
    "Bescheid",
    "Verfahren",
    "Prüfung",
    "Zulassung",
    "zuständig",
    "entscheidet",
    "innerhalb",
]
BAD = [
    "Rabatt",
    "Angebot",
    "kaufen",
    "gratis",
    "Newsletter",
    "Warenkorb",
    "Versand",
    "jetzt",
    "klicken",
    "sparen",
    "bestellen",
]


def sample(words: list[str], seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice([*words, "und", "die", "der"]) for _ in range(60))


def test_it_tells_advertising_from_law() -> None:
    texts = [sample(BAD if n % 3 == 0 else GOOD, n) for n in range(120)]
    drop = [n % 3 == 0 for n in range(120)]
    weights = learn(texts, drop)
    assert probability(sample(BAD, 900), weights) > 0.5 > probability(sample(GOOD, 901), weights)
    told = score([sample(BAD, 902), sample(GOOD, 903)], [True, False], weights, learned_from=120)
    assert (told.precision, told.recall) == (1.0, 1.0)
    assert np.array_equal(weights, learn(texts, drop))


def test_an_empty_text_is_judged_by_the_bias() -> None:
    weights = learn(["", sample(BAD, 1)], [False, True])
    assert 0 <= probability("", weights) <= 1


def test_without_any_to_drop_there_is_no_recall() -> None:
    told = score([sample(GOOD, 1)], [False], np.full(2**15 + 1, -1.0), learned_from=0)
    assert (told.precision, told.recall) == (None, None)
