"""Check 7: the evaluation's figures follow from its rows; asked for, a sample of the answers is scored again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical, scores, statements
from freehold.proof.bundle import (
    ANSWERS,
    COMPLETIONS,
    HELD_OUT,
    MAX_RELEASE_BYTES,
    MEMORISATION,
    RESULTS,
    step_path,
)
from freehold.stages.verify import measured, rescoring
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.claims import loaded, sound
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check, judged

ROUNDING = 0.051  # bits by which the rounded figure of a held-out document may be off

Row = Mapping[str, Any]


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the evaluation; None where a release has no rows of one and none were asked for.

    Raises InputError if the folder of packs that the verifier names is none.
    """
    rescoring.ready(asked)
    present = any(path in contents.listed for path in (ANSWERS, HELD_OUT, MEMORISATION))
    if not present and asked.rescore is None:
        return None
    return judged(7, lambda: evaluated(contents, asked))


def evaluated(contents: Contents, asked: Asked) -> str:
    """What held, in words. Raises GateError at the first figure that does not follow from its rows."""
    results = canonical.load(contents.read(RESULTS, max_bytes=MAX_RELEASE_BYTES), where=RESULTS)
    with_form(isinstance(results, dict), RESULTS)
    told = [answered(contents, table(results, "choice", where=RESULTS))]
    if HELD_OUT in contents.listed:
        told.append(compressed(contents, table(results, "bits_per_byte", where=RESULTS)))
    if MEMORISATION in contents.listed:
        told.append(memorised(contents))
    with sound("evidence/evaluation"):
        consistent(contents, results)
    told.append(rescoring.rescored(contents, asked))
    return "; ".join(filter(None, told))


def consistent(contents: Contents, results: Row) -> None:
    """Rows have their form and name the same documents; the statement tells the same figures."""
    found = {path: list(rows(contents, path)) if path in contents.listed else [] for path in measured.FIELDS}
    for path, fields in measured.FIELDS.items():
        measured.formed(found[path], fields, where=path)
    memory = loaded(contents, MEMORISATION) if MEMORISATION in contents.listed else {}
    passages = memory.get("rows", [])
    measured.formed(passages, measured.PASSAGE, where=MEMORISATION)
    measured.named(found[HELD_OUT], found[COMPLETIONS], passages)
    measured.compared(results)
    where = step_path("evaluate")
    if where in contents.listed:
        measured.told(results, memory, statements.parse(contents.read(where).removesuffix(b"\n"), where=where))


def answered(contents: Contents, choice: Row) -> str:
    """Accuracy, interval, chance and number of every pack follow from its answers."""
    packs: dict[str, list[Row]] = {}
    for number, row in enumerate(rows(contents, ANSWERS) if ANSWERS in contents.listed else (), 1):
        where, taken = f"{ANSWERS}:{number}", row.get("chosen")
        nats: Any = row.get("nats_per_byte")
        with_form(isinstance(nats, list) and len(nats) > 1 and all(map(is_number, nats)), where)
        with_form(isinstance(row.get("pack"), str) and type(row.get("answer")) is int, where)
        if taken != scores.chosen(nats):
            raise GateError(f"{row['pack']}: the choice {taken!r} is not the likeliest", where=where)
        if row.get("correct") is not (taken == row["answer"]):
            raise GateError(f"{row['pack']}: is not told right or wrong as it was answered", where=where)
        packs.setdefault(row["pack"], []).append(row)
    if packs.keys() != choice.keys():
        odd = sorted(packs.keys() ^ choice.keys())[0]
        raise GateError(f"{odd}: has a result without answers, or answers without a result", where=RESULTS)
    for pack, found in packs.items():
        same(choice[pack], scores.accuracy(found), what=pack, where=RESULTS)
    return f"{sum(map(len, packs.values())):,} answers add up" if packs else ""


def compressed(contents: Contents, told: Row) -> str:
    """Bits per byte of every language and model follow from those of its documents, up to their rounding."""
    sums: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows(contents, HELD_OUT), 1):
        where, bits = f"{HELD_OUT}:{number}", row.get("bits")
        with_form(isinstance(row.get("language"), str) and is_count(row.get("bytes")), where)
        with_form(isinstance(bits, dict) and all(map(is_number, bits.values())), where)
        totals = sums.setdefault(row["language"], {"bytes": 0, "documents": 0})
        for name, value in {**row["bits"], "bytes": row["bytes"], "documents": 1}.items():
            totals[name] = totals.get(name, 0) + value
    if sums.keys() != told.keys():
        raise GateError("does not name the languages of the held-out documents", where=RESULTS)
    for language, totals in sums.items():
        figures = told[language]
        with_form(isinstance(figures, dict) and totals["bytes"] > 0, RESULTS)
        for name, total in totals.items():
            exact = name in ("bytes", "documents")
            wanted = total if exact else total / totals["bytes"]
            spare = 0 if exact else ROUNDING * totals["documents"] / totals["bytes"] + 10**-scores.DECIMALS
            if not is_number(figures.get(name)) or abs(figures[name] - wanted) > spare:
                message = f"{language}: {name} is {figures.get(name)!r}, its documents give {wanted:.4f}"
                raise GateError(message, where=RESULTS)
    return f"bits per byte of {len(sums)} languages add up"


def memorised(contents: Contents) -> str:
    """The tables of memorisation follow from passages, canaries and references."""
    told = canonical.load(contents.read(MEMORISATION, max_bytes=MAX_RELEASE_BYTES), where=MEMORISATION)
    with_form(isinstance(told, dict), MEMORISATION)
    passages, planted = told.get("rows", []), told.get("canary_rows", [])
    whole, exposed = ("language", "times", "verbatim"), ("times", "read", "nats", "verbatim", "of")
    for name, found, keys in (("rows", passages, whole), ("canary_rows", planted, exposed)):
        with_form(isinstance(found, list), MEMORISATION)
        for row in found:
            with_form(isinstance(row, dict), f"{MEMORISATION}: {name}")
            plain = (isinstance(row.get(key), str) if key == "language" else is_number(row.get(key)) for key in keys)
            with_form(all(plain) and is_count(row["times"]), f"{MEMORISATION}: {name}")
    if passages or "passages" in told:
        tokens = told.get("continuation_tokens")
        with_form(is_count(tokens), MEMORISATION)
        same(told.get("passages"), scores.verbatim(passages, tokens=tokens), what="passages", where=MEMORISATION)
    if planted or "canaries" in told:
        references = told.get("never_planted_nats")
        with_form(
            isinstance(references, list) and len(references) > 1 and all(map(is_number, references)), MEMORISATION
        )
        for row in planted:
            with_form(is_number(row.get("bits")), MEMORISATION)
            found = scores.exposed(row["nats"], references, bits=row["bits"])
            same({name: row.get(name) for name in found}, found, what=str(row.get("id")), where=MEMORISATION)
        same(told.get("canaries"), scores.canaries(planted), what="canaries", where=MEMORISATION)
    return f"{len(passages):,} passages and {len(planted):,} canaries add up"


def rows(contents: Contents, path: str) -> Iterable[Row]:
    """The objects of a file of lines. Raises GateError for anything else."""
    found = canonical.lines(contents.read(path, max_bytes=MAX_RELEASE_BYTES), where=path, max_bytes=MAX_RELEASE_BYTES)
    for number, row in enumerate(found, 1):
        with_form(isinstance(row, dict), f"{path}:{number}")
    return found


def table(value: Row, name: str, *, where: str) -> Row:
    """A table of tables; empty where it is absent. Raises GateError for anything else."""
    found = value.get(name, {})
    with_form(isinstance(found, dict), where)
    return dict(found)


def same(told: Any, found: Any, *, what: str, where: str) -> None:
    """Raise GateError unless figures are what follows from the rows, to the last digit that is kept."""
    for name in sorted(found.keys() | (told.keys() if isinstance(told, dict) else set())):
        given = told.get(name) if isinstance(told, dict) else None
        follows = found.get(name)
        if isinstance(follows, dict):
            same(given, follows, what=f"{what}: {name}", where=where)
        elif not is_number(given) or not is_number(follows) or abs(given - follows) > 1.5 * 10**-scores.DECIMALS:
            raise GateError(f"{what}: {name} is {given!r}, the rows give {follows!r}", where=where)


def is_number(value: object) -> bool:
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def is_count(value: object) -> bool:
    """Whether a JSON value is a number of things."""
    return type(value) is int and 0 <= value < 1 << 40


def with_form(condition: object, where: str) -> None:
    """Raise GateError where a file is not of its form."""
    if not condition:
        raise GateError("is not what an evaluation leaves", where=where)
