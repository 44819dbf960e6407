"""A law document for people: Markdown and self-contained HTML. Every value is escaped: it may be a stranger's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from freehold.law.document import Document, Field, Section
from freehold.law.packs import Pack

MARKS = {
    "fact": "fact",
    "computed": "computed",
    "declared": "declared",
    "rule": "rule pack",
    "not stated": "not stated",
}
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")
NOT_STATED = "not stated"
BASIS = (
    "Generated from the evidence of this release; `freehold verify` generates it again and compares every byte. "
    "Facts and computed values follow from that evidence; declared values are statements of the provider, which "
    "nothing here proves. Not legal advice."
)
STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:2rem auto;padding:0 1rem;
color:#1a1a1a;background:#fff}h1{font-size:1.6rem}h2{font-size:1.15rem;border-bottom:1px solid #ccc;margin-top:2rem}
dt{font-weight:600;margin-top:.8rem}dd{margin:0}
table{border-collapse:collapse;font-size:.85rem;display:block;overflow-x:auto}td,th{border:1px solid #ccc;
padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}ul{margin:.2rem 0;padding-left:1.2rem}
.mark{font-size:.75rem;color:#555}.gap{color:#9a3412;font-weight:600}code{overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){
body{color:#eee;background:#161616}.mark{color:#aaa}.gap{color:#fdba74}td,th,h2{border-color:#555}}"""


def markdown(document: Document) -> bytes:
    """The document as Markdown."""
    pack = document.pack
    lines = [f"# {plain(document.title)}", "", f"**{plain(document.model)}**", ""]
    lines += [f"Rule pack `{pack.id}` of {pack.version}: {plain(pack.head['jurisdiction'])}. {BASIS}", ""]
    if document.gaps:
        lines += ["**Gaps, to be answered by the provider:**", ""]
        lines += [f"- {plain(section.number)} {plain(field.label)}" for section, field in gaps(document)] + [""]
    for section in document.sections:
        lines += [f"## {plain(f'{section.number} {section.title}'.strip())}", ""]
        for field in section.fields:
            lines += [*field_markdown(field), ""]
    lines += ["## Evidence", ""]
    lines += [f"- `{path}` SHA-256 `{digest}`" for path, digest in document.files.items()]
    lines += ["", "## Rules", ""]
    lines += [f"- {plain(line)}" for line in rules(pack)]
    return "\n".join([*lines, ""]).encode()


def rules(pack: Pack) -> list[str]:
    """What the pack rests on, and what of it nobody has verified."""
    told = [f"{row['title']}: {row['url']}" for row in pack.head["sources"]]
    return [*told, f"Read on {pack.head['read_on']}.", *pack.head["unverified"]]


def gaps(document: Document) -> list[tuple[Section, Field]]:
    """Unanswered fields with their sections."""
    return [(section, field) for section in document.sections for field in section.fields if field.gap]


def field_markdown(field: Field) -> list[str]:
    """One field: its label, its value, where that is from."""
    value, mark = field.value.value, f"_({MARKS[field.value.origin]})_"
    label = f"**{plain(field.label)}**" if field.label else ""
    if value is None:
        return [f"{label} {NOT_STATED if field.optional else f'**{NOT_STATED}**'}".strip()]
    if isinstance(value, dict):
        names, rows = (
            [plain(name) for name in value["columns"]],
            [[plain(cell) for cell in row] for row in value["rows"]],
        )
        table = [names, ["---"] * len(names), *rows]
        return [f"{label} {mark}".strip(), "", *(f"| {' | '.join(row)} |" for row in table)]
    if isinstance(value, list):
        return [f"{label} {mark}".strip(), "", *(f"- {plain(shown(one))}" for one in value)]
    return [f"{label} {plain(shown(value))} {mark}".strip()]


def plain(text: object) -> str:
    """Text that cannot become markup: special characters are escaped, white space is one space."""
    return SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", str(text)).strip())


def shown(value: Any) -> str:
    """A scalar as people read it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:,}" if isinstance(value, int) else str(value)


def html(document: Document) -> bytes:
    """The document as one page without scripts, fonts or pictures from anywhere."""
    pack = document.pack
    head = f"<p><b>{escape(document.model)}</b></p><p>Rule pack {escape(pack.id)} of {escape(pack.version)}: "
    head += f"{escape(str(pack.head['jurisdiction']))}. {escape(BASIS.replace('`', ''))}</p>"
    missing = "".join(f"<li>{escape(section.number)} {escape(field.label)}</li>" for section, field in gaps(document))
    if missing:
        head += f"<p class=gap>Gaps, to be answered by the provider:</p><ul class=gap>{missing}</ul>"
    body = "".join(section_html(section) for section in document.sections)
    files = "".join(
        f"<li><code>{escape(path)}</code> SHA-256 <code>{digest}</code></li>" for path, digest in document.files.items()
    )
    page = (
        f'<!doctype html>\n<html lang="{escape(document.language)}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(document.title)}</title>'
        f"<style>{STYLE}</style><h1>{escape(document.title)}</h1>{head}{body}"
        f"<h2>Evidence</h2><ul>{files}</ul><h2>Rules</h2>{value_html(rules(pack))}</html>\n"
    )
    return page.encode()


def section_html(section: Section) -> str:
    """One section in its own language."""
    fields = "".join(field_html(field) for field in section.fields)
    title = escape(f"{section.number} {section.title}".strip())
    return f'<section lang="{escape(section.language)}"><h2>{title}</h2><dl>{fields}</dl></section>\n'


def field_html(field: Field) -> str:
    """One field; hovering over its mark shows files and keys."""
    value = field.value
    label = f"<dt>{escape(field.label)}</dt>" if field.label else ""
    if value.value is None:
        return f"{label}<dd{'' if field.optional else ' class=gap'}>{NOT_STATED}</dd>"
    cites = escape("; ".join([*value.cites, *([value.method] if value.method else [])]), quote=True)
    return f'{label}<dd>{value_html(value.value)} <span class=mark title="{cites}">({MARKS[value.origin]})</span></dd>'


def value_html(value: Any) -> str:
    """A table, a list or a text."""
    if isinstance(value, dict):
        return (
            f"<table><tr>{cells(value['columns'], 'th')}</tr>"
            + "".join(f"<tr>{cells(row, 'td')}</tr>" for row in value["rows"])
            + "</table>"
        )
    if isinstance(value, list):
        return "<ul>" + "".join(f"<li>{escape(shown(one))}</li>" for one in value) + "</ul>"
    return escape(shown(value))


def cells(row: Sequence[object], tag: str) -> str:
    """Cells of a table's row."""
    return "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in row)
