"""Scripts, styles and data literals of web pages that came along with the text."""

from __future__ import annotations

import re
from typing import Final

from freehold.text.repair.edits import Change, Edit, Span, apply, substitute

# A data literal of a web page, flattened into the text: `Pokaż całość var tree = [ { "id" : … } ];` in Polish law.
LITERAL: Final = re.compile(r"(?<![\w.])(?:var|let|const)\s+[A-Za-z_$][\w$]{0,60}\s*=\s*[\[{]")
KEYWORDS: Final = ("var ", "let ", "const ")
LITERAL_MIN: Final = 100  # characters on one line; shorter ones may be an example in a manual
LABEL: Final = re.compile(r"(?<=[.!?:;)\]»”])\s+[^\s.!?:;][^\n.!?:;]{0,39}\Z")
ELEMENTS: Final = re.compile(r"<(script|style)\b[^>]{0,500}>.{0,200000}?</\1\s*>", re.DOTALL | re.IGNORECASE)


def cut_scripts(text: str) -> Change:
    """The text without them, nor the label of the control that a literal fed.

    >>> cut_scripts("Art. 2. Ustawa wchodzi w życie. Pokaż całość var tree = [ " + "{'id': 1}," * 20 + " ];")[0]
    'Art. 2. Ustawa wchodzi w życie.'
    """
    edits: list[Edit] = []
    if "<" in text:
        text, edits = substitute(text, "script", ELEMENTS, "")
    if not any(keyword in text for keyword in KEYWORDS):
        return text, edits
    spans: list[Span] = []
    begin = 0
    for line in text.split("\n"):
        found = LITERAL.search(line)
        if found is not None and len(line) - found.start() >= LITERAL_MIN:
            spans.append(literal(line, found.start(), begin))
        begin += len(line) + 1
    text, made = apply(text, "literal", spans)
    return text, edits + made


def literal(line: str, start: int, begin: int) -> Span:
    """The stretch from the label before a literal to its closing bracket; `begin` is where the line stands."""
    end = max(line.rfind("];"), line.rfind("};"))
    before = LABEL.sub("", line[:start].rstrip())
    stop = end + 2 if end > start else len(line)
    stop += len(line[stop:]) - len(line[stop:].lstrip())
    return begin + len(before), begin + stop, " " if before and stop < len(line) else ""
