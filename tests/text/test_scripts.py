import pytest

from freehold.text.scripts import writes_spaces


@pytest.mark.parametrize(
    ("text", "spaced"),
    [
        ("", True),
        ("1. § 2", True),
        ("Grundgesetz für die Bundesrepublik", True),
        ("모든 국민은 법 앞에 평등하다", True),
        ("हिन्दी में लिखा", True),
        ("すべて国民は、法の下に平等", False),
        ("มนุษย์ทั้งหลายเกิดมามีอิสระ", False),
        ("ប្រទេសកម្ពុជា", False),
        ("Das Wort 法 steht im Satz über Japan", True),
    ],
)
def test_spaces_between_words(text: str, spaced: bool) -> None:
    assert writes_spaces(text) is spaced
