"""A text in two languages is seen to be one; a quotation, a dialect or a table does not make it one."""

from __future__ import annotations

import pytest

from freehold.text.language import Guess, Model, identify, settle, taken_for
from freehold.text.passages import Passage, apart, passages, shares, told

GERMAN = (
    "Jeder hat das Recht auf die freie Entfaltung seiner Persönlichkeit, soweit er nicht die Rechte anderer verletzt "
    "und nicht gegen die verfassungsmäßige Ordnung oder das Sittengesetz verstößt. Die Freiheit der Person ist "
    "unverletzlich. In diese Rechte darf nur auf Grund eines Gesetzes eingegriffen werden."
)
FRENCH = (
    "La loi doit être la même pour tous, soit qu'elle protège, soit qu'elle punisse. Tous les citoyens étant égaux à "
    "ses yeux sont également admissibles à toutes dignités, places et emplois publics, selon leur capacité et sans "
    "autre distinction que celle de leurs vertus et de leurs talents."
)
JAPANESE = (
    "日本国民は、正当に選挙された国会における代表者を通じて行動し、"
    "われらとわれらの子孫のために諸国民との協和による成果を確保する。"
)


def many(text: str, times: int) -> str:
    return "\n\n".join(f"{n}. {text}" for n in range(1, times + 1))


def test_two_languages_are_told_apart() -> None:
    text = f"{many(GERMAN, 10)}\n\n{many(FRENCH, 10)}"
    found = passages(text, main="deu")
    assert [passage.language for passage in found] == ["deu", "fra"]
    assert abs(shares(found)["fra"] - 0.45) < 0.15
    parts = apart(text, found)
    assert identify(parts["fra"]).code == "fra"
    assert (found[0].start, found[0].stop, found[1].stop) == (0, found[1].start, len(text))
    assert (told(found) or "").startswith("deu 0.")


@pytest.mark.parametrize(
    "text",
    [
        many(GERMAN, 12),
        f"{many(GERMAN, 6)}\n\n{FRENCH}\n\n{many(GERMAN, 6)}",  # a quotation
        "\n\n".join([many(GERMAN, 6), "\n".join(f"{n} | 12,{n} | A-{n} | 7/{n}" for n in range(400)), many(GERMAN, 6)]),
        "",
        "kurz",
    ],
)  # fmt: skip
def test_one_language_stays_whole(text: str) -> None:
    assert passages(text, main="de") == (Passage(language="deu", start=0, stop=len(text)),)
    assert told(passages(text, main="de")) is None


def test_near_languages_are_no_mixture() -> None:
    swiss = (
        "D Schwiiz isch es Land z Europa. Mir händ vier Landessprache, und jede Kanton het sini eigeti Verfassig. " * 3
    )
    assert told(passages(f"{many(swiss, 8)}\n\n{many(GERMAN, 8)}", main="gsw")) is None


def test_scripts_without_spaces() -> None:
    text = f"{many(JAPANESE * 3, 8)}\n\n{many(GERMAN, 8)}"
    assert [passage.language for passage in passages(text, main="jpn")] == ["jpn", "deu"]


def test_another_model_decides() -> None:
    sure = Model(languages=frozenset({"deu", "fra"}), classify=lambda text: ("fr", 1.0))
    assert identify(GERMAN, model=sure) == Guess(code="fra", confidence=1.0)
    assert settle(GERMAN, declared="deu", confidence=0.5, model=sure).reason == "language-mismatch"
    assert settle(GERMAN, declared="ita", confidence=0.5, model=sure).language == "ita"  # it does not know Italian
    assert [passage.language for passage in passages(many(GERMAN, 10), main="deu", model=sure)] == ["fra"]


def test_whose_rules_a_text_is_judged_by() -> None:
    assert taken_for(Guess(code="ltz", confidence=1), declared="de-CH") == "deu"
    assert taken_for(Guess(code="fra", confidence=0.5), declared="deu") == "deu"
    assert taken_for(Guess(code="fra", confidence=1), declared="deu") is None  # it is not judged by German's rules
    assert taken_for(Guess(code="fra", confidence=1), declared="und") == "fra"
    assert taken_for(Guess(code="und", confidence=0), declared=None) is None
