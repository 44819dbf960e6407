import pytest

from freehold.index.terms import terms


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Straße STRASSE", ["strasse", "stras*", "strasse", "stras*"]),
        ("हिन्दी में", ["हिन्दी", "हिन्द*", "में"]),
        ("ไทย", ["ไท", "ทย"]),
        ("ｶﾞｽ会社", ["ガス", "ス会", "会社"]),
        ("a_b c-d", ["a_b", "c", "d"]),
        ("第九条は", ["第九", "九条", "条は"]),
    ],
)
def test_terms(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_composed_and_decomposed_letters_are_one() -> None:
    assert terms("u\u0308ber") == terms("über")
