"""HTML and SVG as nested calls: what is not markup yet is escaped, so no text of a document can become code."""

from __future__ import annotations

from html import escape

VOID = frozenset({"meta", "br", "rect", "line", "circle", "path"})


class Markup(str):
    """Text that is safe to stand in a page as it is."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | float | None) -> Markup:
    """An element; `None` leaves a child or an attribute out, `class_` and `font_size` become class and font-size.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(written(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID and not children:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{join(*children)}</{name}>")


def join(*parts: str | None, between: str = "") -> Markup:
    """Parts one after another, each escaped unless it is markup."""
    safe = [part if isinstance(part, Markup) else escape(part) for part in parts if part is not None]
    return Markup((between if isinstance(between, Markup) else escape(between)).join(safe))


def written(value: str | float) -> str:
    """An attribute's value; floats with at most two decimals, which is finer than a screen.

    >>> written(12.5), written(3.0), written("40%")
    ('12.5', '3', '40%')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
