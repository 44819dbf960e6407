"""P-256 keys in files: made once, never overwritten, known by the SHA-256 of their public half."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from freehold.errors import InputError
from freehold.proof.digests import read_bytes

MAX_KEY_BYTES = 65_536
PRIVATE, PUBLIC = ".key", ".pub"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    """Where a new pair stands."""

    private: Path  # NAME.key, PKCS 8 PEM, readable by its owner only
    public: Path  # NAME.pub, SubjectPublicKeyInfo PEM, to be handed to whoever verifies
    fingerprint: str


def new_pair(folder: Path, name: str) -> KeyFiles:
    """Make a key pair NAME.key and NAME.pub in `folder`. Raises InputError if either file is already there."""
    private, public = folder / f"{name}{PRIVATE}", folder / f"{name}{PUBLIC}"
    for path in (private, public):
        if path.exists() or path.is_symlink():
            advice = "choose another name"
            raise InputError("a key is already there and is never overwritten", where=str(path), remedy=advice)
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_new(private, pem, mode=0o600)
    write_new(public, public_pem(key.public_key()), mode=0o644)
    return KeyFiles(private=private, public=public, fingerprint=fingerprint(key.public_key()))


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Create a file that must not exist, with its mode from the first byte on, flushed to disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(handle)


def load_private(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key in a PEM file. Raises InputError if it is no unencrypted P-256 private key."""
    try:
        key = serialization.load_pem_private_key(read_bytes(path.resolve(), max_bytes=MAX_KEY_BYTES), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(f"no private key that we read: {brief(error)}", where=str(path)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InputError("not a P-256 key", where=str(path), remedy="freehold keys new makes one")
    return key


def load_public(path: Path) -> ec.EllipticCurvePublicKey:
    """The public key in a PEM file. Raises InputError if it is no P-256 public key."""
    data = read_bytes(path.resolve(), max_bytes=MAX_KEY_BYTES)
    if b"PRIVATE KEY" in data:
        advice = f"give the public half, {path.stem}{PUBLIC}"
        raise InputError("this is a private key", where=str(path), remedy=advice)
    try:
        key = serialization.load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"no public key that we read: {brief(error)}", where=str(path)) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InputError("not a P-256 key", where=str(path), remedy="ask its owner for a P-256 public key")
    return key


def fingerprint_of_file(path: Path) -> str:
    """The fingerprint of the public key in a file, or of the public half of a private one. Raises InputError."""
    if b"PRIVATE KEY" in read_bytes(path.resolve(), max_bytes=MAX_KEY_BYTES):
        return fingerprint(load_private(path).public_key())
    return fingerprint(load_public(path))


def brief(error: Exception) -> str:
    """The first sentence of a library's complaint."""
    return str(error).partition(". ")[0].partition("\n")[0] or type(error).__name__


def fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    """The name of a key: SHA-256, in hex, of its SubjectPublicKeyInfo in DER."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as PEM."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
