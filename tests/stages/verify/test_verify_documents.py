"""Check 5: a document is in or not, with a proof that a third person checks; trees that lie are caught."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from freehold.cli.main import app
from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof import bundle
from freehold.proof.digests import walk
from freehold.proof.signing.keys import KeyFiles
from freehold.proof.tree import document_proof, sparse
from freehold.stages.verify import contents, documents
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.report import Check
from freehold.stages.verify.run import verify

from .releases import tree_of

MANY = tuple(f"Document number {number}." for number in range(3_000))
Forge = Callable[..., Path]


def asked(release: Path, document: Path, proof: Path | None = None) -> Check:
    report = verify(release, asked=Asked(document=document, proof=proof))
    return next(check for check in report.checks if check.number == 5)


@pytest.fixture
def text(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "document.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_a_document_is_in_however_it_is_spaced(
    sound: Path, pairs: dict[str, KeyFiles], text: Callable[[str | bytes], Path]
) -> None:
    found = asked(sound, text("\ufeffThe\u00a0first\r\ndocu\u00adment.\n"))
    assert found.verdict == "PASS"
    assert found.detail.startswith("INCLUDED by its text in 2 keys under the root ")
    trust = [pairs[party].public for party in ("ministry", "archive")]
    assert verify(sound, trust=trust, asked=Asked(document=text("The second document."))).exit_code == 0


@pytest.mark.parametrize("content", ["The third document.", "the first document.", "", b"\xff\xfe\x00"])
def test_another_document_is_not(sound: Path, text: Callable[[str | bytes], Path], content: str | bytes) -> None:
    found = asked(sound, text(content))
    assert found.verdict == "PASS"
    assert found.detail.startswith("ABSENT from 2 keys")


def test_a_file_is_found_by_its_bytes(forge: Forge, text: Callable[[str | bytes], Path], tmp_path: Path) -> None:
    data = b"%PDF-1.7 \xff not text"
    sparse.write(tmp_path / "tree", [sha256(data).digest(), sparse.key_of_text("what the reader found in it")])
    release = forge(tree=(tmp_path / "tree").read_bytes())
    assert asked(release, text(data)).detail.startswith("INCLUDED by its bytes in 2 keys")
    assert asked(release, text(data + b"\n")).detail.startswith("ABSENT")


def test_a_release_without_documents_has_none(forge: Forge, text: Callable[[str | bytes], Path]) -> None:
    release = forge(documents=())
    assert asked(release, text("x")).detail.startswith("ABSENT from 0 keys")


def test_without_a_tree_nothing_is_claimed(forge: Forge, text: Callable[[str | bytes], Path], tmp_path: Path) -> None:
    release = forge()
    (release / bundle.TREE).unlink()
    assert asked(release, text("x"), tmp_path / "p.json").verdict == "NOT CHECKED"
    assert not (tmp_path / "p.json").exists()


def changed(tree: bytes, position: int, value: bytes) -> bytes:
    return tree[:position] + value + tree[position + len(value) :]


def trees() -> dict[str, bytes]:
    """Files that are signed and are no tree, or another than they say."""
    tree = tree_of(MANY)
    magic, count, bits, root = sparse.HEADER.unpack(tree[:64])
    first = sparse.HEADER.size
    keys = [tree[start : start + 32] for start in range(first, first + 32 * count, 32)]
    position = first + 32 * keys.index(sparse.key_of_text(MANY[7]))
    own = tree[position : position + 32]

    def headed(count: int, bits: int) -> bytes:
        return sparse.HEADER.pack(magic, count, bits, root) + tree[64:]

    return {
        "empty": b"",
        "no tree": b"freehold" * 100,
        "truncated": tree[:-1],
        "a byte more": tree + b"\0",
        "a key less": headed(count - 1, bits),
        "many keys": headed(1 << 39, 20),
        "more keys than a number holds": headed((1 << 64) - 1, (1 << 64) - 1),
        "another level": headed(count, bits + 1),
        "another root": changed(tree, 32, bytes(32)),
        "another node": changed(tree, len(tree) - 40, b"\1"),
        "another key": changed(tree, position + 20, struct.pack(">Q", 1)),
        "a key twice": changed(tree, position, tree[position - 32 : position]),
        "keys in another order": changed(tree, position - 32, own + tree[position - 32 : position]),
    }


@pytest.mark.parametrize("what", trees())
def test_a_tree_that_is_not_what_it_says_fails(forge: Forge, text: Callable[[str | bytes], Path], what: str) -> None:
    """All of it signed and copied faithfully: whoever asks about the document that it concerns finds out."""
    found = asked(forge(tree=trees()[what]), text(MANY[7]))
    assert found.verdict == "FAIL"
    assert found.where == bundle.TREE


def test_keys_that_begin_alike_cannot_keep_a_verifier_busy(
    forge: Forge, text: Callable[[str | bytes], Path], tmp_path: Path
) -> None:
    document = text("x")
    start = sparse.key_of_text("x")[:8]
    sparse.write(tmp_path / "tree", (start + number.to_bytes(24, "big") for number in range(2_000)))
    found = asked(forge(tree=(tmp_path / "tree").read_bytes()), document)
    assert found.verdict == "FAIL"
    assert "2,000 keys begin alike" in found.detail


def test_another_tree_than_curate_made_fails_the_lineage(forge: Forge) -> None:
    report = verify(forge(extra={bundle.TREE: tree_of(MANY)}))
    assert [check.verdict for check in report.checks[1:3]] == ["PASS", "FAIL"]
    assert report.checks[2].where == bundle.TREE


@pytest.fixture
def many(forge: Forge) -> Path:
    return forge(documents=MANY)


@pytest.mark.parametrize("content", [MANY[5], "in no release"])
def test_a_third_person_checks_the_proof(
    many: Path, text: Callable[[str | bytes], Path], tmp_path: Path, content: str
) -> None:
    proof, document = tmp_path / "p.json", text(content)
    answer = asked(many, document, proof)
    root = answer.detail.rsplit(" ", 1)[1]
    run = CliRunner().invoke(app, ["check-proof", str(proof), "--document", str(document), "--root", root, "--json"])
    assert run.exit_code == 0
    said = json.loads(run.stdout)["figures"]
    assert said == {"document": "INCLUDED by its text" if content in MANY else "ABSENT", "root": root}
    unrooted = CliRunner().invoke(app, ["check-proof", str(proof), "--document", str(document)])
    assert isinstance(unrooted.exception, IncompleteError)
    with pytest.raises(GateError, match="is about the tree"):
        document_proof.check_files(proof, document, root="0" * 64)
    with pytest.raises(InputError, match="is no root"):
        document_proof.check_files(proof, document, root=root.upper())
    with pytest.raises(GateError, match="is about another document"):
        document_proof.check_files(proof, text("another"), root=root)


@pytest.mark.parametrize("content", [MANY[5], "in no release"])
def test_every_bit_of_a_proof_counts(many: Path, tmp_path: Path, content: str) -> None:
    data = content.encode()
    with sparse.Tree.open(many / bundle.TREE) as tree:
        proofs = document_proof.prove(tree, data)
        sound = document_proof.dump(proofs, root=tree.root)
        assert document_proof.check(sound, data, where="p", root=tree.root)[0] == tree.root
        for place in range(len(sound)):
            for mask in (1, 2, 4, 8, 16, 32, 64, 128):
                mutant = bytearray(sound)
                mutant[place] ^= mask
                with pytest.raises(GateError):
                    document_proof.check(bytes(mutant), data, where="p", root=tree.root)


def test_parts_of_proofs_left_out_or_exchanged(many: Path) -> None:
    with sparse.Tree.open(many / bundle.TREE) as tree:
        absent = document_proof.prove(tree, b"in no release")
        only_text = document_proof.dump({"text": absent["text"]}, root=tree.root)
        with pytest.raises(GateError, match="does not say whether the document is there as bytes"):
            document_proof.check(only_text, b"in no release", where="p", root=tree.root)
        inside = document_proof.prove(tree, MANY[5].encode())
        proof = inside["text"]
        lies = {
            "a step less": replace(proof, path=proof.path[:-1]),
            "a step more": replace(proof, path=(*proof.path, (255, bytes(32)))),
            "a step twice": replace(proof, path=(*proof.path, proof.path[-1])),
            "steps exchanged": replace(proof, path=(proof.path[1], proof.path[0], *proof.path[2:])),
            "no way at all": replace(proof, path=()),
            "an empty tree": replace(proof, ends_at=None),
            "an empty tree without a way": replace(proof, ends_at=None, path=()),
            "somebody else's leaf": replace(proof, ends_at=absent["bytes"].ends_at),
            "another's way": replace(proof, path=absent["text"].path),
        }
        for lie in lies.values():
            with pytest.raises(GateError):
                document_proof.check(
                    document_proof.dump({"text": lie}, root=tree.root), MANY[5].encode(), where="p", root=tree.root
                )


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 30_000, b" " * 40_000, b'{"format":1,"format":1}', b"9" * 20_000],
)
def test_hostile_proof_files(data: bytes) -> None:
    with pytest.raises(GateError):
        document_proof.check(data, b"x", where="p")


def test_a_document_or_a_place_that_is_none_is_bad_input(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        asked(sound, tmp_path / "none.txt")
    with pytest.raises(InputError, match="a proof of what"):
        verify(sound, asked=Asked(proof=tmp_path / "p.json"))
    (tmp_path / "d.txt").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        asked(sound, tmp_path / "d.txt", Path("/proc/nowhere/p.json"))


def test_a_tree_exchanged_after_it_was_hashed(release: Path, text: Callable[[str | bytes], Path]) -> None:
    """Absence is not to be read from a tree that nobody signed."""
    checked = contents.check(release, tuple(walk(release)), manifest=None)
    (release / bundle.TREE).write_bytes(tree_of(["another document"]))
    found = documents.check(checked, Asked(document=text("The first document.")))
    assert found is not None and found.verdict == "FAIL"
    assert found.detail == f"{bundle.TREE}: changed while it was being checked"
