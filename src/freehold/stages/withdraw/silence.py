"""W2: the filter by which serving will not say withdrawn text, and how often it is wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import InputError
from freehold.proof.log import withdrawn_filter
from freehold.proof.log.withdrawals import alone, filter_path
from freehold.proof.writing import write
from freehold.stages.withdraw.resolve import texts_in, texts_of
from freehold.text.withdrawn import WIDTH, filter_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A filter, ready to be kept, with its measures."""

    data: bytes
    windows: int  # that it knows
    elsewhere: int  # that also stand in a document that stays, and are left out
    others: int  # held-out documents it was tried on
    wronged: int  # in which it would have stopped something
    share: float  # of their characters that it would have stopped

    @property
    def digest(self) -> str:
        """SHA-256 of its file."""
        return withdrawn_filter.digest(self.data)


def silence(artifact: Path, *, ids: Collection[str], gone: Collection[str]) -> Silence:
    """A filter of some documents of a curate artifact; `gone` are all that are withdrawn, these included.

    Reads the whole corpus once. Raises InputError where every one of them is too short, or shared with others.
    """
    texts = texts_of(artifact, ids)
    known, elsewhere = filter_of(
        texts.values(), staying=(text for _, text in texts_in(artifact / "documents", lambda name: name not in gone))
    )
    if not len(known.hashes):
        why = f"all {elsewhere:,} also stand in documents that stay" if elsewhere else "they are shorter than that"
        message = f"no window of {WIDTH[False]} words ({WIDTH[True]} characters) is theirs alone: {why}"
        raise InputError(message, remedy="withdraw what is like them too, or use --level W1")
    if len(data := known.file().data()) > withdrawn_filter.MAX_FILTER_BYTES:
        raise InputError(f"{len(known.hashes):,} windows are too many for one filter", remedy="withdraw fewer at once")
    others = wronged = stopped = characters = 0
    for _, text in texts_in(artifact / "held_out", lambda name: name not in gone):
        spans = known.emits(text)
        others, wronged, characters = others + 1, wronged + bool(spans), characters + len(text)
        stopped += sum(span.end - span.start for span in spans)
    return Silence(
        data=data,
        windows=len(known.hashes),
        elsewhere=elsewhere,
        others=others,
        wronged=wronged,
        share=stopped / max(1, characters),
    )


def keep(log: Path, made: Silence) -> Path:
    """Write the filter before the log names it; a killed call leaves a file that nobody names.

    Raises InputError where another withdrawal is being written: two would write the same temporary file.
    """
    path = filter_path(log, made.digest)
    with alone(log):
        write(path, made.data)
    return path
