"""What a forger who holds the trusted key does after a change, so that no hash and no signature betrays it.

Two depths. `sealed`: release.json, locators and signature are made anew over whatever lies there. `carried`: before
that the change is carried through, into the manifest and subject of the statement that swore the file, the links of
chain and log, the inputs of later statements, recipes and release.json, and law documents and the bill of materials
are generated again.
"""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from forgeries.folder import Folder
from freehold.errors import FreeholdError
from freehold.law import facts, generate
from freehold.proof import bundle, chain
from freehold.proof.digests import digest_of, sha256_bytes
from freehold.proof.locators import CHUNK_BYTES, Locators
from freehold.proof.log import consistency, entry
from freehold.proof.signing import signatures
from freehold.proof.signing.dsse import pae
from freehold.proof.signing.signatures import Manifest
from freehold.records import canonical_json

Files = dict[str, bytes]
STAGES = ("curate", "tokenize", "train", "refine", "evaluate")


class Forger:
    """Whoever can sign for `party`; `sealed` and `carried` give the files that a change makes necessary."""

    def __init__(self, folder: Folder, *, party: str, key: ec.EllipticCurvePrivateKey) -> None:
        self.folder, self.party, self.key = folder, party, key
        self.index = json.loads(folder.files[bundle.RELEASE])

    def sealed(self, changes: Files) -> Files:
        """The changes with release.json, locators and signature made anew, where they are not changed themselves."""
        files = {**self.folder.files, **changes}
        own = (bundle.RELEASE, bundle.LOCATORS)
        listed = {path: measured(data) for path, data in files.items() if not bundle.is_signature(path)}
        locators = canonical_json({path: listed[path][2].as_json() for path in sorted(listed) if path not in own})
        made = {bundle.LOCATORS: changes.get(bundle.LOCATORS, locators)}
        listed[bundle.LOCATORS] = measured(made[bundle.LOCATORS])
        rows = {path: {"sha256": row[0], "size": row[1]} for path, row in listed.items() if path != bundle.RELEASE}
        index = canonical_json({**self.index, "inputs": self.inputs(files), "files": rows})
        made[bundle.RELEASE] = changes.get(bundle.RELEASE, index)
        listed[bundle.RELEASE] = measured(made[bundle.RELEASE])
        manifest = Manifest(
            name=f"{self.index['name']}-{self.index['version']}",
            files={path: row[0] for path, row in listed.items()},
            locators={path: listed[path][2] for path in own},
        )
        return {**changes, **made, bundle.signature_path(self.party): signatures.sign(manifest, self.key)}

    def carried(self, changes: Files) -> Files:
        """The changes carried through all that depends on them, then sealed."""
        files = {**self.folder.files, **changes}
        relink(files)
        self.sign_log(files)
        for stage in STAGES:
            restate(files, stage, before=self.folder.files)
        with suppress(FreeholdError):  # facts that nothing can be generated from: the documents stay as they were
            files |= generate.generate(facts.read(files.__getitem__, files.keys()))
        return self.sealed({path: data for path, data in files.items() if data != self.folder.files.get(path)})

    def inputs(self, files: Files) -> dict[str, str]:
        """The outputs of the stages, as their statements give them."""
        found = dict(self.index["inputs"])
        for stage in found:
            with suppress(ValueError, LookupError, TypeError):
                found[stage] = digest_of(json.loads(files[bundle.step_path(stage)])["predicate"]["manifest"])
        return found

    def sign_log(self, files: Files) -> None:
        """Number, link and sign every entry of the log of withdrawals again, and its head."""
        if bundle.WITHDRAWALS not in files or files == self.folder.files:
            return
        lines, previous = [], chain.GENESIS
        for row in files[bundle.WITHDRAWALS].removesuffix(b"\n").split(b"\n"):
            raw, value = row, json.loads(row)
            if isinstance(value, dict) and canonical_json(value) == raw:
                value |= {"previous": previous} if "previous" in value else {}
                raw = canonical_json(self.signed_entry(value))
            lines.append(raw)
            previous = chain.line_digest(raw)
        files[bundle.WITHDRAWALS] = b"".join(line + b"\n" for line in lines)
        files[bundle.WITHDRAWALS_HEAD] = consistency.head_of(lines).line()

    def signed_entry(self, row: dict[str, Any]) -> dict[str, Any]:
        """An entry of the log with a true signature, where it has a place for one."""
        signature = row.get("signature")
        if not isinstance(signature, dict) or "sig" not in signature:
            return row
        unsigned = {name: value for name, value in row.items() if name != "signature"}
        payload = pae(canonical_json(unsigned), kind=entry.PAYLOAD_TYPE)
        sig = self.key.sign(payload, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return row | {"signature": signature | {"sig": base64.b64encode(sig).decode()}}


def restate(files: Files, stage: str, *, before: Files) -> None:
    """Let a stage's statement swear the files that changed, give it the subject that follows, and tell the others."""
    where = bundle.step_path(stage)
    try:
        statement = json.loads(files[where])
        manifest = statement["predicate"]["manifest"]
        was = digest_of(json.loads(before[where])["predicate"]["manifest"])
        for place, path in places(stage):
            changed = place in files and files[place] != before.get(place) and path in manifest
            if changed and manifest[path]["sha256"] == sha256_bytes(before[place]):
                manifest[path] = {"sha256": sha256_bytes(files[place]), "size": len(files[place])}
        now = digest_of(manifest)
        if now == was or canonical_json(json.loads(files[where])) + b"\n" != files[where]:
            return
        statement["subject"][0]["digest"]["sha256"] = now
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return  # a statement of another form: there is nothing to carry through
    files[where] = canonical_json(statement) + b"\n"
    for path, data in files.items():
        if path.startswith("evidence/") and path.endswith((".json", ".jsonl")) and path not in (where, bundle.RELEASE):
            files[path] = data.replace(was.encode(), now.encode())


def places(stage: str) -> list[tuple[str, str]]:
    """Files of the release that a stage left: (place in the release, path in its artifact)."""
    copies = [(place, path) for place, (maker, path) in bundle.COPIES.items() if maker == stage]
    model = "model/config.json", "model/generation_config.json", "model/tokenizer_config.json"
    return copies + ([(path, path) for path in model] if stage in ("train", "refine") else [])


def relink(files: Files) -> None:
    """Give every line of the chain the digest of the line before."""
    previous = chain.GENESIS
    for path in bundle.CHAINS:
        lines = []
        for row in files.get(path, b"").removesuffix(b"\n").split(b"\n"):
            raw, value = row, json.loads(row)
            if isinstance(value, dict) and "previous" in value and canonical_json(value) == raw:
                raw = chain.line(value | {"previous": previous})
            lines.append(raw)
            previous = chain.line_digest(raw)
        files[path] = b"".join(line + b"\n" for line in lines)


@lru_cache(maxsize=1000)
def measured(data: bytes) -> tuple[str, int, Locators]:
    """SHA-256, size and locators of a file."""
    chunks = (data[place : place + CHUNK_BYTES] for place in range(0, len(data), CHUNK_BYTES))
    sums = "".join(f"{zlib.adler32(chunk):08x}" for chunk in chunks)
    return sha256_bytes(data), len(data), Locators(chunk_bytes=CHUNK_BYTES, adler32=sums)
