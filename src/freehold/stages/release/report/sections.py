"""The sections of the report, each one from facts to markup."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from freehold.law import generate, packs
from freehold.page.markup import Markup, tag
from freehold.page.parts import folded, minutes, note, section, table
from freehold.stages.release.card import count, licence_of, listed, settings
from freehold.stages.release.facts import Facts, fairness_rows, fertility_rows
from freehold.stages.release.languages import english_name, short_code
from freehold.stages.release.memory import canary_rows, memory_rows
from freehold.stages.release.report import plots

SHOWN_CHARACTERS = 700  # of a completion
SHOWN_PER_LANGUAGE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the report says about the proof: who signs with which key, and what each stage took and made."""

    party: str
    fingerprint: str
    weights: str  # SHA-256 of the shipped weights, the last checkpoint of the chain
    stages: Sequence[Mapping[str, Any]]  # name, digest, seconds


def quality(facts: Facts) -> Markup:
    """Bits per byte beside the references."""
    better = [code for code, row in facts.bits_per_byte.items() if row["model"] < min(row["ngram5"], row["xz"])]
    every = len(better) == len(facts.bits_per_byte)
    some = f"in {len(better)} of {len(facts.bits_per_byte)} languages" if better else "in no language"
    verdict = "in every language" if every else some
    rows = [
        [english_name(code), f"{row['model']:.3f}", f"{row['ngram5']:.3f}", f"{row['xz']:.3f}", f"{row['bytes']:,}"]
        for code, row in facts.bits_per_byte.items()
    ]
    return section(
        "How well does it know its languages?",
        tag(
            "p",
            "How many bits the model needs for each byte of text it has never seen; less is better. ",
            tag("strong", f"It beats both references {verdict}."),
        ),
        plots.bits_per_byte(facts).inline(),
        folded("The figures", table(["language", "model", "5-gram", "xz", "bytes"], rows, numbers=4)),
        note(
            "Whole documents held out before training. The 5-gram model is an interpolated Witten-Bell model over "
            "bytes, trained on exactly the text the model saw; xz compresses each document alone."
        ),
    )


def choice(facts: Facts) -> Markup | None:
    """Multiple choice with intervals; None where no pack was asked."""
    if not facts.choice:
        return None
    rows = [
        [
            pack,
            f"{100 * row['accuracy']:.1f} %",
            f"{100 * row['low']:.1f} to {100 * row['high']:.1f} %",
            f"{100 * row['chance']:.1f} %",
            f"{row['n']:,}",
        ]
        for pack, row in facts.choice.items()
    ]
    guesses = [pack for pack, row in facts.choice.items() if row["low"] <= row["chance"]]
    told = (
        f"On {listed(guesses)} the interval does not lie above chance: its answers cannot be told from guessing."
        if guesses
        else "Every interval lies above chance."
    )
    return section(
        "Does it know answers?",
        tag("p", told),
        table(["questions", "right", "95 % interval", "chance", "number"], rows, numbers=4),
    )


def samples(facts: Facts) -> Markup | None:
    """What it writes, prompt and continuation told apart."""
    shown: list[Mapping[str, Any]] = []
    for row in facts.completions:
        if sum(other["language"] == row["language"] for other in shown) < SHOWN_PER_LANGUAGE:
            shown.append(row)
    if not shown:
        return None
    return section(
        "What does it write?",
        tag("p", "The beginning of a document it has never seen, and ", tag("strong", "its own continuation"), "."),
        *(quote(row) for row in shown),
        note("Chosen by the SHA-256 of the documents' ids, not by hand. Read them as style, never as law."),
    )


def quote(row: Mapping[str, Any]) -> Markup:
    """One prompt with its continuation."""
    text = re.sub(r"\n\s*\n", "\n", str(row["completion"]).rstrip())  # blank lines only cost room
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"
    said = tag("p", str(row["prompt"]), tag("mark", cut), lang=short_code(str(row["language"])), dir="auto")
    return tag("blockquote", said, tag("footer", english_name(str(row["language"]))))


def memory(facts: Facts) -> Markup | None:
    """What it knows by heart; None where that was not measured."""
    passages, planted = memory_rows(facts), canary_rows(facts)
    if not passages and not planted:
        return None
    half = facts.memorisation.get("continuation_tokens")
    told = f"Given {half} tokens of a document, how many of the next {half} does it write just as they stood?"
    columns = ["canaries in", "times read", "exposure (bits)", "estimate", "extracted"]
    return section(
        "What does it know by heart?",
        tag("p", told) if passages else None,
        plots.memory(facts).inline() if passages else None,
        folded("By language", table(["language", "read", "mean tokens", "all", "passages"], passages, numbers=3))
        if passages
        else None,
        table(columns, [[f"{times} documents", *row] for times, *row in planted], numbers=4) if planted else None,
        note(
            "It always takes its likeliest token. What it never read is the control: law repeats itself. Canaries are "
            "random letters planted to be found; exposure is how much likelier they became than letters that were not."
        ),
    )


def learning(facts: Facts) -> Markup:
    """The loss curve."""
    last = facts.curve[-1] if facts.curve else {}
    steps = f"{int(last['step']):,} steps" if "step" in last else "its steps"
    return section(
        "How did it learn?",
        tag("p", f"Training loss in nats per token over {steps}: each step faint, their running mean drawn."),
        plots.loss(facts).inline(),
    )


def fairness(facts: Facts) -> Markup:
    """What each language pays in tokens."""
    rows = fairness_rows(facts)
    return section(
        "Does its tokenizer treat languages alike?",
        tag(
            "p",
            "What the same content costs in tokens, as a multiple of the best-served language. "
            f"Gini {facts.fairness['gini']:.3f}, where 0 is equality.",
        ),
        plots.premium(facts).inline(),
        extension(facts),
        folded("The figures", table(["language", "premium", "tokens", "bytes a token"], rows, numbers=3)),
        note(f"Measured as {facts.fairness['measure']}."),
    )


def extension(facts: Facts) -> Markup | None:
    """What new tokens changed; None where there are none."""
    if facts.base is None or not facts.base.new_tokens:
        return None
    text = f"{facts.base.new_tokens:,} tokens were added to those of {facts.base.name}."
    rows = table(["language", "tokens before", "now", ""], fertility_rows(facts.base), numbers=3)
    return tag("div", tag("p", text), rows)


def sources(facts: Facts) -> Markup:
    """Where every text came from, and by which right."""
    rows = [
        [
            str(source["name"]),
            listed([english_name(code) for code in source.get("languages", {})]),
            licence_of(source),
            str(source.get("origin") or ""),
            f"{int(source.get('documents_kept', 0)):,}",
            f"{int(source.get('bytes_kept', 0)) / 1e6:.2f}",
        ]
        for source in facts.sources
    ]
    return section(
        "What did it read, and by which right?",
        tag(
            "p",
            "Training draws from this text; the table names every source with all that was kept, held-out text too.",
        ),
        plots.text_by_language(facts).inline(),
        table(["source", "languages", "licence", "origin", "documents", "MB"], rows, numbers=2),
        note("evidence/corpus/sources.jsonl names every source file with its SHA-256 and how opt-outs were checked."),
    )


def left_out(facts: Facts) -> Markup | None:
    """What curation dropped; None when nothing was."""
    if not facts.drops:
        return None
    return section(
        "What was left out?",
        tag("p", f"{sum(facts.drops.values()):,} documents did not enter, each for one reason that the ledger keeps."),
        plots.drops(facts).inline(),
    )


def recipe(facts: Facts) -> Markup:
    """Shape and recipe."""
    rows = [[name, value] for name, value in settings(facts)]
    return section(
        "How was it made?",
        tag(
            "p",
            f"Depth {facts.config['num_hidden_layers']}, width {facts.config['hidden_size']}, "
            f"{count(facts.parameters)} parameters stored as {facts.precision}, context "
            f"{facts.config['max_position_embeddings']:,} tokens.",
        ),
        folded("Every setting", table(["setting", "value"], rows)),
    )


def law() -> Markup:
    """Links to the documents that law asks for, and to the bill of materials."""
    titles = {layout["id"]: layout["title"] for pack in packs.current() for layout in pack.documents}
    links = [tag("a", title, href=f"{generate.FOLDER}/{name}.html") for name, title in titles.items()]
    bill = tag("a", "Bill of materials (CycloneDX 1.7)", href=generate.BOM)
    return section(
        "What does the law ask for?",
        tag("p", "Generated from the evidence; what people declared is marked, and what nobody stated is listed."),
        tag("ul", *(tag("li", link) for link in (*links, bill))),
    )


def evidence(facts: Facts, signed: Signed) -> Markup:
    """Digests, and how to check them."""
    rows = [[str(stage["name"]), str(stage["digest"]), minutes(float(stage["seconds"]))] for stage in signed.stages]
    command = f"freehold verify RELEASE --trust {signed.party}.pub"
    return section(
        "How can I check all this?",
        tag(
            "p",
            "Every file of this release is listed with its SHA-256 and signed; every stage swears to what it took "
            f"and what it made; {facts.segments:,} links lead from {first_weights(facts)} to the ones "
            "shipped here. Nothing that this page says has to be believed:",
        ),
        tag("pre", tag("code", command)),
        tag(
            "p",
            "It runs offline, says PASS, FAIL or NOT CHECKED for each check, and names the byte that was changed. Get "
            "the publisher's public key from the publisher, never from the release. evidence/README.md shows the same "
            "without Freehold.",
        ),
        table(
            ["", ""],
            [
                ["Signed by", signed.party],
                ["Key (SHA-256)", signed.fingerprint],
                ["Weights (SHA-256)", signed.weights],
            ],
        ),
        tag("h3", "The stages"),
        table(["stage", "artifact (SHA-256)", "took"], rows, numbers=1),
        note(
            "Replay and spot checks catch drift and tampering, not a publisher who builds a consistent false chain "
            "from the start; and no list can prove that it names every input."
        ),
    )


def first_weights(facts: Facts) -> str:
    """What the chain begins with, in words."""
    if facts.base is None:
        return "the random weights of a published seed"
    return f"the weights of the open model {facts.base.name} (SHA-256 {facts.base.weights[:16]}…)"
