"""Keys in files."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from freehold.errors import InputError
from freehold.proof.signing import keys


def test_a_new_pair_is_secret_and_fits(tmp_path: Path) -> None:
    made = keys.new_pair(tmp_path / "keys", "ministry")
    assert (made.private.name, made.public.name) == ("ministry.key", "ministry.pub")
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o600
    private, public = keys.load_private(made.private), keys.load_public(made.public)
    assert private.public_key() == public
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert made.fingerprint == keys.fingerprint(public) == hashlib.sha256(der).hexdigest()
    assert keys.fingerprint_of_file(made.private) == keys.fingerprint_of_file(made.public) == made.fingerprint


@pytest.mark.parametrize("there", ["ministry.key", "ministry.pub"])
def test_a_key_is_never_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="never overwritten"):
        keys.new_pair(tmp_path, "ministry")
    assert len(list(tmp_path.iterdir())) == 1


def pem(key, *, password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


P256 = ec.generate_private_key(ec.SECP256R1())
PRIVATE = {
    "P-384": pem(ec.generate_private_key(ec.SECP384R1())),
    "Ed25519": pem(ed25519.Ed25519PrivateKey.generate()),
    "RSA": pem(rsa.generate_private_key(65537, 2048)),
    "encrypted": pem(P256, password=b"secret"),
    "public": keys.public_pem(P256.public_key()),
    "nothing": b"",
    "too large": b"x" * 70_000,
}


@pytest.mark.parametrize("kind", PRIVATE)
def test_other_private_keys_are_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "k.key").write_bytes(PRIVATE[kind])
    with pytest.raises(InputError):
        keys.load_private(tmp_path / "k.key")


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_other_curves_are_refused(tmp_path: Path, curve: ec.EllipticCurve) -> None:
    (tmp_path / "k.pub").write_bytes(keys.public_pem(ec.generate_private_key(curve).public_key()))
    with pytest.raises(InputError, match="not a P-256 key"):
        keys.load_public(tmp_path / "k.pub")


def test_a_private_key_is_no_public_one(tmp_path: Path) -> None:
    (tmp_path / "k.key").write_bytes(pem(P256))
    with pytest.raises(InputError, match="private key"):
        keys.load_public(tmp_path / "k.key")


def test_no_such_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        keys.load_public(tmp_path / "absent.pub")
