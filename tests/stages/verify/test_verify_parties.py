"""Several parties over time: keys that hand over, keys that end, and witnesses who saw when."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.proof import bundle
from freehold.proof.parties import key_statements, witness
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.report import Report
from freehold.stages.verify.run import verify

from .releases import Recipe, build

Pairs = dict[str, KeyFiles]
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """A folder for statements."""
    folder = tmp_path / "statements"
    folder.mkdir()
    return folder


def rotate(said: Path, pairs: Pairs, old: str, new: str) -> None:
    load = keys.load_private
    data = key_statements.rotate(old=load(pairs[old].private), new=load(pairs[new].private), date=NOON)
    (said / f"{old}-{new}.json").write_bytes(data)


def revoke(said: Path, pairs: Pairs, name: str, since: datetime = NOON) -> None:
    data = key_statements.revoke(keys.load_private(pairs[name].private), reason="stolen", since=since)
    (said / f"{name}.json").write_bytes(data)


def witnessed(release: Path, pairs: Pairs, name: str, time: datetime) -> Path:
    return witness.testify(release, name="clock", key=keys.load_private(pairs[name].private), time=time)


def judged(release: Path, pairs: Pairs, *names: str, said: Path, watch: tuple[str, ...] = (), **more: int) -> Report:
    return verify(
        release,
        trust=[pairs[name].public for name in names],
        statements=[said],
        witnesses=[pairs[name].public for name in watch],
        **more,
    )


def test_a_successor_is_trusted_and_its_chain_is_shown(sound: Path, pairs: Pairs, said: Path) -> None:
    """The stranger's key hands over to the ministry's; whoever trusts the stranger's now trusts the ministry's."""
    assert judged(sound, pairs, "stranger", said=said).exit_code == 3
    rotate(said, pairs, "stranger", "ministry")
    report = judged(sound, pairs, "stranger", said=said)
    assert report.exit_code == 0
    assert f"by rotation from {pairs['stranger'].fingerprint[:16]}" in report.checks[0].detail
    used = {key.fingerprint: key for key in report.keys}
    assert used[pairs["ministry"].fingerprint].party == "ministry"


def test_a_chain_of_rotations(tmp_path: Path, sound: Path, pairs: Pairs, said: Path) -> None:
    more = pairs | {name: keys.new_pair(tmp_path, name) for name in ("first", "second")}
    rotate(said, more, "first", "second")
    rotate(said, more, "second", "archive")
    report = judged(sound, more, "first", said=said)
    assert report.exit_code == 0
    assert f"from {more['first'].fingerprint[:16]} to {more['second'].fingerprint[:16]}" in report.checks[0].detail


def test_a_rotation_that_nobody_trusted_signed_changes_nothing(sound: Path, pairs: Pairs, said: Path) -> None:
    """The thief hands over from his own key, or writes the trusted key's name into a statement it did not sign."""
    rotate(said, pairs, "archive", "stranger")
    report = judged(sound, pairs, "ministry", said=said)
    assert report.exit_code == 0
    assert len(report.keys) == 1


def test_rotation_gives_no_second_voice(tmp_path: Path, pairs: Pairs, said: Path) -> None:
    """Ministry and archive are one holder: two signatures are one voice, and a second is not to be had."""
    rotate(said, pairs, "ministry", "archive")
    signers = {name: pairs[name] for name in ("ministry", "archive")}
    release = build(tmp_path / "r", Recipe(threshold=2), signers)
    with pytest.raises(InputError, match="2 signatures cannot come from 1 keys"):
        judged(release, pairs, "ministry", said=said, threshold=2)
    with pytest.raises(InputError, match="2 signatures cannot come from 1 keys"):
        judged(release, pairs, "ministry", "archive", said=said, threshold=2)
    assert judged(release, pairs, "ministry", said=said).checks[0].verdict == "FAIL"


def test_a_key_that_hands_over_to_two_is_refused(tmp_path: Path, sound: Path, pairs: Pairs, said: Path) -> None:
    more = pairs | {"thief": keys.new_pair(tmp_path, "thief")}
    rotate(said, more, "ministry", "archive")
    rotate(said, more, "ministry", "thief")
    with pytest.raises(InputError, match="hands over to"):
        judged(sound, more, "ministry", said=said)


def test_keys_that_hand_over_in_a_circle(sound: Path, pairs: Pairs, said: Path) -> None:
    rotate(said, pairs, "ministry", "stranger")
    rotate(said, pairs, "stranger", "ministry")
    assert judged(sound, pairs, "ministry", said=said).exit_code == 0


def test_a_revoked_key_counts_no_more(sound: Path, pairs: Pairs, said: Path) -> None:
    revoke(said, pairs, "ministry")
    report = judged(sound, pairs, "ministry", "archive", said=said)
    assert report.checks[0].verdict == "FAIL"
    assert "1 of 2 signatures" in report.checks[0].detail
    assert "revoked since 2026-11-21T12:00:00Z: stolen" in report.checks[0].detail
    one = judged(sound, pairs, "ministry", "archive", said=said, threshold=1)
    assert one.exit_code == 0
    assert "does not count" in one.checks[0].detail


def test_a_revoked_key_hands_over_to_nobody(sound: Path, pairs: Pairs, said: Path) -> None:
    rotate(said, pairs, "stranger", "ministry")
    revoke(said, pairs, "stranger")
    assert judged(sound, pairs, "stranger", said=said).exit_code == 3


def test_a_successor_that_is_revoked(sound: Path, pairs: Pairs, said: Path) -> None:
    rotate(said, pairs, "stranger", "ministry")
    revoke(said, pairs, "ministry")
    assert judged(sound, pairs, "stranger", said=said).exit_code == 3


def test_only_the_key_itself_can_end_itself(sound: Path, pairs: Pairs, said: Path) -> None:
    revoke(said, pairs, "stranger")
    assert judged(sound, pairs, "ministry", "archive", said=said).exit_code == 0


def test_what_a_witness_saw_before_the_revocation_counts(release: Path, pairs: Pairs, said: Path) -> None:
    witnessed(release, pairs, "stranger", NOON - HOUR)
    revoke(said, pairs, "ministry")
    assert judged(release, pairs, "ministry", said=said).exit_code == 3, "no witness is believed unless it is named"
    report = judged(release, pairs, "ministry", said=said, watch=("stranger",))
    assert report.exit_code == 0
    assert "saw 2 signatures at 2026-11-21T11:00:00Z" in report.checks[0].detail


def test_what_a_witness_saw_later_or_otherwise_does_not(release: Path, pairs: Pairs, said: Path) -> None:
    revoke(said, pairs, "ministry")
    path = witnessed(release, pairs, "stranger", NOON)
    assert judged(release, pairs, "ministry", said=said, watch=("stranger",)).exit_code == 3
    path.unlink()
    signature = release / bundle.signature_path("ministry")
    signature.rename(release.parent / "kept")
    witnessed(release, pairs, "stranger", NOON - HOUR)
    (release.parent / "kept").rename(signature)
    assert judged(release, pairs, "ministry", said=said, watch=("stranger",)).exit_code == 3, "it was not there yet"


def test_a_witness_that_is_named_must_have_spoken(sound: Path, pairs: Pairs, said: Path) -> None:
    report = judged(sound, pairs, "ministry", said=said, watch=("stranger",))
    assert report.checks[0].verdict == "FAIL"
    assert "no testimony by the witness stranger.pub" in report.checks[0].detail


def test_a_witness_s_word_on_another_release(release: Path, tmp_path: Path, pairs: Pairs, said: Path) -> None:
    other = build(tmp_path / "other", Recipe(extra={"x": b"1"}), {"ministry": pairs["ministry"]})
    shutil.copy(witnessed(other, pairs, "stranger", NOON), release / witness.witness_path("clock"))
    report = judged(release, pairs, "ministry", said=said, watch=("stranger",))
    assert report.exit_code == 3
    assert f"saw another {bundle.RELEASE}" in report.checks[0].detail


def test_a_testimony_that_is_none_and_one_too_late(release: Path, pairs: Pairs, said: Path) -> None:
    path = witnessed(release, pairs, "stranger", NOON)
    with pytest.raises(InputError, match="spoken already"):
        witnessed(release, pairs, "stranger", NOON + HOUR)
    path.write_bytes(b"{}")
    report = judged(release, pairs, "ministry", said=said)
    assert report.checks[0].verdict == "FAIL"
    assert witness.witness_path("clock") in report.checks[0].detail


def test_nothing_can_be_witnessed_that_does_not_hold(release: Path, tmp_path: Path, pairs: Pairs) -> None:
    (release / "report.html").write_text("changed")
    with pytest.raises(InputError, match=r"is not what release\.json lists"):
        witnessed(release, pairs, "stranger", NOON)
    with pytest.raises(InputError, match="not a sealed release"):
        (tmp_path / "empty").mkdir()
        witnessed(tmp_path / "empty", pairs, "stranger", NOON)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"payload":"e30="}\n'])
def test_statements_that_are_none_are_bad_input(sound: Path, pairs: Pairs, said: Path, data: bytes) -> None:
    (said / "x.json").write_bytes(data)
    with pytest.raises(InputError, match=r"statement|JSON|object"):
        judged(sound, pairs, "ministry", said=said)
