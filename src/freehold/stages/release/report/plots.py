"""The plots of a release: each one a chart of facts, for the page and as a file of its own."""

from __future__ import annotations

from freehold.page.charts import Bar, Chart, bars
from freehold.page.loss import loss_chart
from freehold.proof.scores import HELD_OUT, in_order
from freehold.stages.release.facts import Facts
from freehold.stages.release.languages import english_name


def loss(facts: Facts) -> Chart:
    """Training loss over tokens."""
    return loss_chart(facts.curve, vocabulary=facts.config["vocab_size"])


def bits_per_byte(facts: Facts) -> Chart:
    """Model, 5-gram and xz side by side per language."""
    roles = (("model", "model"), ("ngram5", "five"), ("xz", "xz"))
    groups = [
        (english_name(code), [Bar(value=row[key], text=f"{row[key]:.2f}", role=role) for key, role in roles])
        for code, row in facts.bits_per_byte.items()
    ]
    said = "; ".join(
        f"{english_name(code)}: model {row['model']:.2f}, 5-gram {row['ngram5']:.2f}, xz {row['xz']:.2f}"
        for code, row in facts.bits_per_byte.items()
    )
    legend = (("model", "this model"), ("five", "5-gram model on the same text"), ("xz", "xz -9e"))
    return bars(groups, title="Bits per byte on held-out text, less is better", summary=said, legend=legend)


def memory(facts: Facts) -> Chart:
    """Tokens continued word for word by how often the text was read, all languages together."""
    rows = facts.memorisation["passages"]["all"]
    groups = [
        (
            "never read (held out)" if times == HELD_OUT else f"read {times} ×",
            [
                Bar(
                    value=row["mean_tokens"],
                    text=f"{row['mean_tokens']:.1f}",
                    role="xz" if times == HELD_OUT else "model",
                )
            ],
        )
        for times, row in in_order(rows)
    ]
    said = ", ".join(f"{name}: {row[0].text}" for name, row in groups)
    return bars(groups, title="Tokens continued word for word, in the mean", summary=said)


def premium(facts: Facts) -> Chart:
    """What the same content costs in tokens, the best-served language being 1."""
    rows = sorted(facts.fairness["languages"].items(), key=lambda item: (item[1]["premium"], item[0]))
    groups = [(english_name(code), [Bar(value=row["premium"], text=f"{row['premium']:.2f} ×")]) for code, row in rows]
    said = ", ".join(f"{english_name(code)} {row['premium']:.2f}" for code, row in rows)
    return bars(groups, title="Tokens for the same content, as a multiple of the best-served language", summary=said)


def text_by_language(facts: Facts) -> Chart:
    """Text that training draws from, per language and licence."""
    groups = [
        (
            f"{english_name(language)} · {licence}",
            [Bar(value=text.size_bytes, text=f"{text.size_bytes / 1e6:.2f} MB")],
        )
        for (language, licence), text in facts.text.items()
    ]
    said = ", ".join(f"{name}: {row[0].text}" for name, row in groups)
    return bars(groups, title="Text per language and licence", summary=said)


def drops(facts: Facts) -> Chart:
    """Documents left out per reason."""
    groups = [
        (reason.replace("-", " "), [Bar(value=number, text=f"{number:,}", role="xz")])
        for reason, number in facts.drops.items()
    ]
    said = ", ".join(f"{reason} {number}" for reason, number in facts.drops.items())
    return bars(groups, title="Documents left out, by reason", summary=said)
