"""How texts are made fit to be looked at: what a page shows a reader, and no personal value in it."""

from __future__ import annotations

from typing import Final

from freehold.sight.corpus.samples import Eyes
from freehold.stages.curate.markup import extract
from freehold.text import privacy


def redacted(text: str, language: str) -> str:
    """The text without personal values of any kind, whatever the charter asks for."""
    return privacy.redact(text, rules=privacy.ALL, language=language).text


def plain(text: str, markup: bool) -> str:
    """The text that a reader of the record sees; empty where nothing could be taken out of a web page."""
    return (extract(text).text or "") if markup else text


EYES: Final = Eyes(redact=redacted, plain=plain)
