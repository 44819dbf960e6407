"""HTML to text: what a reader of the page would call its text, by trafilatura.

Runs on pages of strangers: whatever goes wrong inside costs one document, not the run.
"""

from __future__ import annotations

import html
import logging
import re
from dataclasses import dataclass
from typing import Final

import trafilatura

MAX_MARKUP: Final = 8_000_000  # characters; libxml2 needs about twelve bytes of memory for each
MAX_TAGS: Final = 200_000  # some repairs of unclosed tags take time that grows with their square
TITLE: Final = re.compile(r"<title[^>]{0,200}>(.{1,2000}?)</title", re.IGNORECASE | re.DOTALL)

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What an HTML page says; `text` is None where nothing could be read, `fault` then says why."""

    text: str | None
    title: str | None = None
    fault: str = ""


def extract(markup: str) -> Page:
    """The main text of a page with its tables and lists, without navigation, comments and scripts."""
    tags = markup.count("<")
    if len(markup) > MAX_MARKUP or tags > MAX_TAGS:
        return Page(text=None, fault=f"{len(markup)} characters and {tags} tags, limits {MAX_MARKUP} and {MAX_TAGS}")
    try:
        text = trafilatura.extract(markup, include_comments=False, include_tables=True, favor_recall=True)
        text = text or trafilatura.html2txt(
            markup
        )  # preformatted pages have no main part; the rules judge what is left
    except Exception as error:  # hostile pages find exceptions nobody listed; one document is counted, the run goes on
        return Page(text=None, fault=type(error).__name__)
    found = TITLE.search(markup[:100_000])
    title = " ".join(html.unescape(found[1]).split()) if found else None
    return Page(text=text, title=title) if text else Page(text=None, fault="no main text found")
