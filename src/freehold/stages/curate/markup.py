"""HTML to text: what a reader of the page would call its text, by trafilatura.

Runs on pages of strangers, so it runs confined: whatever goes wrong inside, also in C, costs one document and not the
run.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from freehold.plugins import need
from freehold.stages.curate.confined import Fault, confined

MAX_MARKUP: Final = 8_000_000  # characters; libxml2 needs about twelve bytes of memory for each
MAX_TAGS: Final = 200_000  # some repairs of unclosed tags take time that grows with their square
TITLE: Final = re.compile(r"<title[^>]{0,200}>(.{1,2000}?)</title", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What an HTML page says; `text` is None where nothing could be read, `reason` and `fault` then say why."""

    text: str | None
    title: str | None = None
    reason: str = "unreadable-markup"
    fault: str = ""


def extract(markup: str) -> Page:
    """The main text of a page with its tables and lists, without navigation, comments and scripts."""
    tags = markup.count("<")
    if len(markup) > MAX_MARKUP or tags > MAX_TAGS:
        detail = f"{len(markup)} characters and {tags} tags, limits {MAX_MARKUP} and {MAX_TAGS}"
        return Page(text=None, reason="hostile-markup", fault=detail)
    answer = confined("freehold.stages.curate.markup:main_text").ask(markup.encode("utf-8", "ignore"))
    if isinstance(answer, Fault):
        return Page(text=None, reason=answer.reason, fault=answer.detail)
    if not answer["text"]:
        return Page(text=None, fault="no main text found")
    found = TITLE.search(markup[:100_000])
    return Page(text=answer["text"], title=" ".join(html.unescape(found[1]).split()) if found else None)


def main_text(data: bytes) -> Mapping[str, Any]:
    """The confined part: a page in UTF-8 to its text, which may be empty."""
    trafilatura = need("trafilatura")
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    markup = data.decode()
    if not markup.strip():
        return {"text": None}
    text = trafilatura.extract(markup, include_comments=False, include_tables=True, favor_recall=True)
    return {"text": text or trafilatura.html2txt(markup)}  # preformatted pages have no main part; the rules judge it
