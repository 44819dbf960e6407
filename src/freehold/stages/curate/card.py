"""README.md of the curated folder: its head tells `datasets.load_dataset` where the splits are, its body tells people.

The head is the YAML that the Hub documents (https://huggingface.co/docs/hub/datasets-manual-configuration).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from freehold.charter import Charter
from freehold.stages.curate.account import Account, of_source


def card(charter: Charter, account: Account, mixture: dict[str, Any]) -> str:
    """The whole file. Nothing in it depends on time or place."""
    return "\n".join(
        [
            head(account),
            f"# {charter.responsible.name}: curated corpus",
            "",
            f"{account.kept.total():,} documents to train on or held out; {account.dropped.total():,} records were "
            "dropped, each with its reason in `ledger.parquet`. Every document names its licence and its source.",
            "",
            *table(("source", "domain", "documents", "bytes", "licences", "origin"), sources(charter, account)),
            "",
            *table(("language", "documents", "bytes", "held out", "bytes held out"), languages(account)),
            "",
            "What a run over as many bytes as there are reads of it (shares, and how often each byte):",
            "",
            *table(("language", "domain", "available", "target", "achieved", "epochs"), shares(mixture)),
            "",
            *(table(("dropped because of", "records"), sorted(reasons(account).items())) if account.dropped else ()),
            "",
        ]
    )


def head(account: Account) -> str:
    """YAML front matter; slugs and language codes need no quotes."""
    splits = [("train", "documents")] + [("held_out", "held_out")] * bool(account.held_out_documents.total())
    lines = ["---", "license: other", "license_name: per-document", "language:"]
    lines += [f"- {code}" for code in sorted(account.training)]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split, folder in splits:
        lines += [f"  - split: {split}", f"    path: {folder}/*.parquet"]
    return "\n".join([*lines, "---", ""])


def sources(charter: Charter, account: Account) -> Iterable[Sequence[Any]]:
    """Every source that gave documents."""
    for source in charter.sources:
        licences = ", ".join(sorted(of_source(account.licences, source.name)))
        kept, size = account.kept[source.name], account.kept_bytes[source.name]
        yield source.name, source.domain or "–", kept, size, licences, source.origin


def languages(account: Account) -> Iterable[Sequence[Any]]:
    """What there is in every language."""
    for code in sorted(account.training):
        counts = (account.training_documents, account.training, account.held_out_documents, account.held_out)
        yield code, *(count[code] for count in counts)


def shares(mixture: dict[str, Any]) -> Iterable[Sequence[Any]]:
    """The rows of mixture.json."""
    for row in mixture["rows"]:
        percent = (f"{row['target']:.1%}", f"{row['achieved']:.1%}")
        yield row["language"], row["domain"] or "–", row["available"], *percent, f"{row['epochs']:.2f}"


def reasons(account: Account) -> dict[str, int]:
    """Reason → records."""
    found: dict[str, int] = {}
    for (_, reason), times in account.dropped.items():
        found[reason] = found.get(reason, 0) + times
    return found


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A Markdown table; numbers with thousands apart."""
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return lines + [f"| {' | '.join(cell(value) for value in row)} |" for row in rows]


def cell(value: Any) -> str:
    """A value in a table, on one line and without a bar that would end the cell."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
