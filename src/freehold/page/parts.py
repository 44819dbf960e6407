"""Parts of a page: titled cards, tiles, tables, small print, and the frame that keeps everything else out."""

from __future__ import annotations

from collections.abc import Sequence

from freehold.page.look import STYLE
from freehold.page.markup import Markup, join, tag

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(title: str, *children: Markup | None, refresh_s: int | None = None) -> bytes:
    """A whole page as UTF-8 HTML that asks for nothing from outside; with `refresh_s` it reads itself again."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", http_equiv="refresh", content=str(refresh_s)) if refresh_s else None,
        tag("title", title),
        tag("style", Markup(STYLE)),
    )
    return b"<!doctype html>\n" + tag("html", head, tag("body", tag("main", *children)), lang="en").encode() + b"\n"


def tiles(rows: Sequence[tuple[str, str]]) -> Markup:
    """A few figures, large."""
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in rows), class_="tiles")


def section(title: str, *children: Markup | None) -> Markup:
    """A titled card."""
    return tag("section", tag("h2", title), *children)


def minutes(seconds: float) -> str:
    """A duration for the eye: ``minutes(75.2) == '1 min 15 s'``."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{seconds:.1f} s"


def note(text: str) -> Markup:
    """Small print."""
    return tag("p", text, class_="note")


def folded(title: str, content: Markup) -> Markup:
    """What opens on request."""
    return tag("details", tag("summary", title), content)


def table(names: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> Markup:
    """A table that scrolls by itself on a narrow screen; the last `numbers` columns are figures."""
    first = len(names) - numbers

    def line(kind: str, cells: Sequence[str]) -> Markup:
        return tag("tr", *(tag(kind, text, class_="n" if place >= first else None) for place, text in enumerate(cells)))

    head = tag("thead", line("th", names)) if any(names) else None
    return tag(
        "div", tag("table", head, tag("tbody", join(*(line("td", row) for row in rows)))), class_="wide", tabindex=0
    )
