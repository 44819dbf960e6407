"""Thousands of mutations of a release, none of which may survive: of bytes and files, and of meaning, signed again.

A tiny town learns from official law and releases its model. Kind (a) changes bytes and files. Kind (b) changes every
leaf of the evidence and hashes and signs everything again with the trusted key: the release alone ("sealed"), or the
change carried through statements, chain, later inputs, law documents and bill of materials ("carried"). A mutation is
caught when a check that should catch it fails; fields that only a replay or a second scoring can judge, and those that
are the publisher's word, are exempt by name (bench/forgeries/exempt.py).
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import forgeries.meaning
import forgeries.stray
from forgeries.due import caught
from forgeries.exempt import exempted
from forgeries.folder import Folder
from forgeries.forger import Forger
from forgeries.meaning import Trial
from report import Figure, keep, parser, result_path, show

from freehold.proof.signing import keys
from freehold.stages.verify.run import verify

COMMONS = Path(__file__).resolve().parent.parent / "examples" / "commons"
CHARTER = """
format = 1
[responsible]
name = "Tiny Town"
country = "DE"
[[languages]]
code = "deu"
share = 0.6
[[languages]]
code = "jpn"
share = 0.4
{sources}
[policy]
licences = ["public-domain-law"]
[curate]
held_out_bytes = 6000
[tokenizer]
vocabulary = 700
sample_bytes = 400_000
[model]
depth = 1
[train]
tokens = 24_576
sequence = 64
batch_tokens = 512
checkpoint_steps = 8
precision = "fp32"
compile = false
[refine]
instructions = "instructions.jsonl"
[evaluate]
packs = ["pack.jsonl"]
completions = 1
[release]
name = "tiny"
"""
SOURCE = """[[sources]]
name = "{0}-law"
path = "{0}.jsonl"
origin = "https://example.org/{0}"
licence = "public-domain-law"
language = "{0}"
"""
PARTY, SEED = "tiny-town", 5


def main() -> None:
    """Make or take a release, mutate it, report."""
    options = parser(__doc__)
    options.add_argument("--town", type=Path, help="the folder of a tiny town that was released already")
    asked = options.parse_args()
    strays, sealed, carried = (160, 150, 250) if asked.quick else (2000, 2000, 2500)
    with tempfile.TemporaryDirectory() as temporary:
        home = (asked.town or town(Path(temporary))) / ".freehold"
        release = Path(temporary) / "mutated"
        Folder(home / "releases" / "tiny-0.1.0").copied(release)
        folder, public = Folder(release), home / "keys" / f"{PARTY}.pub"

        def failing(path: Path) -> set[int]:
            found = verify(path, trust=[public])
            return {check.number for check in found.checks if check.verdict == "FAIL"}

        assert failing(release) == set()
        forger = Forger(folder, party=PARTY, key=keys.load_private(home / "keys" / f"{PARTY}.key"))
        figures = list(bytes_and_files(folder, failing, count=strays))
        files = forgeries.meaning.evidence(folder)
        more: dict[str, object] = {}
        depths: tuple[tuple[forgeries.meaning.Depth, int], ...] = (("sealed", sealed), ("carried", carried))
        for depth, most in depths:
            trials = list(
                forgeries.meaning.trials(folder, forger, failing, depth=depth, files=files, most=most, seed=SEED)
            )
            figures.append(
                survivors(f"(b) meaning, {depth}", [str(one) for one in trials if not caught(one)], len(trials))
            )
            more[depth] = account(trials)
        show(figures, as_json=asked.json)
    if asked.save:
        keep(result_path("mutations"), "mutations", figures, quick=asked.quick, repetitions=1, more=more)


def bytes_and_files(folder: Folder, failing: forgeries.meaning.Verify, *, count: int) -> Iterable[Figure]:
    """Kind (a): check 1 or 2 must fail for each."""
    tried: Counter[str] = Counter()
    left: dict[str, list[str]] = {}
    for kind, said, failed in forgeries.stray.trials(folder, failing, count=count, chance=random.Random(SEED)):
        tried[kind] += 1
        if not failed & {1, 2}:
            left.setdefault(kind, []).append(said)
    for kind, times in tried.items():
        yield survivors(f"(a) {kind}", left.get(kind, []), times)


def survivors(name: str, left: list[str], tried: int) -> Figure:
    """The number of mutations that nothing noticed, of so many."""
    for said in left:
        print(f"survived: {said}", file=sys.stderr)
    return Figure(
        figure=name, value=len(left), unit="survivors", goal="0", holds=not left, why=f"{tried:,} tried, seed {SEED}"
    )


def account(trials: Iterable[Trial]) -> dict[str, dict[str, int]]:
    """By file: how many were tried, how many each check caught, how many are exempt, by what else would notice."""
    table: dict[str, Counter[str]] = {}
    for trial in trials:
        row = table.setdefault(trial.file, Counter())
        row["tried"] += 1
        row.update(f"check {number}" for number in trial.failed)
        if not trial.failed and (exempt := exempted(trial.file, trial.place)):
            row[f"exempt: {exempt.by or 'the word of the publisher'}"] += 1
    return {file: dict(sorted(row.items())) for file, row in sorted(table.items())}


def town(folder: Path) -> Path:
    """A tiny town in a folder, its model released."""
    import zstandard

    for code in ("deu", "jpn"):
        with (COMMONS / "data" / f"{code}-law.jsonl.zst").open("rb") as file:
            text = zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(file).read(20_000_000).decode()
        lines = [line for line in text.splitlines()[:-1] if 1200 < len(line) < 12_000][:40]
        (folder / f"{code}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, source, rows in (("instructions", "instructions", 12), ("pack", "packs/citizenship", 6)):
        lines = (COMMONS / f"{source}.jsonl").read_text(encoding="utf-8").splitlines()[:rows]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    sources = "".join(SOURCE.format(code) for code in ("deu", "jpn"))
    (folder / "charter.toml").write_text(CHARTER.format(sources=sources), encoding="utf-8")
    command = [sys.executable, "-m", "freehold.cli.main", "run", "charter.toml"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)
    return folder


if __name__ == "__main__":
    main()
