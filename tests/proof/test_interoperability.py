"""Agreement with `model-signing`, where it is installed: on the path, or named by FREEHOLD_MODEL_SIGNING."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from freehold.proof import bundle
from freehold.proof.signing import keys, signatures

COMMAND = os.environ.get("FREEHOLD_MODEL_SIGNING") or shutil.which("model_signing")
pytestmark = pytest.mark.skipif(COMMAND is None, reason="model-signing is not installed")


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, keys.KeyFiles]:
    pair = keys.new_pair(tmp_path / "keys", "ministry")
    release = tmp_path / "tiny-1"
    for name in ("model/a.bin", "model/a/b", "model/a.b", "größe 法令.txt", ".hidden"):
        (release / name).parent.mkdir(parents=True, exist_ok=True)
        (release / name).write_text(name)
    bundle.write_policy(release, parties={"ministry": pair.fingerprint}, threshold=1)
    bundle.seal(release, name="tiny", version="1", licence="Apache-2.0", inputs={})
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pair.private))
    return release, pair


def theirs(*arguments: str | Path) -> int:
    return subprocess.run([COMMAND, *map(str, arguments)], check=False, capture_output=True).returncode


def test_model_signing_verifies_our_signature(signed: tuple[Path, keys.KeyFiles]) -> None:
    release, pair = signed
    signature = release / bundle.signature_path("ministry")
    command = ("verify", "key", release, "--no-ignore-git-paths", "--signature", signature, "--public_key", pair.public)
    assert theirs(*command) == 0
    (release / "model/a.b").write_text("changed")
    assert theirs(*command) != 0


def test_we_verify_a_signature_by_model_signing(signed: tuple[Path, keys.KeyFiles], tmp_path: Path) -> None:
    release, pair = signed
    signature = tmp_path / "theirs.json"
    ignored = release / signatures.SIGNATURES
    assert (
        theirs(
            "sign", "key", release, "--private_key", pair.private, "--ignore-paths", ignored, "--signature", signature
        )
        == 0
    )
    found = signatures.parse(signature.read_bytes(), where="x")
    assert signatures.verifies(found, keys.load_public(pair.public))
    index = bundle.parse_release_json((release / bundle.RELEASE).read_bytes(), where="x")
    assert signatures.manifest_of(found, where="x").files == bundle.manifest_for(release, index).files
