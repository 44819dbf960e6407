"""The model card: README.md of the model folder. A function of the artifacts alone, so its bytes are too."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from freehold.stages.release.facts import Facts, fairness_rows, fertility_rows
from freehold.stages.release.languages import english_name, short_code
from freehold.stages.release.markdown import cell, grid
from freehold.stages.release.memory import memory

# Names that the model hub's `license` field knows; any other licence is given as "other" with its name.
HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "CC0-1.0": "cc0-1.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "EUPL-1.2": "eupl-1.2",
    "etalab-2.0": "etalab-2.0",
    "GPL-3.0-only": "gpl-3.0",
}
SMALL = 1_000_000_000  # parameters


def model_card(facts: Facts) -> str:
    """Markdown with a YAML head as model hubs read it."""
    parts = [
        head(facts),
        f"# {facts.title}\n",
        introduction(facts),
        "## Quality\n",
        quality(facts),
        *(["## Memory\n", memory(facts)] if facts.memorisation else []),
        "## Data\n",
        data(facts),
        "## Tokenizer\n",
        tokenizer(facts),
        "## Training\n",
        training(facts),
        "## Limits\n",
        limits(facts),
        "## Use\n",
        usage(facts),
        "## Verify\n",
        verification(facts),
    ]
    return "\n".join(parts)


def head(facts: Facts) -> str:
    """The YAML that hubs index; every text is written as JSON, which YAML reads."""
    known = HUB_LICENCES.get(facts.licence)
    lines = ["---", f"license: {known or 'other'}"]
    lines += [] if known else [f"license_name: {json.dumps(facts.licence, ensure_ascii=False)}"]
    lines += ["language:", *(f"- {json.dumps(short_code(code))}" for code in facts.languages)]
    lines += ["pipeline_tag: text-generation", "library_name: transformers", "tags:", "- freehold"]
    lines += [f"model_name: {json.dumps(facts.title, ensure_ascii=False)}", "---", ""]
    return "\n".join(lines)


def introduction(facts: Facts) -> str:
    """What it is, who answers for it, and how small it is."""
    names = listed([english_name(code) for code in facts.languages])
    text = (
        f"A language model with {count(facts.parameters)} parameters for {names}, trained {began(facts)} on "
        f"{count(trained_tokens(facts))} tokens of documents whose licences are listed below. {facts.responsible} "
        f"({facts.country}) answers for it{f': {facts.contact}' if facts.contact else ''}.\n"
    )
    if facts.parameters < SMALL:
        text += (
            "\n**It is small.** It continues text in the manner of its sources. It does not know facts, gives no "
            "advice, and what it says about law may be wrong.\n"
        )
    return text


def began(facts: Facts) -> str:
    """Where training began: ``from random weights``, or which open model it went on from."""
    base = facts.base
    return "from random weights" if base is None else f"onwards from the open model {base.name} ({base.licence})"


def quality(facts: Facts) -> str:
    """Bits per byte beside two references on the same held-out bytes, and multiple choice where it was asked."""
    lines = [
        "Bits per byte on held-out documents that training never saw; less is better. `xz -9e` compresses each",
        "document alone; the 5-gram model (interpolated Witten-Bell over bytes) was trained on exactly the text that",
        "the model saw.",
        "",
        *grid(
            ("language", "model", "5-gram", "xz", "bytes"),
            [
                (
                    english_name(code),
                    f"{row['model']:.3f}",
                    f"{row['ngram5']:.3f}",
                    f"{row['xz']:.3f}",
                    f"{row['bytes']:,}",
                )
                for code, row in facts.bits_per_byte.items()
            ],
            right=4,
        ),
    ]
    if facts.choice:
        rows = [
            (
                cell(pack),
                f"{100 * row['accuracy']:.1f} %",
                f"{100 * row['low']:.1f}-{100 * row['high']:.1f} %",
                f"{100 * row['chance']:.1f} %",
                f"{row['n']:,}",
            )
            for pack, row in facts.choice.items()
        ]
        lines += [
            "",
            "Multiple choice:",
            "",
            *grid(("pack", "right", "95 % interval", "chance", "questions"), rows, right=4),
        ]
    return "\n".join([*lines, ""])


def data(facts: Facts) -> str:
    """Every source with licence, languages and attribution."""
    rows = [
        (
            cell(source["name"]),
            listed([english_name(code) for code in source.get("languages", {})]),
            cell(licence_of(source)),
            cell(source.get("origin") or ""),
            f"{source.get('documents_kept', 0):,}",
            f"{source.get('bytes_kept', 0) / 1e6:.2f}",
        )
        for source in facts.sources
    ]
    dropped = sum(facts.drops.values())
    return "\n".join(
        [
            *grid(("source", "languages", "licence", "origin (attribution)", "documents", "MB"), rows, right=2),
            "",
            f"{dropped:,} documents were left out, each with its reason in the ledger of curation."
            if dropped
            else "No document was left out.",
            "`evidence/corpus/sources.jsonl` names every source file with its SHA-256.",
            "",
        ]
    )


def tokenizer(facts: Facts) -> str:
    """What the same content costs in each language."""
    base, size = facts.base, facts.config["vocab_size"]
    kind = f"Byte-level BPE, {size:,} tokens."
    if base is not None:
        kind = f"The tokenizer of {base.name}, {base.new_tokens:,} new tokens appended; {size:,} rows."
    lines = [
        f"{kind} Premium: {facts.fairness['measure']}.",
        "",
        *grid(("language", "premium", "tokens", "bytes a token"), fairness_rows(facts), right=3),
        "",
    ]
    if base is not None and base.new_tokens:
        lines += ["What the new tokens changed:", ""]
        lines += [*grid(("language", "tokens before", "tokens now", ""), fertility_rows(base), right=3), ""]
    return "\n".join(lines)


def training(facts: Facts) -> str:
    """The recipe, as it stands in recipe.json."""
    return "\n".join(
        [
            *grid(("setting", "value"), [(f"`{cell(name)}`", cell(value)) for name, value in settings(facts)]),
            "",
            "`evidence/train/recipe.json` has everything that is needed to run it again; the supervised pass has its",
            "own in `evidence/refine/`. The chain in `evidence/train/chain.jsonl` and `evidence/refine/chain.jsonl`",
            f"leads from {source_of_weights(facts)} to the shipped ones.",
            "",
        ]
    )


def source_of_weights(facts: Facts) -> str:
    """What the chain begins with."""
    if facts.base is None:
        return "the seed's random weights"
    return f"the weights of {facts.base.name} (SHA-256 `{facts.base.weights}`)"


def limits(facts: Facts) -> str:
    """What not to expect, and what the evidence does not prove."""
    redacted = listed(list(facts.redacted)) or "nothing: the charter asks for none"
    names = f"names of people by `{facts.names}`" if facts.names else "names of people were not looked for"
    before = (
        ""
        if facts.base is None
        else f"- What {facts.base.name} had learned before, and from which texts, is its publisher's to say: this\n"
        "  evidence begins with its weights.\n"
    )
    return (
        f"- Its context is {facts.config['max_position_embeddings']:,} tokens.\n"
        f"{before}"
        "- It was measured as shown above and on nothing else. No safety training was done.\n"
        f"- Personal data was looked for by pattern and checksum ({redacted}); {names}.\n"
        "- The evidence shows drift and tampering. A publisher who builds a consistent false chain from the start is\n"
        "  caught only by replaying segments, and no list proves that it names every input.\n"
    )


def usage(facts: Facts) -> str:
    """How to load it."""
    beside = (
        f"The release holds no GGUF file: {facts.no_gguf}.\n"
        if facts.no_gguf
        else f"The same weights lie beside it as `gguf/{facts.name}.gguf` for llama.cpp, and for Ollama where it runs\n"
        "models through llama.cpp; releases of it with an engine of their own split numbers in another way.\n"
    )
    return (
        "```python\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("model")\n'
        'model = AutoModelForCausalLM.from_pretrained("model")\n'
        "```\n\n" + beside
    )


def verification(facts: Facts) -> str:
    """What a stranger runs; the digest is that of the shipped weights."""
    return (
        "In the folder that holds `model/` and `evidence/`, with the publisher's public key:\n\n"
        "```sh\nfreehold verify . --trust PUBLISHER.pub\n```\n\n"
        f"`evidence/README.md` says what is checked, and how without Freehold. Responsible: {facts.responsible}.\n"
    )


def settings(facts: Facts) -> list[tuple[str, str]]:
    """Name and value of every scalar of the recipe, the model's shape included."""
    return [(name, value) for name, value in flat(facts.recipe) if name != "format"]


def flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Scalars of nested tables under dotted names; lists and long texts are left to the file itself.

    >>> flat({"seed": 7, "rate": {"muon": 0.02}, "steps": [1, 2]})
    [('seed', '7'), ('rate.muon', '0.02')]
    """
    found: list[tuple[str, str]] = []
    for name, entry in value.items():
        if isinstance(entry, Mapping):
            found += flat(entry, f"{prefix}{name}.")
        elif isinstance(entry, str | int | float) and len(str(entry)) <= 80:
            found.append((f"{prefix}{name}", str(entry)))
    return found


def trained_tokens(facts: Facts) -> int:
    """Tokens the model was trained on, repetitions counted."""
    return int(facts.curve[-1]["tokens"]) if facts.curve else 0


def licence_of(source: Mapping[str, Any]) -> str:
    """A source's licence or those of its documents, and the law that makes it free where there is one."""
    licence = str(source.get("licence") or listed(sorted(source.get("licences", {}))) or "unknown")
    return f"{licence} ({source['statute']})" if source.get("statute") else licence


def listed(names: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def count(number: float) -> str:
    """A large number as people say it: ``count(13_245_184) == '13.2 million'``."""
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{number / size:.1f} {name}"
    return f"{number:,}"
