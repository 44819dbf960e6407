"""Bundles made to hurt: refused in bounded time and memory, never an unforeseen error."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as Ed25519
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from freehold.errors import InputError
from freehold.proof import bundle, chain
from freehold.proof.digests import digest_of
from freehold.proof.signing import keys, signatures
from freehold.proof.signing.keys import KeyFiles
from freehold.proof.signing.signatures import Manifest
from freehold.records import canonical_json
from freehold.stages.verify.run import verify

from .releases import Recipe, build, segment

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def index_with(release: Path, **changed: Any) -> bytes:
    return json.dumps(json.loads((release / bundle.RELEASE).read_bytes()) | changed).encode()


HOSTILE = {
    "duplicate keys": lambda release: index_with(release)[:-1] + b',"files":{}}',
    "duplicate paths": lambda release: index_with(release).replace(b'"files": {', b'"files": {"report.html": {}, ', 1),
    "path traversal": lambda release: index_with(release, files={"../../etc/passwd": {"sha256": "0" * 64, "size": 1}}),
    "absolute path": lambda release: index_with(release, files={"/etc/passwd": {"sha256": "0" * 64, "size": 1}}),
    "backslashes": lambda release: index_with(release, files={"..\\x": {"sha256": "0" * 64, "size": 1}}),
    "null byte": lambda release: index_with(release, files={"a\0": {"sha256": "0" * 64, "size": 1}}),
    "deep nesting": lambda release: b'{"files":' * 100_000,
    "deep lists": lambda release: b"[" * 5_000_000,
    "very large": lambda release: b" " * (17 << 20),
    "very many objects": lambda release: b"[" + b"[]," * 2_000_000 + b"[]]",
    "a number of a million digits": lambda release: b'{"format":' + b"9" * 1_000_000 + b"}",
    "an exponent": lambda release: index_with(release).replace(b'"format": 1', b'"format": 1e999999999'),
    "not UTF-8": lambda release: b"\xff\xfe{}",
    "empty": lambda release: b"",
    "a list": lambda release: b"[]",
    "null": lambda release: b"null",
    "another format": lambda release: index_with(release, format=2),
    "a size of true": lambda release: index_with(release, files={"a": {"sha256": "0" * 64, "size": True}}),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("signed", [True, False])
def test_hostile_release_json(release: Path, pairs: dict[str, KeyFiles], what: str, signed: bool) -> None:
    """Unsigned it is refused for what it says, with signatures beside it for what it is."""
    (release / bundle.RELEASE).write_bytes(HOSTILE[what](release))
    if not signed:
        for party in ("ministry", "archive"):
            (release / bundle.signature_path(party)).unlink()
    begun = time.perf_counter()
    report = verify(release, trust=[pairs["ministry"].public, pairs["archive"].public])
    assert time.perf_counter() - begun < 5
    assert report.exit_code == 3
    assert bundle.RELEASE in {found.where for found in report.checks[1].findings}


def test_a_trusted_party_signs_hostile_paths(release: Path, pairs: dict[str, KeyFiles]) -> None:
    """The list itself is hostile and the signature over it is good."""
    for path in ("../outside", "/etc/passwd", "a\\b", "evidence/./x"):
        manifest = Manifest(name="x", files={path: "0" * 64}, locators={})
        for party in ("ministry", "archive"):
            data = signatures.sign(manifest, keys.load_private(pairs[party].private))
            (release / bundle.signature_path(party)).write_bytes(data)
        report = verify(release, trust=[pairs["ministry"].public])
        assert report.exit_code == 3
        assert "it lists" in report.checks[0].detail


def test_release_json_as_pipe_link_or_folder_does_not_hang(release: Path, pairs: dict[str, KeyFiles]) -> None:
    path = release / bundle.RELEASE
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: (path / "x").mkdir(parents=True)):
        path.unlink()
        make(path)
        assert verify(release, trust=[pairs["ministry"].public]).checks[1].verdict == "FAIL"
        if path.is_dir():
            (path / "x").rmdir()
            path.rmdir()
            path.touch()


def targets(release: Path) -> list[str]:
    """Every JSON file of the evidence but the signatures: whatever a release comes to carry is fuzzed from then on."""
    found = sorted(path for path in (release / "evidence").rglob("*") if path.suffix in (".json", ".jsonl"))
    names = [path.relative_to(release).as_posix() for path in found]
    return [name for name in names if not bundle.is_signature(name)]


def leaves(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way] + [found for key, item in inner for found in leaves(item, (*way, key))]


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_json_in_any_place_signed_by_a_trusted_key_is_judged(
    tmp_path_factory: pytest.TempPathFactory,
    sound: Path,
    pairs: dict[str, KeyFiles],
    release: Path,
    data: st.DataObject,
) -> None:
    """One value anywhere in the evidence is replaced by any other, and all of it signed again: a report comes back."""
    names = targets(sound)
    name = data.draw(st.sampled_from(names))
    path = release / name
    before = {target: (release / target).read_bytes() for target in (*names, bundle.signature_path("ministry"))}
    texts = before[name].removesuffix(b"\n").split(b"\n") if name.endswith(".jsonl") else [before[name]]
    rows = [json.loads(text) for text in texts if text]
    assume(rows)
    way = data.draw(st.sampled_from(leaves(rows)[1:]))
    inner: Any = rows
    for key in way[:-1]:
        inner = inner[key]
    inner[way[-1]] = data.draw(JSON)
    try:
        path.write_bytes(b"\n".join(json.dumps(row).encode() for row in rows))
        index = bundle.parse_release_json(before[bundle.RELEASE], where="x")
        if name not in (bundle.RELEASE, bundle.LOCATORS):
            bundle.seal(release, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=index.inputs)
            index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
        signed = signatures.sign(bundle.manifest_for(release, index), keys.load_private(pairs["ministry"].private))
        (release / bundle.signature_path("ministry")).write_bytes(signed)
        report = verify(release, trust=[pairs["ministry"].public], threshold=1)
        assert report.exit_code in (0, 3, 4)
    finally:
        for target, content in before.items():
            (release / target).write_bytes(content)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bytes_in_any_evidence_are_judged(
    sound: Path, release: Path, pairs: dict[str, KeyFiles], data: st.DataObject
) -> None:
    places = st.sampled_from([*targets(sound), bundle.signature_path("ministry")])
    found = data.draw(st.dictionaries(places, st.binary(max_size=300), min_size=1))
    before = {target: (release / target).read_bytes() for target in found}
    try:
        for target, content in found.items():
            (release / target).write_bytes(content)
        assert verify(release, trust=[pairs["ministry"].public]).exit_code == 3
    finally:
        for target, content in before.items():
            (release / target).write_bytes(content)


def test_an_unreadable_folder_is_bad_input(tmp_path: Path) -> None:
    deep = tmp_path / "r"
    deep.mkdir()
    with pytest.raises(InputError):
        verify(deep / ("x" * 300))


MEMORY = """
import sys
from pathlib import Path
from freehold.stages.verify.run import verify
report = verify(Path(sys.argv[1]), trust=[Path(sys.argv[2])])
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(report.exit_code, peak_kb, *sorted(sys.modules))
"""


def judged_apart(release: Path, pairs: dict[str, KeyFiles]) -> tuple[int, int, list[str]]:
    """Exit code, peak memory in kB and the imported modules of a verification in a process of its own."""
    command = [sys.executable, "-c", MEMORY, str(release), str(pairs["ministry"].public)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    code, peak_kb, *modules = done.stdout.split()
    return int(code), int(peak_kb), modules


def seal_again(release: Path, pairs: dict[str, KeyFiles], **more: str) -> None:
    """Hash and sign all of it with the trusted key; `more` are stages beside the known ones."""
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    shutil.rmtree(release / signatures.SIGNATURES)
    bundle.seal(release, name="tiny", version="1", licence="x", inputs={**index.inputs, **more})
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pairs["ministry"].private))


def many_lines(release: Path, pairs: dict[str, KeyFiles]) -> None:
    (release / bundle.CHAINS[0]).write_bytes(b"[]\n" * (2 << 20))
    (release / bundle.SOURCES).write_bytes(b"{}\n" * (5 << 20))
    seal_again(release, pairs)


def many_segments(release: Path, pairs: dict[str, KeyFiles]) -> None:
    rows, previous = [], chain.GENESIS
    for step in range(19_000):
        rows.append(chain.line(segment(first_step=step, last_step=step, checkpoint="c" * 64, previous=previous)))
        previous = chain.line_digest(rows[-1])
    (release / bundle.CHAINS[0]).write_bytes(b"\n".join(rows) + b"\n")
    seal_again(release, pairs)


def long_statements(release: Path, pairs: dict[str, KeyFiles]) -> None:
    """A manifest of 62,000 files in one statement, which is all that statements may weigh."""
    manifest = {f"x/{number}": {"sha256": "0" * 64, "size": 1} for number in range(62_000)}
    value = json.loads((release / bundle.step_path("train")).read_bytes())
    value["predicate"] |= {"stage": "more", "manifest": manifest}
    value["subject"] = [{"name": "artifact/more", "digest": {"sha256": digest_of(manifest)}}]
    (release / bundle.step_path("more")).write_bytes(json.dumps(value, separators=(",", ":")).encode())
    seal_again(release, pairs, more=digest_of(manifest))


def long_lists(release: Path, pairs: dict[str, KeyFiles]) -> None:
    """Three signatures by a trusted key over 24,000 files that do not exist, each of them another list."""
    private = keys.load_private(pairs["ministry"].private)
    for party in ("ministry", "archive", "more"):
        files = {f"{party}/{number:08d}": "0" * 64 for number in range(24_000)}
        data = signatures.sign(Manifest(name="x", files=files, locators={}), private)
        (release / bundle.signature_path(party)).write_bytes(data)


def long_locators(release: Path, pairs: dict[str, KeyFiles]) -> None:
    """Locators as long as they may be, signed, and a damaged file that makes the verifier read them."""
    index = json.loads((release / bundle.RELEASE).read_bytes())
    data = b'{"report.html":{"adler32":"' + b"0" * (15 << 20) + b'","chunk_bytes":32768}}'
    index["files"][bundle.LOCATORS] = {"sha256": sha256(data).hexdigest(), "size": len(data)}
    (release / bundle.LOCATORS).write_bytes(data)
    (release / bundle.RELEASE).write_bytes(canonical_json(index))
    found = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    signed = signatures.sign(bundle.manifest_for(release, found), keys.load_private(pairs["ministry"].private))
    (release / bundle.signature_path("ministry")).write_bytes(signed)
    (release / "report.html").write_bytes(b"changed")


BOMBS = {bomb.__name__: bomb for bomb in (many_lines, many_segments, long_statements, long_lists, long_locators)}


@pytest.mark.parametrize("what", BOMBS)
def test_bombs_signed_by_a_trusted_key_cost_little(release: Path, pairs: dict[str, KeyFiles], what: str) -> None:
    BOMBS[what](release, pairs)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, peak_kb, _ = judged_apart(release, pairs)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert code in (0, 3), "a stage more is no fault"
    assert peak_kb < 100_000
    assert after.ru_utime - before.ru_utime < 10


def test_very_many_bytes_of_signatures_are_not_read(release: Path, pairs: dict[str, KeyFiles]) -> None:
    for number in range(5):
        (release / bundle.signature_path(f"p{number}")).write_bytes(b" " * (4 << 20))
    report = verify(release, trust=[pairs["ministry"].public])
    assert report.exit_code == 3
    assert "at most" in report.checks[0].detail


def test_a_key_on_another_curve_is_bad_input(sound: Path, tmp_path: Path) -> None:
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for made in (ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1()), Ed25519.generate()):
        (tmp_path / "k.pub").write_bytes(made.public_key().public_bytes(*form))
        with pytest.raises(InputError, match="P-256"):
            verify(sound, trust=[tmp_path / "k.pub"])


def test_memory_is_bounded_and_nothing_heavy_is_imported(tmp_path: Path, pairs: dict[str, KeyFiles]) -> None:
    """A release of 200 MB, one byte of it changed: the peak stays far below its size."""
    large = tmp_path / "r" / "gguf" / "large.gguf"
    large.parent.mkdir(parents=True)
    large.touch()
    os.truncate(large, 200_000_000)
    release = build(tmp_path / "r", Recipe(), {"ministry": pairs["ministry"]})
    with large.open("r+b") as file:
        file.seek(150_000_001)
        file.write(b"\1")
    code, peak_kb, modules = judged_apart(release, pairs)
    assert code == 3
    assert peak_kb < 100_000
    roots = {module.split(".")[0] for module in modules}
    assert not roots & {"torch", "numpy", "pydantic", "requests", "httpx", "pyarrow", "typer", "rich"}
    assert "freehold.charter" not in modules
