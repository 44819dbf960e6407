"""The part of check 7 that is asked for: answers and completions, drawn by the verifier, given again by the weights.

The draw is the verifier's, made after the release was fixed; its seed is told, so that it can be made again. Packs are
not part of a release: they come from whoever verifies, and must be the very files that the evaluation read.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from freehold.errors import GateError, IncompleteError, InputError, MissingExtra
from freehold.plugins import part
from freehold.proof import canonical
from freehold.proof.bundle import ANSWERS, COMPLETIONS, MAX_RELEASE_BYTES, step_path
from freehold.proof.digests import sha256_bytes, sha256_file
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import read_steps

RECIPE = "evidence/train/recipe.json"
PARTS = "freehold.stages.evaluate.rescoring"
# Nats a byte. fp32 differs between machines by the order of its sums alone; bf16 rounds each of them to 8 bits.
TOLERANCE = {"fp32": 1e-3, "bf16": 2e-2}

Row = Mapping[str, Any]
Drawn = list[tuple[str, Row]]  # file, row


def ready(asked: Asked) -> None:
    """Raise InputError if the verifier's folder of packs is none."""
    if asked.packs is not None and not asked.packs.is_dir():
        raise InputError("no such folder", where=str(asked.packs), remedy="give the folder that holds the packs")


def rescored(contents: Contents, asked: Asked) -> str:
    """What was scored again and held, in words; nothing where that was not asked for.

    Raises GateError where the weights answer otherwise, IncompleteError where something needed is not here.
    """
    if asked.rescore is None:
        return ""
    seed = asked.draw or secrets.token_hex(8)
    if broken := sorted(path for path in contents.damaged if path.startswith("model/")):
        raise IncompleteError("is not what was signed, see check 2", where=broken[0])
    drawn = draw(contents, count=asked.rescore, seed=seed)
    written = [row for file, row in drawn if file == COMPLETIONS]
    packs, answers = by_pack(drawn), len(drawn) - len(written)
    try:
        rewritten(contents, written)
        found, lacking = packs_here(contents, asked, sorted(packs))
        for name, path in found.items():
            reanswered(contents, name, path, packs[name])
    except (MissingExtra, ModuleNotFoundError) as missing:
        advice = getattr(missing, "remedy", None) or "install freehold[train]: verify.pyz alone has no model in it"
        raise IncompleteError(f"answers are not scored again: {missing}; {advice}") from None
    if lacking:
        raise IncompleteError(f"{lacking}; {len(written)} completions were written again and hold (draw {seed})")
    return f"{answers} answers and {len(written)} completions drawn with {seed} were given again and hold"


def draw(contents: Contents, *, count: int, seed: str) -> Drawn:
    """So many answers and completions, any as likely as the others. Raises IncompleteError where there are none."""
    every: Drawn = []
    for path in (ANSWERS, COMPLETIONS):
        if path in contents.listed:
            data = contents.read(path, max_bytes=MAX_RELEASE_BYTES)
            lines = canonical.lines(data, where=path, max_bytes=MAX_RELEASE_BYTES)
            every += [(path, {**row, "line": number}) for number, row in enumerate(objects(lines, path), 1)]
    if not every:
        raise IncompleteError("the release holds no answer and no completion to score again")
    return random.Random(seed).sample(every, min(count, len(every)))


def objects(rows: Iterable[Any], path: str) -> Iterable[Row]:
    """The rows. Raises GateError if one is no object."""
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise GateError("is no object", where=f"{path}:{number}")
        yield row


def by_pack(drawn: Drawn) -> dict[str, list[Row]]:
    """The answers drawn, by the pack they name."""
    packs: dict[str, list[Row]] = {}
    for file, row in drawn:
        if file == ANSWERS:
            packs.setdefault(str(row.get("pack")), []).append(row)
    return packs


def packs_here(contents: Contents, asked: Asked, names: Sequence[str]) -> tuple[dict[str, Path], str]:
    """The verifier's file of each pack, known by the digest that the evaluation swore to; and what is lacking."""
    steps = read_steps(contents)
    if "evaluate" not in steps:
        raise GateError("no statement of the evaluation", where=step_path("evaluate"))
    sworn = {Path(name).stem: (Path(name).name, digest) for name, digest in steps["evaluate"].files.items()}
    if strange := sorted(set(names) - sworn.keys()):
        raise GateError(f"the evaluation read no pack {strange[0]!r}", where=step_path("evaluate"))
    found: dict[str, Path] = {}
    lacking = []
    for name in names:
        file, digest = sworn[name]
        # Compared by name: what a release says never becomes a pattern.
        there = sorted(path for path in asked.packs.rglob("*") if path.name == file) if asked.packs else []
        same = next((path for path in there if path.is_file() and sha256_file(path) == digest), None)
        if same is not None:
            found[name] = same
        else:
            lacking.append(f"{file} (SHA-256 {digest}) is needed: give the folder that holds it with --packs")
    return found, "; ".join(lacking)


def reanswered(contents: Contents, name: str, path: Path, drawn: Sequence[Row]) -> None:
    """Raise GateError unless the pack was answered whole, in its order, and the weights find the same as was told."""
    rows = canonical.lines(
        contents.read(ANSWERS, max_bytes=MAX_RELEASE_BYTES), where=ANSWERS, max_bytes=MAX_RELEASE_BYTES
    )
    given = [{**row, "line": line} for line, row in enumerate(objects(rows, ANSWERS), 1) if row.get("pack") == name]
    asked = part(f"{PARTS}:questions")(path)
    if [(row.get("id"), row.get("answer")) for row in given] != [(one.id, one.answer) for one in asked]:
        raise GateError(f"{name}: the answers are not those to the questions of the pack", where=ANSWERS)
    place_of = {row["line"]: place for place, row in enumerate(given)}
    precision = precision_of(contents)
    again = part(f"{PARTS}:answered")(
        contents.release / "model", [asked[place_of[row["line"]]] for row in drawn], precision=precision
    )
    for row, scores in zip(drawn, again, strict=True):
        told: Any = row.get("nats_per_byte")
        near = isinstance(told, list) and len(told) == len(scores)
        if not near or any(abs(one - other) > TOLERANCE[precision] for one, other in zip(told, scores, strict=True)):
            message = f"{name}: {row['id']} was told {told} nats a byte, the shipped weights give {scores}"
            raise GateError(message, where=f"{ANSWERS}:{row['line']}")


def rewritten(contents: Contents, drawn: Sequence[Row]) -> None:
    """Raise GateError unless the weights write the same again, each from the seed that its document's id gives."""
    for row in drawn:
        seed = int(sha256_bytes(str(row.get("document")).encode())[:8], 16)
        if row.get("seed") != seed:
            message = f"{row.get('document')}: the seed is {row.get('seed')!r}, its id gives {seed}"
            raise GateError(message, where=f"{COMPLETIONS}:{row['line']}")
    texts = part(f"{PARTS}:completed")(contents.release / "model", drawn) if drawn else ()
    for row, text in zip(drawn, texts, strict=True):
        if row.get("completion") != text:
            message = f"{row['document']}: the shipped weights write {text[:80]!r} … instead"
            raise GateError(message, where=f"{COMPLETIONS}:{row['line']}")


def precision_of(contents: Contents) -> str:
    """In which type the layers computed: as in training, but never fp8."""
    recipe = canonical.load(contents.read(RECIPE), where=RECIPE)
    found = recipe.get("precision") if isinstance(recipe, dict) else None
    return "fp32" if found == "fp32" else "bf16"
