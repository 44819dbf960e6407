"""What every signature here is: ECDSA with P-256 and SHA-256 over DSSE's encoding of a payload and its media type.

DSSE: https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

IN_TOTO = "application/vnd.in-toto+json"


def pae(payload: bytes, *, kind: str = IN_TOTO) -> bytes:
    """DSSE's pre-authentication encoding of a payload of the media type `kind`: what is really signed.

    >>> pae(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def sign(payload: bytes, key: ec.EllipticCurvePrivateKey, *, kind: str = IN_TOTO) -> bytes:
    """The signature in DER. Equal payload and key give equal bytes (RFC 6979)."""
    return key.sign(pae(payload, kind=kind), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def signed(payload: bytes, signature: bytes, key: ec.EllipticCurvePublicKey, *, kind: str = IN_TOTO) -> bool:
    """Whether `signature` is one of the payload by this key."""
    try:
        key.verify(signature, pae(payload, kind=kind), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
