"""report.html: the whole release on one page that asks for nothing from outside and needs no script."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.page import parts
from freehold.page.loss import brief
from freehold.page.markup import Markup, join, tag
from freehold.stages.release.card import SMALL, began, count, listed, trained_tokens
from freehold.stages.release.facts import Facts
from freehold.stages.release.languages import english_name
from freehold.stages.release.report import sections
from freehold.stages.release.report.sections import Signed


def page(facts: Facts, *, signed: Signed) -> bytes:
    """The report as UTF-8 HTML."""
    children = (*introduction(facts), *every_section(facts, signed), ending(facts))
    return parts.page(f"{facts.title}: release report", *children)


def introduction(facts: Facts) -> Sequence[Markup]:
    """Name, one honest sentence, and the figures that place the model."""
    names = listed([english_name(code) for code in facts.languages])
    text = (
        f"A language model with {count(facts.parameters)} parameters for {names}, trained {began(facts)} on "
        "documents whose sources and licences stand below, with evidence that anyone may check offline."
    )
    small = (
        "It is small. It continues text in the manner of its sources; it does not know facts and gives no advice."
        if facts.parameters < SMALL
        else None
    )
    tiles = [
        ("Parameters", brief(facts.parameters)),
        ("Tokens read", brief(trained_tokens(facts))),
        ("Text", f"{sum(text.size_bytes for text in facts.text.values()) / 1e6:,.1f} MB"),
        ("Documents", f"{sum(text.documents for text in facts.text.values()):,}"),
        ("Languages", str(len(facts.languages))),
        ("Vocabulary", f"{facts.config['vocab_size']:,}"),
    ]
    return [
        tag("p", f"Release report · {facts.responsible} ({facts.country}) · licence {facts.licence}", class_="kicker"),
        tag("h1", facts.title),
        tag("p", text, class_="lead"),
        *([tag("p", tag("strong", small))] if small else []),
        parts.tiles(tiles),
    ]


def every_section(facts: Facts, signed: Signed) -> Sequence[Markup]:
    """In the order in which a doubting reader asks."""
    return [
        section
        for section in (
            sections.quality(facts),
            sections.choice(facts),
            sections.samples(facts),
            sections.memory(facts),
            sections.learning(facts),
            sections.fairness(facts),
            sections.sources(facts),
            sections.left_out(facts),
            sections.recipe(facts),
            sections.law(),
            sections.evidence(facts, signed),
        )
        if section is not None
    ]


def ending(facts: Facts) -> Markup:
    """Who answers."""
    contact = f" · {facts.contact}" if facts.contact else ""
    return tag(
        "footer", join(f"Responsible: {facts.responsible}, {facts.country}{contact}. Made with Freehold."), class_="end"
    )
