"""Parts of a page: titled cards, tiles, tables, small print, and the frame that keeps everything else out."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from freehold.page.look import STYLE
from freehold.page.markup import Markup, tag

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(
    title: str, *children: Markup | None, refresh_s: int | None = None, rules: str = "", script: str | None = None
) -> bytes:
    """A whole page as UTF-8 HTML that asks for nothing from outside; with `refresh_s` it reads itself again.

    `rules` are CSS of this page alone. `script` is the only one that a browser will run: the policy names its SHA-256
    (Content Security Policy Level 3, 2.3.1), so that nothing a document brings along can.
    """
    policy = POLICY if script is None else f"{POLICY}; script-src '{digest_of(script)}'"
    body = tag("body", tag("main", *children), None if script is None else tag("script", Markup(script)))
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width,initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", http_equiv="refresh", content=str(refresh_s)) if refresh_s else None,
        tag("title", title),
        tag("style", Markup(STYLE + rules)),
    )
    return b"<!doctype html>\n" + tag("html", head, body, lang="en").encode() + b"\n"


def digest_of(script: str) -> str:
    """A script's digest as a policy names it.

    >>> digest_of("alert(1)")
    'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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


def table(
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: int = 0,
    name: str | None = None,
    long: bool = False,
) -> Markup:
    """A table that scrolls by itself on a narrow screen, if it is `long` also downwards; the last `numbers` columns
    are figures."""
    first = len(names) - numbers

    def line(kind: str, cells: Sequence[str]) -> Markup:
        return tag("tr", *(tag(kind, text, class_="n" if place >= first else None) for place, text in enumerate(cells)))

    head = tag("thead", line("th", names)) if any(names) else None
    body = tag("tbody", *(line("td", row) for row in rows))
    return tag("div", tag("table", head, body, id=name), class_="wide long" if long else "wide", tabindex=0)
