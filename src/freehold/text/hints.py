"""Signs that a text was translated by a machine: reported, never a reason to drop.

Only what a text says of itself, and what a translator leaves behind by accident: statements of origin, names of
services at a credit line, unresolved place-holders of translation memories. Silence proves nothing.
"""

from __future__ import annotations

import re
from typing import Final

HINTS: Final = re.compile(
    r"machine[- ]translat(?:ed|ion)|translated (?:by|with|using) (?:google|deepl|bing|microsoft)"
    r"|google (?:translate|übersetzer|traduction|traductor|traduttore|翻訳|번역)"
    r"|maschinell (?:übersetzt|erstellte übersetzung)|maschinelle übersetzung|mit deepl übersetzt"
    r"|traduction automatique|traduit automatiquement|traducción automática|traducido automáticamente"
    r"|traduzione automatica|tradotto automaticamente|tradução automática|tłumaczenie (?:maszynowe|automatyczne)"
    r"|strojov[ýé] překlad|strojov[ýé] preklad|masintõlge|konekäännös|автоматичний переклад|машинний переклад"
    r"|машинный перевод|αυτόματη μετάφραση|機械翻訳|自動翻訳|기계 ?번역|자동 ?번역|机器翻译|機器翻譯",
    re.IGNORECASE,
)
EDGE: Final = 2_000  # characters at either end, where such statements stand
PLACEHOLDERS: Final = re.compile(r"\{\{\s*\d+\s*\}\}|<x id=\"\d+\"|⟦\d+⟧|<ph\b|__[A-Z]{2,}_\d+__")


def machine_translated(text: str) -> bool:
    """Whether a text bears signs of machine translation.

    >>> machine_translated("Dieser Artikel wurde maschinell übersetzt."), machine_translated("Übersetzt von A. W.")
    (True, False)
    """
    ends = text if len(text) <= 2 * EDGE else text[:EDGE] + "\n" + text[-EDGE:]
    return HINTS.search(ends) is not None or PLACEHOLDERS.search(ends) is not None
