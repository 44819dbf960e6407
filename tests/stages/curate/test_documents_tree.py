"""documents.smt: the keys of exactly what is trained on, as text and, where a record is a file, as that file."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from legal_prose import prose

from freehold.proof.tree import sparse
from freehold.proof.tree.document_proof import keys_of
from freehold.stage import Stage

TREE = "documents.smt"


def rows(stage: Stage, name: str) -> list[dict[str, Any]]:
    return [row for path in sorted((stage.output / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_the_tree_holds_what_is_trained_on_and_nothing_else(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path
) -> None:
    law = tmp_path / "law"
    law.mkdir()
    lines = [json.dumps({"id": str(number), "text": prose("deu", number)}) for number in range(60)]
    (law / "table.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for number in range(100, 104):
        (law / f"{number}.txt").write_bytes(prose("deu", number).replace("\n", "\r\n").encode() + b"\r\n")
    page = f"<html><body><main><p>{prose('deu', 200)}</p></main></body></html>"
    (law / "page.html").write_text(page, encoding="utf-8")
    facts = {"path": "law", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    stage = curated_from(charter_of({"law": facts}))
    trained, held_out = rows(stage, "documents"), rows(stage, "held_out")
    assert trained and held_out
    files = [path for path in sorted(law.iterdir()) if path.suffix != ".jsonl"]
    digests = {path: sha256(path.read_bytes()).hexdigest() for path in files}
    learned = {digest for digest in digests.values() if digest in {row["checksum"] for row in trained}}
    assert learned
    with sparse.Tree.open(stage.output / TREE) as tree:
        tree.check()
        expected = {sparse.key_of_text(row["text"]) for row in trained} | {bytes.fromhex(digest) for digest in learned}
        assert set(tree) == expected
        assert stage.figures["documents_root"] == tree.root
        for path in files:
            keys = keys_of(path.read_bytes())
            assert (keys["bytes"] in expected) is (digests[path] in learned)
            if path.suffix == ".txt":  # as text, however its lines end
                assert (keys["text"] in expected) is (digests[path] in learned)
        for row in held_out:
            assert sparse.key_of_text(row["text"]) not in expected
        assert sha256((law / "table.jsonl").read_bytes()).digest() not in expected
