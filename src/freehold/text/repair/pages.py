"""What a page left between the lines: its number, marks at its margin, words divided at the ends of its lines.

Conservative on purpose: law numbers its paragraphs, too. A series must count up over a long way, and a bare number
must interrupt sentences, before it is taken for the numbers of pages.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import Final

from freehold.text.repair.edits import Change, Span, apply

PAGE_WORDS: Final = (
    "page|seite|pagina|página|pág|strona|strana|sida|side|sivu|lehekülg|oldal|σελίδα|сторінка|страница|стр"
)
WORDED: Final = re.compile(
    rf"^[ \t]*(?:[-–—][ \t]*(\d{{1,4}})[ \t]*[-–—]"
    rf"|(?:{PAGE_WORDS})\.?[ \t]+(\d{{1,4}})(?:[ \t]*(?:/|\w{{1,4}})[ \t]*\d{{1,4}})?)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
BARE: Final = re.compile(r"^[ \t]*(\d{1,4})[ \t]*$", re.MULTILINE)
SERIES: Final = 3  # numbers that follow one another make a series
APART: Final = 300  # characters between two bare page numbers at least
BROKEN: Final = 0.5  # share of a bare series that stands in the middle of a sentence
ENDS_SENTENCE: Final = re.compile(r"[.!?:;»”\"')\]。]\s*$")

COLUMN: Final = re.compile(r"^[ \t]*\(([A-D])\)[ \t]*$", re.MULTILINE)  # columns of parliamentary records
COLUMNS: Final = 8  # twice round
LINE_STEP: Final = 5  # verse and deeds count every fifth line
LINE_SERIES: Final = 6

DIVIDED: Final = re.compile(r"(?<=[^\W\d_]{2})-\n(?=[^\W\d_]{2})")  # begins at the hyphen: seven times as fast
LEFT: Final = re.compile(r"[^\W\d_]+\Z")
RIGHT: Final = re.compile(r"[^\W\d_]+")
WORDS: Final = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
LONGEST: Final = 60  # characters of half a word
CONJUNCTIONS: Final = frozenset(
    {"und", "oder", "bzw", "sowie", "and", "or", "et", "ou", "y", "e", "lub", "of", "og", "och", "ja", "tai", "nebo"}
)
DIVISIONS: Final = 5  # so many make a text one that divides words at line ends


def page_numbers(text: str) -> Change:
    r"""Lines that hold nothing but the number of a page, where at least three count upwards.

    >>> page_numbers("eins\n- 7 -\nzwei\n- 8 -\ndrei\n- 9 -\nvier")[0]
    'eins\nzwei\ndrei\nvier'
    """
    worded = [(found, int(found[1] or found[2])) for found in WORDED.finditer(text)]
    lines = [found for run in series(worded, apart=0) for found in run]
    bare = [(found, int(found[1])) for found in BARE.finditer(text)]
    for run in series(bare, apart=APART):
        if sum(interrupts(text, found) for found in run) >= BROKEN * len(run):
            lines += run
    return apply(text, "page-number", (whole_line(text, found) for found in sorted(lines, key=re.Match.start)))


def series(found: list[tuple[re.Match[str], int]], *, apart: int) -> list[list[re.Match[str]]]:
    """Runs of at least three lines whose numbers follow one another at a distance."""
    runs: list[list[re.Match[str]]] = []
    last = None
    for match, number in found:
        if last is not None and number == last[1] + 1 and match.start() - last[0].end() >= apart:
            runs[-1].append(match)
        else:
            runs.append([match])
        last = (match, number)
    return [run for run in runs if len(run) >= SERIES]


def interrupts(text: str, found: re.Match[str]) -> bool:
    """Whether a sentence goes on from above the line to below it."""
    above = text[max(0, found.start() - 80) : found.start()].rstrip()
    below = text[found.end() : found.end() + 80].lstrip()
    return bool(above and below) and not ENDS_SENTENCE.search(above) and below[0].islower()


def margins(text: str) -> Change:
    """Column letters of parliamentary records and line counts in steps of five, each on a line of its own."""
    columns = list(COLUMN.finditer(text))
    letters = [found[1] for found in columns]
    cycle = sum("ABCD".index(two) == ("ABCD".index(one) + 1) % 4 for one, two in pairwise(letters))
    chosen = columns if len(columns) >= COLUMNS and cycle >= 0.8 * (len(columns) - 1) else []
    run: list[re.Match[str]] = []
    for found in BARE.finditer(text):
        if int(found[1]) != LINE_STEP * (len(run) + 1):
            chosen += run if len(run) >= LINE_SERIES else []
            run = []
        if int(found[1]) == LINE_STEP * (len(run) + 1):
            run.append(found)
    chosen += run if len(run) >= LINE_SERIES else []
    return apply(text, "margin", (whole_line(text, found) for found in sorted(chosen, key=re.Match.start)))


def whole_line(text: str, found: re.Match[str]) -> Span:
    """A matched line with its line end."""
    return found.start(), min(len(text), found.end() + 1), ""


def rejoin(text: str) -> Change:
    r"""Words divided at line ends made whole, where the text itself shows that they are one word.

    >>> rejoin("die Bundes-\nrepublik und die Bundesrepublik, Haupt-\nund Nebensatz")[0]
    'die Bundesrepublik und die Bundesrepublik, Haupt-\nund Nebensatz'
    """
    if "-\n" not in text:
        return text, []
    found = []
    for match in DIVIDED.finditer(text):
        left, right = LEFT.search(text, max(0, match.start() - LONGEST), match.start()), RIGHT.match(text, match.end())
        if left and right and right[0][0].islower() and right[0] not in CONJUNCTIONS:
            found.append((match, left[0], right[0]))
    if not found:
        return text, []
    words = Counter(WORDS.findall(text))
    many = len(found) >= DIVISIONS
    whole = [
        (match.start(), match.end(), "")
        for match, left, right in found
        if words[left + right] or (many and not words[f"{left}-{right}"])
    ]
    return apply(text, "line-hyphen", whole)
