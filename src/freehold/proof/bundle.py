"""A release folder made checkable: policy, locators, release.json, then one signature file per party.

docs/reference/release.md describes every file. The order of writing is the order of trust: signatures cover
release.json and all that it lists, release.json lists locators.json and policy.json, locators name the byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import GateError, InputError
from freehold.proof import canonical
from freehold.proof.digests import manifest_of, sha256_bytes, walk
from freehold.proof.form import fields, named_digests
from freehold.proof.locators import Locators, measure
from freehold.proof.locators import parse as parse_locators
from freehold.proof.names import confused, problem, twin
from freehold.proof.signing import signatures
from freehold.proof.signing.keys import fingerprint
from freehold.proof.signing.signatures import SIGNATURES, SUFFIX, Manifest
from freehold.proof.statements import checked_manifest
from freehold.proof.writing import write
from freehold.records import canonical_json

FORMAT = 1
KIND = "freehold release"
RELEASE = "evidence/release.json"
LOCATORS = "evidence/locators.json"
POLICY = "evidence/policy.json"
STEPS = "evidence/steps"
SOURCES = "evidence/corpus/sources.jsonl"
TREE = "evidence/corpus/documents.smt"
CHAINS = ("evidence/train/chain.jsonl", "evidence/refine/chain.jsonl")
RESULTS = "evidence/evaluation/results.json"
ANSWERS = "evidence/evaluation/answers.jsonl"
HELD_OUT = "evidence/evaluation/held_out.jsonl"
COMPLETIONS = "evidence/evaluation/completions.jsonl"
MEMORISATION = "evidence/evaluation/memorisation.json"
WITHDRAWALS = "evidence/withdrawals/log.jsonl"
VERIFIER = "evidence/verify.pyz"
WITHDRAWALS_HEAD = "evidence/withdrawals/head.json"
WITHDRAWN_KEYS = "evidence/withdrawals/keys.json"  # that the tree lacks beside curate's
CUT_OFF = "evidence/train/withdrawn.json"  # the first step that would have used each document withdrawn at W3
MAX_RELEASE_BYTES = 16 << 20  # of any evidence that is read whole
MAX_INDEX_BYTES = 4 << 20  # of release.json: 30,000 files
MAX_POLICY_BYTES = 1 << 20
MAX_LOCATORS_BYTES = 16 << 20  # serves releases of 64 GiB
PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

# Files of a release that are copies of a stage's output, byte for byte: place → (stage, path in its artifact).
COPIES = {
    SOURCES: ("curate", "sources.jsonl"),
    "evidence/corpus/canaries.json": ("curate", "canaries.json"),
    TREE: ("curate", "documents.smt"),
    "evidence/corpus/rights.json": ("curate", "rights.json"),
    "evidence/corpus/croissant.json": ("curate", "croissant.json"),
    "evidence/tokenizer/fairness.json": ("tokenize", "fairness.json"),
    "evidence/train/recipe.json": ("train", "recipe.json"),
    CHAINS[0]: ("train", "chain.jsonl"),
    CUT_OFF: ("train", "withdrawn.json"),
    "evidence/refine/recipe.json": ("refine", "recipe.json"),
    CHAINS[1]: ("refine", "chain.jsonl"),
    RESULTS: ("evaluate", "results.json"),
    ANSWERS: ("evaluate", "answers.jsonl"),
    HELD_OUT: ("evaluate", "held_out.jsonl"),
    COMPLETIONS: ("evaluate", "completions.jsonl"),
    MEMORISATION: ("evaluate", "memorisation.json"),
}
REQUIRED = (SOURCES, TREE, *CHAINS)  # where the stage that makes them is part of the release


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseIndex:
    """release.json after its form was checked."""

    name: str
    version: str
    licence: str
    inputs: Mapping[str, str]  # stage → digest of the artifact the release was made from
    files: Mapping[str, Mapping[str, Any]]  # path → {"sha256", "size"}
    digest: str  # SHA-256 of release.json itself, as it was read


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """policy.json: whose signatures a release should carry, and how many of them are enough."""

    threshold: int
    parties: Mapping[str, str]  # party → key fingerprint


def step_path(stage: str) -> str:
    """Where a stage's statement stands in a release."""
    return f"{STEPS}/{stage}.intoto.jsonl"


def filter_path(digest: str) -> str:
    """Where a filter of withdrawn text stands in a release."""
    return f"evidence/withdrawals/filters/{digest}.filter"


def signature_path(party: str) -> str:
    """Where a party's signature stands in a release."""
    return f"{SIGNATURES}/{party}{SUFFIX}"


def is_signature(path: str) -> bool:
    """Whether a path lies in the one folder that signatures do not cover."""
    return path.startswith(f"{SIGNATURES}/")


def write_policy(release: Path, *, parties: Mapping[str, str], threshold: int) -> None:
    """Declare who signs: {party: key fingerprint}, `threshold` of them. Raises InputError if that cannot be met."""
    data = canonical_json({"format": FORMAT, "threshold": threshold, "parties": dict(parties)})
    try:
        parse_policy(data, where=POLICY)
    except GateError as error:
        raise InputError(error.message, where=str(release / POLICY), remedy="correct parties or threshold") from None
    write(release / POLICY, data)


def parse_policy(data: bytes, *, where: str) -> Policy:
    """policy.json from its bytes. Raises GateError: k of n with k > n, a party or a key named twice, odd names."""
    value = fields(canonical.load(data, where=where), {"format", "threshold", "parties"}, where=where)
    parties, threshold = named_digests(value["parties"], where=where, what="parties"), value["threshold"]
    if value["format"] != FORMAT:
        raise GateError(f"policy format {value['format']!r}, this Freehold reads {FORMAT}", where=where)
    if odd := [party for party in parties if not PARTY.fullmatch(party)]:
        raise GateError(f"{odd[0]!r} is no party's name", where=where)
    if len({twin(party) for party in parties}) < len(parties) or len(set(parties.values())) < len(parties):
        raise GateError("two parties share a name or a key", where=where)
    if type(threshold) is not int or not 1 <= threshold <= len(parties):
        raise GateError(f"{threshold!r} of {len(parties)} signatures cannot be asked for", where=where)
    return Policy(threshold=threshold, parties=parties)


def build_release_json(
    release: Path, *, name: str, version: str, licence: str, inputs: Mapping[str, str]
) -> tuple[bytes, bytes]:
    """(release.json, locators.json) for the folder as it stands, both canonical; nothing is written.

    `inputs` names the artifact of every stage that the release was made from. Raises InputError for anything in the
    folder that cannot be released: links, odd names, names that differ only by case, empty folders.
    """
    files: dict[str, dict[str, Any]] = {}
    found: dict[str, Any] = {}
    for path in sorted(covered(release)):
        sha256, size, located = measure(release / path)
        files[path] = {"sha256": sha256, "size": size}
        found[path] = located.as_json()
    locators = canonical_json(found)
    files[LOCATORS] = {"sha256": sha256_bytes(locators), "size": len(locators)}
    index = {
        "format": FORMAT,
        "kind": KIND,
        "name": name,
        "version": version,
        "licence": licence,
        "inputs": dict(inputs),
        "files": files,
    }
    return canonical_json(index), locators


def covered(release: Path) -> list[str]:
    """Paths that release.json lists, but for locators.json. Raises InputError for what cannot be released."""
    paths = []
    for entry in walk(release):
        reason = problem(entry.path) or (None if entry.kind == "file" else f"no {entry.kind} can be released")
        if reason:
            raise InputError(reason, where=str(release / entry.path), remedy="remove or rename it")
        if entry.path not in (RELEASE, LOCATORS) and not is_signature(entry.path):
            paths.append(entry.path)
    if pair := confused(paths):
        raise InputError(f"its name looks like {pair[0]!r}", where=str(release / pair[1]), remedy="rename one of them")
    return paths


def seal(release: Path, *, name: str, version: str, licence: str, inputs: Mapping[str, str]) -> None:
    """Write locators.json and release.json over everything else in the folder. Sign afterwards, change nothing more."""
    index, locators = build_release_json(release, name=name, version=version, licence=licence, inputs=inputs)
    write(release / LOCATORS, locators)
    write(release / RELEASE, index)


def parse_release_json(data: bytes, *, where: str) -> ReleaseIndex:
    """release.json from its bytes. Raises GateError for anything but this format, unsafe paths included."""
    names = {"format", "kind", "name", "version", "licence", "inputs", "files"}
    value = fields(canonical.load(data, where=where, max_bytes=MAX_INDEX_BYTES), names, where=where)
    if (value["kind"], value["format"]) != (KIND, FORMAT):
        raise GateError(f"no {KIND} of format {FORMAT}", where=where, remedy="use the Freehold that made it")
    texts = {key: value[key] for key in ("name", "version", "licence")}
    if odd := [key for key, text in texts.items() if not isinstance(text, str) or not text]:
        raise GateError(f"{odd[0]} is no text", where=where)
    files = checked_manifest(value["files"], where=where)
    if wrong := [path for path in files if path == RELEASE or is_signature(path)]:
        raise GateError(f"it lists {wrong[0]}, which cannot be listed", where=where)
    if pair := confused(files):
        raise GateError(f"it lists {pair[1]!r}, which looks like {pair[0]!r}", where=where)
    inputs = named_digests(value["inputs"], where=where, what="inputs")
    return ReleaseIndex(**texts, inputs=inputs, files=files, digest=sha256_bytes(data))


def parse_locators_json(data: bytes, *, where: str) -> dict[str, Locators]:
    """locators.json from its bytes. Raises GateError if it is malformed."""
    value = canonical.load(data, where=where, max_bytes=MAX_LOCATORS_BYTES)
    if not isinstance(value, dict):
        raise GateError("malformed locators", where=where)
    return {path: parse_locators(found, where=where) for path, found in value.items()}


def sign_bundle(release: Path, *, party: str, key: ec.EllipticCurvePrivateKey) -> Path:
    """Add a party's signature over everything that lies in a sealed release, hashed now; the file it stands in.

    Raises InputError if the folder is no sealed release, differs from its release.json, or its policy does not
    name this party with this key.
    """
    index, policy = sealed_index(release)
    if policy.parties.get(party) != fingerprint(key.public_key()):
        advice = "sign with the key that the policy names, or name this one"
        raise InputError(f"the policy does not give {party!r} this key", where=str(release / POLICY), remedy=advice)
    target = release / signature_path(party)
    write(target, signatures.sign(manifest_for(release, index), key))
    return target


def sealed_index(release: Path) -> tuple[ReleaseIndex, Policy]:
    """release.json and policy.json of a folder that holds, hashed now, exactly what they list.

    Raises InputError if the folder is no sealed release or differs from its release.json.
    """
    found = {path: facts for path, facts in manifest_of(release).items() if not is_signature(path)}
    if not {RELEASE, LOCATORS, POLICY} <= set(found):
        raise InputError("not a sealed release", where=str(release), remedy="freehold release makes one")
    try:
        index = parse_release_json((release / RELEASE).read_bytes(), where=str(release / RELEASE))
        policy = parse_policy((release / POLICY).read_bytes(), where=str(release / POLICY))
    except GateError as error:
        raise InputError(error.message, where=error.where, remedy="make the release anew") from None
    listed = {**index.files, RELEASE: found[RELEASE]}
    if differing := sorted(path for path in found.keys() | listed.keys() if found.get(path) != listed.get(path)):
        advice = "make the release anew; what is signed must be what is listed"
        raise InputError("is not what release.json lists", where=str(release / differing[0]), remedy=advice)
    return index, policy


def manifest_for(release: Path, index: ReleaseIndex) -> Manifest:
    """What a party signs: release.json and every file it lists, and locators of the two that locators.json cannot hold.

    Only release.json and locators.json are read. Raises InputError if they cannot be.
    """
    own = {path: measure(release / path) for path in (RELEASE, LOCATORS)}
    files = {path: facts["sha256"] for path, facts in index.files.items()}
    return Manifest(
        name=f"{index.name}-{index.version}",
        files={**files, RELEASE: own[RELEASE][0]},
        locators={path: found for path, (_, _, found) in own.items()},
    )
