"""Rotations, revocations and testimonies: one spelling, signed by whom they name."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import GateError, InputError
from freehold.proof.canonical import canonical_json
from freehold.proof.parties import key_statements, witness
from freehold.proof.parties.key_statements import Revocation, Rotation
from freehold.proof.signing import envelope
from freehold.proof.signing.keys import fingerprint

OLD, NEW, OTHER = (ec.derive_private_key(number, ec.SECP256R1()) for number in (0xF00D, 0xBEEF, 0xCAFE))
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ROTATION = key_statements.rotate(old=OLD, new=NEW, date=NOON)
REVOCATION = key_statements.revoke(OLD, reason="laptop stolen", since=NOON)


def test_a_rotation_is_signed_by_both_keys() -> None:
    said = key_statements.parse(ROTATION, where="x")
    assert isinstance(said, Rotation)
    assert (said.old, said.new, said.date) == (fingerprint(OLD.public_key()), fingerprint(NEW.public_key()), NOON)
    assert envelope.signed_by(said.envelope, OLD.public_key())
    assert envelope.signed_by(said.envelope, NEW.public_key())
    assert not envelope.signed_by(said.envelope, OTHER.public_key())
    assert key_statements.rotate(old=OLD, new=NEW, date=NOON) == ROTATION, "a rerun gives the same bytes"


def test_a_revocation_is_signed_by_the_key_itself() -> None:
    said = key_statements.parse(REVOCATION, where="x")
    assert isinstance(said, Revocation)
    assert (said.reason, said.since) == ("laptop stolen", NOON)
    assert envelope.signed_by(said.envelope, OLD.public_key())


def test_what_cannot_be_said() -> None:
    with pytest.raises(InputError, match="its own place"):
        key_statements.rotate(old=OLD, new=OLD, date=NOON)
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(InputError, match="reason"):
            key_statements.revoke(OLD, reason=reason, since=NOON)


def altered(data: bytes, **changed: Any) -> bytes:
    """The statement with other words in its predicate, the signatures as they were."""
    value = json.loads(data)
    statement = json.loads(base64.b64decode(value["payload"]))
    statement["predicate"] |= changed
    return canonical_json(value | {"payload": base64.b64encode(canonical_json(statement)).decode()}) + b"\n"


def test_another_word_is_not_signed() -> None:
    with pytest.raises(GateError, match="the new key did not sign it"):
        key_statements.parse(altered(ROTATION, date="2020-01-01T00:00:00Z"), where="x")
    said = key_statements.parse(altered(REVOCATION, since="2020-01-01T00:00:00Z"), where="x")
    assert not envelope.signed_by(said.envelope, OLD.public_key())


@pytest.mark.parametrize(
    "changed",
    [
        {"date": "yesterday"},
        {"date": "2026-11-21T12:00:00+00:00"},
        {"old": "x"},
        {"new": "0" * 64},
        {"key": "no key"},
        {"key": 7},
        {"more": 1},
    ],
)
def test_malformed_rotations(changed: dict[str, Any]) -> None:
    with pytest.raises(GateError):
        key_statements.parse(altered(ROTATION, **changed), where="x")


def test_a_rotation_to_another_curve_is_refused() -> None:
    from cryptography.hazmat.primitives import serialization

    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = other.public_bytes(serialization.Encoding.PEM, form).decode()
    with pytest.raises(GateError, match="no P-256 key"):
        key_statements.parse(altered(ROTATION, key=pem), where="x")


def test_every_byte_of_a_statement_counts() -> None:
    """A flipped bit anywhere is refused, or no signature stands any more."""
    for offset in range(len(REVOCATION)):
        data = bytearray(REVOCATION)
        data[offset] ^= 1
        try:
            said = key_statements.parse(bytes(data), where="x")
        except GateError:
            continue
        assert not envelope.signed_by(said.envelope, OLD.public_key()), offset


@given(st.binary(max_size=200) | st.just(ROTATION).map(lambda data: data[:-9]))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_judged(data: bytes) -> None:
    for parse in (key_statements.parse, witness.parse):
        with pytest.raises(GateError):
            parse(data, where="x")


def test_a_statement_of_one_kind_is_none_of_another() -> None:
    with pytest.raises(GateError, match="no statement of a witness"):
        witness.parse(ROTATION, where="x")
    told = envelope.sign(witness.WITNESS, subject={"a": "0" * 64}, predicate={"time": "x"}, keys=[OLD])
    with pytest.raises(GateError, match="says nothing about keys"):
        key_statements.parse(told, where="x")
