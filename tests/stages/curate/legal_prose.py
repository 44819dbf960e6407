"""Texts in the words of the law that differ from one another, and edits to them."""

from __future__ import annotations

import random

STEMS = {
    "deu": "Gesetz Verordnung Behörde Antrag Frist Bescheid Widerspruch Anlage Zustimmung Vorschrift Verfahren Prüfung "
    "die der und wird nicht durch nach über für ist",
    "jpn": "法律 規定 施行 政令 大臣 審議会 国民 の は を に より する ものとする について 及び 又は",
    "kor": "법률 규정 시행 대통령령 장관 위원회 국민 은 는 을 를 에 따라 한다 하여야 및 또는",
    "tha": "กฎหมาย รัฐมนตรี ประชาชน ตาม และ ของ ให้ ที่ การ ความ สิทธิ เสรีภาพ ราชการ คณะกรรมการ "
    "บ้าน เมือง น้ำ ถนน โรงเรียน ครู ตลาด อาหาร ข้าว ภูเขา ทะเล แม่น้ำ วัน เดือน ปี เวลา งาน เงิน ภาษี ศาล คดี พยาน "
    "จำเลย โจทก์ อุทธรณ์ ฎีกา รัฐสภา วุฒิสภา เลือกตั้ง พรรค นโยบาย งบประมาณ ท้องถิ่น จังหวัด อำเภอ ตำบล หมู่บ้าน",
}


def prose(language: str, seed: int, *, words: int = 220) -> str:
    """A text in the words of a language, in an order of its own."""
    draw = random.Random(f"{language}{seed}")
    glue = " " if language in ("deu", "kor") else ""
    stems = STEMS[language].split()
    drawn = [draw.choice(stems) + (f" {draw.randrange(1000)} " if not n % 9 else "") for n in range(words)]
    return "\n\n".join(glue.join(drawn[start : start + 40]) + "." for start in range(0, words, 40))


def edited(text: str, *, share: float, seed: int, spaced: bool) -> str:
    """The text with a share of its words (or of its characters, in runs of three) replaced by others of its own."""
    draw = random.Random(seed)
    if spaced:
        words = text.split(" ")
        for place in draw.sample(range(len(words)), max(1, int(len(words) * share))):
            words[place] = draw.choice(words)
        return " ".join(words)
    letters = list(text)
    for place in draw.sample(range(len(letters) - 3), max(1, int(len(letters) * share / 3))):
        other = draw.randrange(len(text) - 3)
        letters[place : place + 3] = text[other : other + 3]
    return "".join(letters)
