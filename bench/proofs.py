"""The tree of a million documents: what it costs to build, how long a proof is, how quickly it is made and checked."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from report import Figure, arguments, report

from freehold.proof.tree import document_proof, sparse
from freehold.proof.tree.normal_form import key_of_text
from freehold.proof.tree.sparse import Tree

DOCUMENTS = 1_000_000
QUICK = 100_000
ASKED = 1_000  # documents asked about that are in the tree, and as many that are not
PARAGRAPH = (
    "§ 1\u00a0 Die Würde des Menschen ist unantastbar.\r\nSie zu achten ist Verpflichtung aller staatlichen Gewalt.\r\n"
)
TEXT_BYTES = 20_000_000

Made = TypeVar("Made")


def document(number: int) -> bytes:
    """A short document of its own."""
    return b"Document number %d." % number


def cpu(work: Callable[[], Made]) -> tuple[Made, float]:
    """What work gives, and the CPU seconds it took."""
    gc.collect()
    begun = time.process_time()
    made = work()
    return made, time.process_time() - begun


def main() -> None:
    """Build, open, prove, check."""
    options = arguments(__doc__)
    count = QUICK if options.quick else DOCUMENTS
    keys = [sha256(document(number)).digest() for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.smt"
        root, built = cpu(lambda: sparse.write(path, iter(keys)))
        size = path.stat().st_size
        tree, opened = cpu(lambda: Tree.open(path))
        with tree:
            _, whole = cpu(tree.check)
            included = answers(tree, range(0, count, max(1, count // ASKED)))
            absent = answers(tree, range(count, count + ASKED))
    among = f"among {count:,} documents"
    figures = [
        Figure(figure=f"build the tree of {count:,} documents", value=built, unit="CPU s"),
        Figure(figure="its file", value=size / count, unit="bytes/doc"),
        Figure(figure="open it", value=1e3 * opened, unit="CPU ms"),
        Figure(figure="check all of it", value=whole, unit="CPU s"),
        Figure(figure="normal form and key of text", value=keyed(), unit="MB/CPU s"),
        *told(f"inclusion {among}", included, root=root, wanted=True),
        *told(f"absence {among}, as text and as bytes", absent, root=root, wanted=False),
    ]
    report("proofs", figures, options=options, repetitions=len(included))


def keyed() -> float:
    """Megabytes of text a second that get a key."""
    text = PARAGRAPH * (TEXT_BYTES // len(PARAGRAPH.encode()))
    _, taken = cpu(lambda: key_of_text(text))
    return len(text.encode()) / 1e6 / taken


def answers(tree: Tree, numbers: range) -> list[tuple[bytes, bytes, float]]:
    """For each document: its bytes, its proof file, and the CPU seconds that proving took."""
    found = []
    for number in numbers:
        asked = document(number)
        begun = time.process_time()
        proof = document_proof.dump(document_proof.prove(tree, asked), root=tree.root)
        found.append((asked, proof, time.process_time() - begun))
    return found


def told(what: str, found: list[tuple[bytes, bytes, float]], *, root: str, wanted: bool) -> list[Figure]:
    """Sizes and times of proofs, every one of which must hold."""
    checks = []
    for asked, proof, _ in found:
        begun = time.process_time()
        _, form = document_proof.check(proof, asked, where="proof", root=root)
        checks.append(time.process_time() - begun)
        assert (form is not None) is wanted
    largest, slowest = max(len(proof) for _, proof, _ in found), 1e3 * max(checks)
    made = sorted(seconds for _, _, seconds in found)[len(found) // 2]
    goal = wanted or None
    return [
        Figure(
            figure=f"{what}: proof, largest", value=largest, unit="bytes", goal="≤ 2,000" if goal else "",
            holds=goal and largest <= 2_000,
        ),
        Figure(
            figure=f"{what}: check, slowest", value=slowest, unit="CPU ms", goal="≤ 5" if goal else "",
            holds=goal and slowest <= 5,
        ),
        Figure(figure=f"{what}: prove, median", value=1e3 * made, unit="CPU ms"),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
