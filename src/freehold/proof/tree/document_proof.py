"""The proof that a document is in a tree, or is not, as a file: whoever has the document and the root can check it.

A document is looked up as text (its normal form) and as bytes (the file as it is). One proof shows that it is there; to
show that it is not, every form has its own.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from freehold.errors import GateError, InputError
from freehold.proof import canonical
from freehold.proof.digests import read_bytes
from freehold.proof.form import is_digest, unbase64
from freehold.proof.tree import sparse
from freehold.proof.tree.nodes import KEY_BYTES, Proof
from freehold.proof.tree.normal_form import key_of_bytes, key_of_text
from freehold.proof.tree.sparse import Tree
from freehold.records import canonical_json

FORMAT = 1
KIND = "freehold document proof"
FORMS = ("text", "bytes")
STEP_BYTES = 1 + KEY_BYTES  # depth and sibling; 44 characters of base64, without a remainder
MAX_PROOF_BYTES = 32_768  # two proofs of 256 steps
MAX_DOCUMENT_BYTES = 1 << 28  # of the largest file that curate reads as one document


def keys_of(document: bytes) -> dict[str, bytes]:
    """The keys of a file: as text, if it is UTF-8, and as bytes."""
    try:
        text = {"text": key_of_text(document.decode("utf-8"))}
    except UnicodeDecodeError:
        text = {}
    return text | {"bytes": key_of_bytes(document)}


def prove(tree: Tree, document: bytes) -> dict[str, Proof]:
    """By form, the proof that a document is in the tree, or else the proofs that none of its forms is; each checked.

    Raises GateError if the file of the tree is wrong where the document concerns it.
    """
    proofs = {form: tree.prove(key) for form, key in keys_of(document).items()}
    try:
        included = [form for form, proof in proofs.items() if sparse.check(proof, tree.root)]
    except GateError as error:
        raise GateError(error.message, where=tree.where) from None
    return {included[0]: proofs[included[0]]} if included else proofs


def included(proofs: Mapping[str, Proof]) -> str | None:
    """The form in which proofs say that the document is in the tree; None if they say that it is not."""
    return next((form for form, proof in proofs.items() if proof.included), None)


def dump(proofs: Mapping[str, Proof], *, root: str) -> bytes:
    """The proof file: one line of canonical JSON."""
    return canonical_json({"format": FORMAT, "kind": KIND, "root": root, **written(proofs)}) + b"\n"


def written(proofs: Mapping[str, Proof]) -> dict[str, dict[str, Any]]:
    """Proofs as JSON values."""
    return {
        form: {
            "key": proof.key.hex(),
            "ends_at": None if proof.ends_at is None else proof.ends_at.hex(),
            "path": base64.b64encode(b"".join(bytes((depth,)) + node for depth, node in proof.path)).decode(),
        }
        for form, proof in proofs.items()
    }


def parse(data: bytes, *, where: str) -> tuple[str, dict[str, Proof]]:
    """The root that a proof file names, and its proofs by form. Raises GateError for any other spelling than `dump`'s.

    Nothing is believed yet: `check` does that.
    """
    value = canonical.load(data, where=where, max_bytes=MAX_PROOF_BYTES)
    if not isinstance(value, dict) or (value.get("format"), value.get("kind")) != (FORMAT, KIND):
        raise GateError(f"no {KIND} of format {FORMAT}", where=where)
    forms = [form for form in FORMS if form in value]
    if not forms or set(value) != {"format", "kind", "root", *forms} or not is_digest(value["root"]):
        raise GateError("a proof has a root, and is about text or bytes", where=where)
    proofs = {form: parsed(value[form], where=where) for form in forms}
    if dump(proofs, root=value["root"]) != data:
        raise GateError("the proof is not written canonically: a byte in it means nothing", where=where)
    return value["root"], proofs


def parsed(value: object, *, where: str) -> Proof:
    """One form's proof. Raises GateError if it is malformed."""
    if not isinstance(value, dict) or set(value) != {"key", "ends_at", "path"}:
        raise GateError("a proof has key, ends_at and path", where=where)
    if not is_digest(value["key"]) or not (value["ends_at"] is None or is_digest(value["ends_at"])):
        raise GateError("a key is no SHA-256", where=where)
    path = unbase64(value["path"], where=where)
    if len(path) % STEP_BYTES:
        raise GateError("the path breaks off", where=where)
    steps = (path[start : start + STEP_BYTES] for start in range(0, len(path), STEP_BYTES))
    return Proof(
        key=bytes.fromhex(value["key"]),
        ends_at=None if value["ends_at"] is None else bytes.fromhex(value["ends_at"]),
        path=tuple((step[0], step[1:]) for step in steps),
    )


def check(data: bytes, document: bytes, *, where: str, root: str | None = None) -> tuple[str, str | None]:
    """Check a proof file about a document: (its root, the form in which the document is in the tree or None).

    Raises GateError if the file is malformed, about another document or another root, proves nothing, or leaves a form
    of the document out that could be in the tree.
    """
    named, proofs = parse(data, where=where)
    if root is not None and named != root:
        raise GateError(f"is about the tree {named}, not {root}", where=where)
    keys = keys_of(document)
    if strange := [form for form, proof in proofs.items() if proof.key != keys.get(form)]:
        raise GateError(f"is about another document: its {strange[0]} has another key", where=where)
    for form, proof in proofs.items():
        try:
            sparse.check(proof, named)
        except GateError as error:
            raise GateError(f"{form}: {error.message}", where=where) from None
    found = included(proofs)
    if found is None and (open_forms := sorted(keys.keys() - proofs.keys())):
        raise GateError(f"does not say whether the document is there as {open_forms[0]}", where=where)
    return named, found


def check_files(proof: Path, document: Path, *, root: str | None = None) -> dict[str, str]:
    """What a proof file says of a document, and under which root, in words.

    Raises InputError if a file cannot be read or `root` is none, GateError unless the proof holds.
    """
    if root is not None and not is_digest(root):
        raise InputError(f"{root!r} is no root", where="--root", remedy="give 64 digits of lower-case hex")
    data = read_bytes(proof.resolve(), max_bytes=MAX_PROOF_BYTES)
    named, form = check(data, read_document(document), where=str(proof), root=root)
    return {"document": "ABSENT" if form is None else f"INCLUDED by its {form}", "root": named}


def read_document(path: Path) -> bytes:
    """A document to ask about. Raises InputError if it cannot be read or is larger than any that curate reads."""
    return read_bytes(path.resolve(), max_bytes=MAX_DOCUMENT_BYTES)
