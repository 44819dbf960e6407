"""Writes the page of a curation: `corpus.html`, one file that asks for nothing and is never larger than its bound."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from freehold.page.markup import Markup, tag
from freehold.page.parts import page
from freehold.sight.corpus.bounds import PAGE_BYTES, Bounds
from freehold.sight.corpus.facts import facts_of
from freehold.sight.corpus.look import RULES, SCRIPT
from freehold.sight.corpus.samples import Eyes, samples_of
from freehold.sight.corpus.sections import everything
from freehold.store.workspace import write_atomic

PAGE: Final = "corpus.html"


def write_page(folder: Path, *, title: str, artifact: Path, scratch: Path, eyes: Eyes) -> Path:
    """Write the page of an artifact that is about to be sealed, while its scratch folder is still there."""
    path = folder / PAGE
    write_atomic(path, page_of(title, artifact=artifact, scratch=scratch, eyes=eyes))
    return path


def page_of(title: str, *, artifact: Path, scratch: Path, eyes: Eyes, most: int = PAGE_BYTES) -> bytes:
    """The page, a function of the artifact and its scratch folder: at most `most` bytes, made with less until it fits.

    The bare frame takes 8 kB, less than that is not reached.
    """
    bounds = Bounds()
    while True:
        facts = facts_of(artifact, bounds=bounds)
        samples = samples_of(scratch, facts, bounds=bounds, eyes=eyes)
        shown = everything(title, facts, samples, bounds=bounds)
        made = page(f"{title}: corpus", *shown, ending(), rules=RULES, script=SCRIPT)
        if len(made) <= most or bounds.halved() == bounds:
            return made
        bounds = bounds.halved()


def ending() -> Markup:
    """What to know of the page itself."""
    said = "This page needs no network and sends nothing. It shows what the sealed artifact holds and is no part of it."
    return tag("footer", said, class_="end")
