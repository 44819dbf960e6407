"""The sections of the page, each from what was gathered to markup. Every text goes through `tag`, which escapes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from freehold.page.charts import Bar, bars
from freehold.page.loss import brief
from freehold.page.markup import Markup, join, tag
from freehold.page.parts import folded, note, table, tiles
from freehold.sight.corpus.bounds import Bounds
from freehold.sight.corpus.facts import Cluster, Facts, total
from freehold.sight.corpus.reasons import STEPS, may_be_shown, step_of
from freehold.sight.corpus.samples import Change, Samples
from freehold.text.differences import Piece, visible

KINDS: Final = {
    "exact": "the same text",
    "near": "nearly the same text",
    "family": "alike, kept on one side of the held-out split",
    "boilerplate": "passages in common",
}


def everything(title: str, facts: Facts, samples: Samples, *, bounds: Bounds) -> list[Markup]:
    """In the order in which a steward asks: how much is left, from whom, in what language, why the rest went."""
    parts = {
        "flow": ("From read to kept", flow(facts)),
        "sources": ("Sources", sources(facts, bounds=bounds)),
        "languages": ("Languages", languages(facts)),
        "licences": ("Licences", licences(facts, bounds=bounds)),
        "reasons": ("Reasons for drops", reasons(facts, samples, bounds=bounds)),
        "ledger": ("Dropped records", ledger(facts, bounds=bounds)),
        "clusters": ("Copies and families", clusters(facts, samples, bounds=bounds)),
        "changes": ("Before and after", changes(samples, bounds=bounds)),
    }
    shown = {name: part for name, part in parts.items() if part[1] is not None}
    links = [tag("a", name, href=f"#{anchor}") for anchor, (name, _) in shown.items()]
    cards = [tag("section", tag("h2", name), content, id=anchor) for anchor, (name, content) in shown.items()]
    return [*heading(title, facts), tag("nav", *links, aria_label="sections"), *cards]


def heading(title: str, facts: Facts) -> list[Markup]:
    """The corpus in a few figures."""
    told = facts.summary
    size = sum(told["bytes"].values())
    held = told["held_out"]
    figures = [
        ("Records read", f"{told['documents_read']:,}"),
        ("Documents kept", f"{told['documents_kept']:,}"),
        ("To train on", f"{brief(size)}B"),
        ("Held out", f"{brief(sum(held['bytes'].values()))}B"),
        ("Sources", f"{len(facts.sources):,}"),
        ("Dropped", f"{sum(told['drops'].values()):,}"),
    ]
    return [
        tag("p", "Corpus", class_="kicker"),
        tag("h1", title),
        tag("p", "What was read, what is kept, and why the rest stayed behind.", class_="lead"),
        tiles(figures),
    ]


def flow(facts: Facts) -> Markup:
    """What each step left of the records."""
    told = facts.summary
    by_step = total({step_of(reason): count} for reason, count in told["drops"].items())
    left, rows = told["documents_read"], []
    for step in STEPS:
        if by_step[step]:
            left -= by_step[step]
            rows.append([step, f"{by_step[step]:,}", f"{left:,}"])
    held = sum(told["held_out"]["documents"].values())
    rows += [["held out, never trained on", f"{held:,}", f"{left - held:,}"]]
    changed = {**told.get("replaced", {}), **told.get("repairs", {})}
    said = ", ".join(f"{name} {count:,}" for name, count in changed.items() if isinstance(count, int) and count)
    return join(
        table(["step", "taken out", "left"], [["read", "", f"{told['documents_read']:,}"], *rows], numbers=2),
        note(f"Replaced by placeholders or repaired in kept texts: {said}.") if said else None,
    )


def sources(facts: Facts, *, bounds: Bounds) -> Markup:
    """Every source with its right."""
    shown = facts.sources[: bounds.sources]
    rows = [
        [
            cut(source["name"], bounds),
            cut(source.get("licence") or ", ".join(source["licences"]) or "–", bounds),
            cut(source.get("statute") or "–", bounds),
            cut(source["origin"], bounds),
            f"{len(source['files']):,}",
            f"{source['documents_read']:,}",
            f"{source['documents_kept']:,}",
            f"{source['bytes_kept']:,}",
        ]
        for source in shown
    ]
    names = ["source", "licence", "statute", "origin", "files", "read", "kept", "bytes kept"]
    rest = len(facts.sources) - len(shown)
    return join(
        browsed("of-sources", names, rows, numbers=4),
        note(f"{rest:,} more are in sources.jsonl.") if rest else None,
    )


def languages(facts: Facts) -> Markup:
    """How much of each language there is to train on."""
    size, held = facts.summary["bytes"], facts.summary["held_out"]
    whole = sum(size.values()) or 1
    order = sorted(size, key=lambda code: (-size[code], code))
    chart = bars(
        [
            (code, [Bar(value=size[code], text=f"{brief(size[code])}B, {100 * size[code] / whole:.1f} %")])
            for code in order
        ],
        title="Bytes to train on, by language",
        summary=", ".join(f"{code} {100 * size[code] / whole:.1f} %" for code in order),
    )
    rows = [
        [
            code,
            f"{facts.summary['documents'][code]:,}",
            f"{size[code]:,}",
            f"{held['documents'][code]:,}",
            f"{held['bytes'][code]:,}",
        ]
        for code in order
    ]
    names = ["language", "documents", "bytes", "held-out documents", "held-out bytes"]
    return join(chart.inline(), table(names, rows, numbers=4), mixture(facts))


def mixture(facts: Facts) -> Markup | None:
    """What shares the charter asks for and what the corpus allows."""
    if not facts.mixture or not facts.mixture["rows"]:
        return None
    rows = [
        [
            "/".join(row[name] for name in ("language", "domain") if row[name]),
            f"{row['available']:,}",
            f"{row['target']:.1%}",
            f"{row['achieved']:.1%}",
            f"{row['epochs']:.2f}",
        ]
        for row in facts.mixture["rows"]
    ]
    names = ["language and domain", f"{facts.mixture['unit']} there are", "wanted", "reached", "epochs"]
    return join(tag("h3", "Mixture"), table(names, rows, numbers=4))


def licences(facts: Facts, *, bounds: Bounds) -> Markup:
    """Documents under each licence."""
    counts = total(source["licences"] for source in facts.sources)
    rows = [[cut(name, bounds), f"{count:,}"] for name, count in counts.most_common(bounds.reasons)]
    return join(table(["licence", "documents kept"], rows, numbers=1), grounds(facts, bounds=bounds))


def grounds(facts: Facts, *, bounds: Bounds) -> Markup | None:
    """What was kept and refused on which ground, as the rights report has it."""
    if not facts.rights:
        return None
    rows = [
        [
            *(cut(row[name] or "–", bounds) for name in ("source", "licence")),
            cut(row["statute"] or row["ground"] or "–", bounds),
            row["outcome"],
            cut(row["reason"] or "", bounds),
            f"{row['documents']:,}",
        ]
        for row in facts.rights["rows"][: bounds.sources]
    ]
    names = ["source", "licence", "ground", "outcome", "reason", "documents"]
    return join(tag("h3", "Rights report"), browsed("of-rights", names, rows, numbers=1))


def reasons(facts: Facts, samples: Samples, *, bounds: Bounds) -> Markup:
    """Every reason with its number and some of its records."""
    counts = sorted(facts.summary["drops"].items(), key=lambda entry: (-entry[1], entry[0]))[: bounds.reasons]
    if not counts:
        return tag("p", "Nothing was dropped.")
    chart = bars(
        [(f"{reason} ({step_of(reason)})", [Bar(value=count, text=f"{count:,}")]) for reason, count in counts],
        title="Records dropped, by reason",
        summary=", ".join(f"{reason} {count:,}" for reason, count in counts[:8]),
    )
    shown = [folded(f"Examples of {reason}", examples(reason, facts, samples, bounds=bounds)) for reason, _ in counts]
    closed = (
        "Texts that were refused by right, by an opt-out or for privacy are never shown; personal values are replaced."
    )
    return join(chart.inline(), *shown, note(closed))


def examples(reason: str, facts: Facts, samples: Samples, *, bounds: Bounds) -> Markup:
    """Some records dropped for one reason."""
    rows = [row for row in facts.drops if row["reason"] == reason][: bounds.examples]
    items = []
    for row in rows:
        text = samples.snippets.get((row["source"], row["id"], reason)) if may_be_shown(reason) else None
        seen = tag("q", visible(text)) if text else None
        items.append(tag("li", tag("code", cut(row["id"], bounds)), " ", cut(row["detail"], bounds), seen))
    return tag("ul", *items, class_="examples")


def ledger(facts: Facts, *, bounds: Bounds) -> Markup | None:
    """Lines of the ledger to search."""
    if not facts.drops:
        return None
    whole = sum(facts.summary["drops"].values())
    rows = [[cut(row[name], bounds) for name in ("id", "source", "reason", "detail")] for row in facts.drops]
    part = f"{len(rows):,} of {whole:,}, of every reason some; all are in ledger.parquet. " if whole > len(rows) else ""
    return join(
        note(f"{part}freehold curate CHARTER --explain ID tells the whole story of one."),
        browsed("of-drops", ["id", "source", "reason", "detail"], rows),
    )


def clusters(facts: Facts, samples: Samples, *, bounds: Bounds) -> Markup | None:
    """Sets of documents that are alike, with two of each compared."""
    if not facts.clusters:
        return None
    counted = ", ".join(f"{count:,} of {KINDS.get(kind, kind)}" for kind, count in facts.clustered.items())
    shown = [cluster_of(one, samples.pairs.get(place), bounds=bounds) for place, one in enumerate(facts.clusters)]
    return join(note(f"Clusters: {counted}. The largest are shown."), *shown)


def cluster_of(cluster: Cluster, pair: Sequence[Piece] | None, *, bounds: Bounds) -> Markup:
    """One cluster."""
    words = ("passage cut", "passage kept") if cluster.kind == "boilerplate" else ("dropped", "kept")
    rows = [
        [
            cut(row["id"], bounds),
            cut(row["source"] or "an earlier release", bounds),
            words[bool(row["kept"])],
            "–" if row["similarity"] is None else f"{row['similarity']:.2f}",
        ]
        for row in cluster.members
    ]
    title = f"{cluster.size:,} documents, {KINDS.get(cluster.kind, cluster.kind)}: {rows[0][0]}"
    beside = None if pair is None else two(pair, left=rows[0][0], right=rows[1][0])
    return folded(title, join(table(["id", "source", "", "similarity"], rows, numbers=1), beside))


def two(pieces: Sequence[Piece], *, left: str, right: str) -> Markup:
    """Two texts side by side; below one another where there is no room."""
    one = tag("div", tag("h4", left), difference(piece for piece in pieces if piece.kind != "added"))
    other = tag("div", tag("h4", right), difference(piece for piece in pieces if piece.kind != "removed"))
    return tag("div", one, other, class_="two")


def changes(samples: Samples, *, bounds: Bounds) -> Markup | None:
    """Documents before and after."""
    if not samples.changes:
        return None
    legend = tag(
        "p", tag("del", "taken out"), " ", tag("ins", "put in"), " ", tag("mark", "<PLACEHOLDER>"), class_="diff"
    )
    said = "A few documents of each source in which something changed, chosen by their names alone."
    return join(note(said), legend, *(change_of(change, bounds=bounds) for change in samples.changes))


def change_of(change: Change, *, bounds: Bounds) -> Markup:
    """One document."""
    repairs = ", ".join(f"{rule} {count:,}" for rule, count in sorted(change.repairs.items()))
    page = "The text as it was taken out of a web page, against what is kept." if change.markup else None
    return folded(
        f"{cut(change.id, bounds)} ({cut(change.source, bounds)})",
        join(
            note(page) if page else None, note(f"Repairs: {repairs}.") if repairs else None, difference(change.pieces)
        ),
    )


def difference(pieces: Iterable[Piece]) -> Markup:
    """Pieces of a comparison as one text."""
    marks = {"removed": "del", "added": "ins", "replaced": "mark"}
    shown = []
    for piece in pieces:
        if piece.kind == "gap":
            shown.append(tag("i", f" [… {int(piece.text):,} characters …] "))
        elif piece.kind in marks:
            shown.append(tag(marks[piece.kind], visible(piece.text)))
        else:
            shown.append(join(piece.text))
    return tag("div", *shown, class_="diff", tabindex=0)


def browsed(name: str, names: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> Markup:
    """A table that can be searched and sorted; without scripts it is just a table."""
    field = tag("input", type="search", aria_label=f"search {name}", placeholder="search", autocomplete="off")
    find = tag("div", field, tag("output", "", aria_live="polite"), class_="find", data_for=name, hidden="")
    return join(find, table(names, rows, numbers=numbers, name=name, long=True))


def cut(text: str, bounds: Bounds) -> str:
    """A short text, visible and bounded."""
    seen = visible(text)
    return seen if len(seen) <= bounds.field else seen[: bounds.field] + "…"
