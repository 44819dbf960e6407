"""What the model knows by heart, as it is printed."""

from __future__ import annotations

from freehold.proof.scores import HELD_OUT, in_order
from freehold.stages.release.facts import Facts
from freehold.stages.release.languages import english_name
from freehold.stages.release.markdown import grid


def memory(facts: Facts) -> str:
    """What it continues word for word, by how often it was read, and the planted canaries."""
    lines: list[str] = []
    if passages := memory_rows(facts):
        half = facts.memorisation["continuation_tokens"]
        lines += [
            f"Given {half} tokens of a document, how far does it go on word for word with its likeliest tokens?",
            f"At most {half} tokens were compared; text that it never read is the control.",
            "",
            *grid(("language", "read", "mean tokens", "all of them", "passages"), passages, right=3),
            "",
        ]
    if planted := canary_rows(facts):
        lines += [
            "Canaries are random letters that were planted in the training text. Exposure is how much likelier they",
            "became than letters that were not: 0 to 8 bits by rank; the estimate goes on by a fitted normal curve.",
            "",
            *grid(("documents with it", "times read", "exposure", "estimate", "extracted"), planted, right=4),
            "",
        ]
    return "\n".join([*lines, "`evidence/evaluation/memorisation.json` has every passage and canary.", ""])


def memory_rows(facts: Facts) -> list[tuple[str, str, str, str, str]]:
    """Language, how often read, mean tokens continued, share continued to the end and passages, as they are printed."""
    return [
        (
            "all languages" if code == "all" else english_name(code),
            "never (held out)" if times == HELD_OUT else f"{times} ×",
            f"{row['mean_tokens']:.1f}",
            f"{100 * row['verbatim']:.1f} %",
            f"{row['passages']:,}",
        )
        for code, by_times in facts.memorisation.get("passages", {}).items()
        for times, row in in_order(by_times)
    ]


def canary_rows(facts: Facts) -> list[tuple[str, str, str, str, str]]:
    """Documents with a canary, times read, exposure, its estimate and how many were extracted, as printed."""
    return [
        (
            times,
            f"{row['read']:.1f}",
            f"{row['exposure']:.1f}",
            f"{row['estimate']:.1f}",
            f"{row['extracted']} of {row['canaries']}",
        )
        for times, row in in_order(facts.memorisation.get("canaries", {}))
    ]
