"""The evidence folder: what the stages left as proof, copied byte for byte, sealed and signed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from freehold.errors import InputError
from freehold.proof import bundle
from freehold.proof.signing import keys
from freehold.proof.signing.publisher import key_file, party_of
from freehold.stage import Stage
from freehold.stages.release import withdrawals
from freehold.stages.release.verifier import verifier

LICENCE_TOLD = 60  # characters; what is longer is a licence's text, not its name
NEEDS = ("curate", "tokenize", "train", "refine", "evaluate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, with which key."""

    party: str  # as it stands in file names
    key: EllipticCurvePrivateKey
    fingerprint: str


def gather(stage: Stage) -> None:
    """Copy every file that proves something, and each stage's attestation. Raises InputError if a needed one lacks."""
    for place, (name, path) in bundle.COPIES.items():
        source, target = stage.input(name) / path, stage.output / place
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif place in bundle.REQUIRED:
            advice = f"freehold run CHARTER --until {name}"
            raise InputError(f"{path} is missing", where=f"artifact of {name}", remedy=advice)
    for name in NEEDS:
        target = stage.output / bundle.step_path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(stage.attestation(name))
    attested = json.loads(stage.attestation("train"))["predicate"]["environment"]
    (stage.output / "evidence/train/environment.lock").write_text(lock(attested), encoding="utf-8")
    (stage.output / bundle.VERIFIER).write_bytes(verifier())
    withdrawals.carry(stage)


def lock(attested: Mapping[str, Any]) -> str:
    """Every package that training attests, as `pip install -r` reads it; no name of host or user.

    A comment names the licence where the same version is installed here and its metadata tell one.
    """
    lines = [f"# Python {attested['python']}, {attested['system']}, {attested['processor']}"]
    for name, version in sorted(attested["packages"].items(), key=lambda row: row[0].lower()):
        told = licence_of(name, version)
        lines.append(f"{name}=={version}{f'  # {told}' if told else ''}")
    return "\n".join([*lines, ""])


def licence_of(name: str, version: str) -> str | None:
    """How an installed package states its licence: an SPDX expression (PEP 639), else a classifier or a short text."""
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    if found["Version"] != version:
        return None
    if expression := found["License-Expression"]:
        return f"SPDX-License-Identifier: {expression}"
    classified = [
        entry.rpartition(" :: ")[2] for entry in found.get_all("Classifier") or [] if entry.startswith("License :: ")
    ]
    stated = " ".join((found["License"] or "").split())
    told = ", ".join(classified) or (stated if len(stated) <= LICENCE_TOLD else "")
    return f"License: {told}" if told else None


def signer_of(stage: Stage) -> Signer:
    """The responsible party with the workspace's key of that name, or its only key; made here where it has none.

    Raises InputError where several keys lie there and none bears the party's name.
    """
    party = party_of(stage.charter.responsible.name)
    folder = stage.workspace_folder / "keys"
    path = key_file(folder, party)
    if path is None:
        made = keys.new_pair(folder, party)
        stage.progress.note(
            f"No signing key was in {folder}, so one was made for {party}: {made.private.name} stays secret, "
            f"{made.public.name} goes to whoever verifies (SHA-256 {made.fingerprint}). For a release that others "
            "rely on, make the key with `freehold keys new` and keep it away from this machine's backups."
        )
        path = made.private
    key = keys.load_private(path)
    if not (public := path.with_suffix(keys.PUBLIC)).exists():  # a run was killed between the two files
        keys.write_new(public, keys.public_pem(key.public_key()), mode=0o644)
    return Signer(party=party, key=key, fingerprint=keys.fingerprint(key.public_key()))


def seal_and_sign(stage: Stage, signer: Signer) -> None:
    """Policy, locators and release.json over everything in the folder, then the signature; nothing is added after."""
    declared = stage.charter.release
    bundle.write_policy(stage.output, parties=parties_of(stage, signer), threshold=declared.threshold)
    bundle.seal(
        stage.output,
        name=declared.name,
        version=declared.version,
        licence=declared.licence,
        inputs={name: stage.digest(name) for name in NEEDS},
    )
    bundle.sign_bundle(stage.output, party=signer.party, key=signer.key)


def parties_of(stage: Stage, signer: Signer) -> dict[str, str]:
    """{party: key fingerprint} of everyone who is to sign. Raises InputError where one bears the publisher's name."""
    found = {signer.party: signer.fingerprint}
    for party in stage.charter.release.parties:
        if party.name in found:
            advice = "the responsible party signs anyway: remove it from [release].parties"
            raise InputError(f"{party.name!r} is the responsible party", where=stage.charter.path.name, remedy=advice)
        found[party.name] = keys.fingerprint(keys.load_public(stage.charter.resolve(party.key)))
    return found
