"""Check 5: whether a document was learned from, by a proof in the tree of documents."""

from __future__ import annotations

from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof.bundle import TREE
from freehold.proof.tree import document_proof
from freehold.proof.tree.sparse import Tree
from freehold.proof.writing import write
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check, judged


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on the document asked about, PASS where there is a proof either way; None where none was asked about.

    Writes the proof where the verifier wants it. Raises InputError if the document is not named or cannot be
    read, or the proof cannot be written.
    """
    if asked.document is None:
        if asked.proof is not None:
            raise InputError("a proof of what?", where=str(asked.proof), remedy="name a --document")
        return None
    document = document_proof.read_document(asked.document)
    made: list[bytes] = []

    def answer() -> str:
        with opened(contents) as tree:
            proofs = document_proof.prove(tree, document)
            made.append(document_proof.dump(proofs, root=tree.root))
            return told(document_proof.included(proofs), tree)

    verdict = judged(5, answer)
    if asked.proof is not None and made:
        try:
            write(asked.proof, made[0])
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(asked.proof)) from None
    return verdict


def opened(contents: Contents) -> Tree:
    """The release's tree, hashed once more as it is mapped: it is too large to be read whole as other evidence is.

    Raises IncompleteError where it has none that is what was signed, GateError if it is none or was exchanged since.
    """
    if TREE not in contents.listed:
        raise IncompleteError("is not part of this release", where=TREE)
    if TREE in contents.damaged:
        raise IncompleteError("is not what was signed, see check 2", where=TREE)
    tree = Tree.open(contents.release / TREE, where=TREE)
    if tree.sha256() != contents.listed[TREE]:
        tree.close()
        raise GateError("changed while it was being checked", where=TREE)
    return tree


def told(form: str | None, tree: Tree) -> str:
    """The answer in words."""
    under = f"{len(tree):,} keys under the root {tree.root}"
    return f"ABSENT from {under}" if form is None else f"INCLUDED by its {form} in {under}"
