"""Is this text worth learning from: junk cut out of it, and rules with reasons for turning it away.

The rules follow C4 (Raffel et al. 2020, 2.2) and Gopher (Rae et al. 2021, A.1.1), but measure characters instead of
words so that they hold for scripts without spaces. Thresholds were set on official works: of 13 corpora (law,
parliament, literature, journalism in nine languages) each turns away less than 1 %, chiefly tables and codes that
repeat their own articles.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_REPEATED: Final = 0.6  # share of 24-character windows that occurred before; law reaches 0.5
MAX_REPEATED_LINES: Final = 0.5  # share of characters in lines that occurred before
MIN_LETTERS: Final = 0.4  # share of letters and marks in what is not space; Estonian tables of law: 0.49
MAX_REPLACEMENTS: Final = 0.002  # share of U+FFFD: the text was once decoded wrongly
MAX_CODE_LINES: Final = 0.25  # share of lines that end like statements of a program
MAX_UNBROKEN: Final = 0.2  # share of characters in unbroken runs of 80 and more ASCII characters: keys, encoded files

WINDOW: Final = 24  # characters
KEPT: Final = 4  # one window of so many is looked at, chosen by its hash
MIN_WINDOWS: Final = 50  # fewer say nothing about repetition

# A data literal of a web page, flattened into the text: `Pokaż całość var tree = [ { "id" : … } ];` in Polish law.
LITERAL: Final = re.compile(r"(?<![\w.])(?:var|let|const)\s+[A-Za-z_$][\w$]{0,60}\s*=\s*[\[{]")
LITERAL_MIN: Final = 100  # characters on one line; shorter ones may be an example in a manual
LABEL: Final = re.compile(r"(?<=[.!?:;)\]»”])\s+[^\s.!?:;][^\n.!?:;]{0,39}\Z")
ELEMENTS: Final = re.compile(r"<(script|style)\b[^>]{0,500}>.{0,200000}?</\1\s*>", re.DOTALL | re.IGNORECASE)

CODE_LINE: Final = re.compile(r"[{}][;,)]{0,3}$")
UNBROKEN: Final = re.compile(r"[!-~]{80,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A text without the junk that was cut out of it, and how many pieces that were."""

    text: str
    cuts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The rule a text breaks, and the figure it broke it with."""

    reason: str
    detail: str


def mend(text: str) -> Mended:
    """Cut out scripts, styles and data literals of web pages that came along with the text.

    >>> mend("Art. 2. Ustawa wchodzi w życie. Pokaż całość var tree = [ " + "{'id': 1}," * 20 + " ];").text
    'Art. 2. Ustawa wchodzi w życie.'
    """
    cuts = 0
    if "<" in text:
        text, cuts = ELEMENTS.subn("", text)
    if not LITERAL.search(text):
        return Mended(text=text, cuts=cuts)
    lines = []
    for line in text.split("\n"):
        found = LITERAL.search(line)
        flattened = found is not None and len(line) - found.start() >= LITERAL_MIN
        lines.append(without_literal(line, found.start()) if found and flattened else line)
        cuts += flattened
    return Mended(text="\n".join(lines), cuts=cuts)


def without_literal(line: str, start: int) -> str:
    """The line without the literal from `start` to its closing bracket, nor the label of the control it fed."""
    end = max(line.rfind("];"), line.rfind("};"))
    before = LABEL.sub("", line[:start].rstrip())
    return f"{before} {line[end + 2 :].strip()}".strip() if end > start else before


def fault(text: str, *, min_characters: int, max_characters: int) -> Fault | None:
    """The first rule that the text breaks, cheapest first; None for a text worth keeping.

    Reasons: ``empty``, ``too-short``, ``too-long``, ``few-letters``, ``broken-encoding``, ``program-code``,
    ``unbroken-characters``, ``repeated-lines``, ``repeated-text``.
    """
    if not text.strip():
        return Fault(reason="empty", detail="no text")
    if len(text) < min_characters:
        return Fault(reason="too-short", detail=f"{len(text)} characters")
    if len(text) > max_characters:
        return Fault(reason="too-long", detail=f"{len(text)} characters")
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    points = points_of(text)
    replaced = text.count("\ufffd") / len(text)
    checks = (
        ("broken-encoding", replaced, replaced > MAX_REPLACEMENTS),
        ("few-letters", letters := letter_share(text, points), letters < MIN_LETTERS),
        ("program-code", code := code_share(lines), code > MAX_CODE_LINES),
        ("unbroken-characters", unbroken := unbroken_share(text), unbroken > MAX_UNBROKEN),
        ("repeated-lines", same := repeated_line_share(lines), same > MAX_REPEATED_LINES),
        ("repeated-text", repeated := repeated_share(points), repeated > MAX_REPEATED),
    )
    return next((Fault(reason=name, detail=f"{value:.3f}") for name, value, broken in checks if broken), None)


def points_of(text: str) -> NDArray[np.uint32]:
    """The code points (T,) of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


@cache
def letter_table() -> NDArray[np.bool_]:
    """For every code point (0x110000,) whether it is a letter or a mark; marks are half of Thai and Indic writing."""
    return np.array([unicodedata.category(chr(point))[0] in "LM" for point in range(0x110000)])


def letter_share(text: str, points: NDArray[np.uint32]) -> float:
    """Letters and marks among the characters that are not space; `points` are the text's code points (T,)."""
    spaces = sum(text.count(space) for space in " \n\t\u3000")
    return float(np.count_nonzero(letter_table().take(points)) / max(1, len(points) - spaces))


def code_share(lines: list[str]) -> float:
    """Lines that end in braces."""
    return sum(CODE_LINE.search(line[-4:]) is not None for line in lines) / max(1, len(lines))


def unbroken_share(text: str) -> float:
    """Characters in long unbroken ASCII runs."""
    return sum(len(run) for run in UNBROKEN.findall(text)) / max(1, len(text))


def repeated_line_share(lines: list[str]) -> float:
    """Characters in lines that occurred before.

    >>> repeated_line_share(["ab", "ab", "cd", "ef"])
    0.25
    """
    total = sum(len(line) for line in lines)
    return sum((times - 1) * len(line) for line, times in Counter(lines).items()) / max(1, total)


def repeated_share(points: NDArray[np.uint32]) -> float:
    """Windows of 24 characters that occurred before, by a rolling hash of the code points (T,), a quarter looked at."""
    if len(points) < WINDOW * KEPT:
        return 0.0
    hashes = points.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    hashes ^= hashes >> np.uint64(29)
    width = 1
    while width < WINDOW:  # a window of 2w is two windows of w, one shifted and scaled
        step = min(width, WINDOW - width)
        scale = np.uint64(pow(0xD6E8FEB86659FD93, step, 1 << 64))
        hashes = hashes[:-step] * scale + hashes[step:]
        width += step
    hashes ^= hashes >> np.uint64(31)
    hashes *= np.uint64(0x9E3779B97F4A7C15)
    chosen = hashes[(hashes >> np.uint64(40)) % np.uint64(KEPT) == 0]
    if len(chosen) * KEPT < len(hashes) // 2:  # few different windows, and chance chose none of them
        chosen = hashes
    return float(1 - len(np.unique(chosen)) / len(chosen)) if len(chosen) >= MIN_WINDOWS else 0.0
