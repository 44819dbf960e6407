"""Which byte of a signature file changed: all but the signature itself follows from the release, and that is searched.

A bundle is a function of manifest, key and signature. What differs from it outside the signature is the damage; when
nothing does, each of its roughly 96 base64 digits is tried with each of the 63 other values. Either way the answer
is proven: with the byte put back, the file verifies.
"""

from __future__ import annotations

import base64
import binascii
import string

from cryptography.hazmat.primitives.asymmetric import ec

from freehold.proof.locators import ByteChange
from freehold.proof.signing import dsse
from freehold.proof.signing.signatures import Manifest, bundle_bytes, payload_of

DIGITS = (string.ascii_letters + string.digits + "+/=").encode()
MAX_DIGITS = 96  # of a P-256 signature in DER (at most 72 bytes) as base64


def changed_byte(data: bytes, manifest: Manifest, *, key: ec.EllipticCurvePublicKey) -> ByteChange | None:
    """The byte of a bundle file that, put back, makes it the signature of `manifest` by `key`; None if none does."""
    payload = payload_of(manifest)
    before, after = bundle_bytes(payload=payload, signature=b"", key=key).split(b'"sig":""')
    before, after = before + b'"sig":"', b'"' + after
    digits = data[len(before) : len(data) - len(after)]
    if len(data) < len(before) + len(after) or not 0 < len(digits) <= MAX_DIGITS:
        return None
    whole = before + digits + after
    differing = [offset for offset in range(len(data)) if data[offset] != whole[offset]] if data != whole else []
    if differing:
        sound = len(differing) == 1 and signs(digits, payload, key)
        return change(data, differing[0], whole[differing[0]]) if sound else None
    if signs(digits, payload, key):
        return None
    for place in range(len(digits)):
        for digit in DIGITS:
            tried = digits[:place] + bytes([digit]) + digits[place + 1 :]
            if tried != digits and signs(tried, payload, key):
                return change(data, len(before) + place, digit)
    return None


def change(data: bytes, offset: int, was: int) -> ByteChange:
    """The byte at `offset` and what it was."""
    return ByteChange(offset=offset, was=was, found=data[offset])


def signs(digits: bytes, payload: bytes, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether base64 digits are a signature of a payload, in their canonical spelling."""
    try:
        signature = base64.b64decode(digits, validate=True)
    except binascii.Error:
        return False
    return base64.b64encode(signature) == digits and dsse.signed(payload, signature, key)
