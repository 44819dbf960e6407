from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof import bundle
from freehold.proof.parties.countersignatures import parse, replay_path
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.countersign import countersign
from freehold.stages.verify.report import Check, Report
from freehold.stages.verify.run import verify

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = "evidence/signatures/archive.replay.json"


@pytest.fixture(scope="session")
def signed(sound: Path, home: Path, pairs: dict[str, KeyFiles], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release countersigned by the archive; not to be written to."""
    release = shutil.copytree(sound, tmp_path_factory.mktemp("countersigned") / "tiny-0.1.0")
    made = countersign(
        release,
        party="archive",
        key=keys.load_private(pairs["archive"].private),
        asked=Asked(segments=(("train", 0), ("train", 3)), holdings=home),
        time=NOW,
        trust=[pairs["ministry"].public],
    )
    assert made.path == release / PLACE == release / replay_path("archive")
    return release


@pytest.fixture
def copy(signed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(signed, tmp_path / "copy")


def checked(release: Path, pairs: dict[str, KeyFiles], *, auditor: str | None = "archive") -> Report:
    auditors = (pairs[auditor].public,) if auditor else ()
    return verify(release, trust=[pairs["ministry"].public], asked=Asked(auditors=auditors))


def sixth(report: Report) -> Check:
    (found,) = [check for check in report.checks if check.number == 6]
    return found


def test_a_countersignature_is_shown_to_those_who_trust_its_key(signed: Path, pairs: dict[str, KeyFiles]) -> None:
    report = checked(signed, pairs)
    assert {check.verdict for check in report.checks} == {"PASS"}
    assert sixth(report).detail == "countersigned by archive: train:0, train:3 equal bit for bit"
    assert 6 not in {check.number for check in checked(signed, pairs, auditor=None).checks}


def test_it_says_what_was_computed_and_on_what(signed: Path) -> None:
    found = parse((signed / PLACE).read_bytes(), where=PLACE)
    assert found.party == "archive" and found.time == NOW
    told = [(one.name, one.began, one.result) for one in found.outcomes]
    assert told == [("train:0", 0, "equal"), ("train:3", 16, "equal")]
    assert {"torch", "processor", "kernels", "threads", "device"} <= set(found.stack)


def test_a_forged_one_fails(copy: Path, pairs: dict[str, KeyFiles]) -> None:
    value = json.loads((copy / PLACE).read_bytes())
    own = keys.fingerprint(keys.load_public(pairs["archive"].public))
    assert value["signatures"][0]["keyid"] == own
    stranger = keys.load_private(pairs["stranger"].private)
    made = countersigned_by(stranger, copy)
    value["signatures"][0]["sig"] = made["signatures"][0]["sig"]
    (copy / PLACE).write_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    found = sixth(checked(copy, pairs))
    assert found.verdict == "FAIL" and found.where == PLACE and "not signed by archive.pub" in found.detail


def countersigned_by(key: keys.ec.EllipticCurvePrivateKey, release: Path) -> dict[str, list[dict[str, str]]]:
    """The archive's statement under another key."""
    from freehold.proof.signing.envelope import parse as parse_envelope
    from freehold.proof.signing.envelope import sign

    said = parse_envelope((release / PLACE).read_bytes(), where=PLACE)
    data = sign(said.kind, subject=said.subject, predicate=said.predicate, keys=[key])
    value: dict[str, list[dict[str, str]]] = json.loads(data)
    return value


def test_one_over_another_release_fails_whoever_made_it(copy: Path, pairs: dict[str, KeyFiles]) -> None:
    (copy / "model" / "note.txt").write_text("one file more")
    index = bundle.parse_release_json((copy / bundle.RELEASE).read_bytes(), where="")
    bundle.seal(copy, name="tiny", version="0.2.0", licence="Apache-2.0", inputs=index.inputs)
    bundle.sign_bundle(copy, party="ministry", key=keys.load_private(pairs["ministry"].private))
    found = sixth(checked(copy, pairs, auditor=None))
    assert found.verdict == "FAIL" and "countersigns another release" in found.detail


def test_one_under_another_party_s_name_fails(copy: Path, pairs: dict[str, KeyFiles]) -> None:
    (copy / PLACE).rename(copy / replay_path("ministry"))
    assert "is by 'archive'" in sixth(checked(copy, pairs)).detail


@pytest.mark.parametrize("name", ["archive.replay.json.bak", "sub/archive.replay.json", ".replay.json"])
def test_nothing_else_may_lie_beside_it(name: str, copy: Path, pairs: dict[str, KeyFiles]) -> None:
    path = copy / "evidence" / "signatures" / name
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(copy / PLACE, path)
    (files,) = [check for check in checked(copy, pairs).checks if check.number == 2]
    assert files.verdict == "FAIL" and "an extra file" in files.detail


def test_nothing_is_signed_that_was_not_computed(
    release: Path, home: Path, pairs: dict[str, KeyFiles], tmp_path: Path
) -> None:
    def attempt(**changed: object) -> None:
        given = {"segments": (("train", 0),), "holdings": home, **changed}
        party = str(given.pop("party", "archive"))
        key = keys.load_private(pairs["archive"].private)
        countersign(release, party=party, key=key, asked=Asked(**given), time=NOW)  # type: ignore[arg-type]

    with pytest.raises(InputError, match="no party's name"):
        attempt(party="../archive")
    with pytest.raises(InputError, match="no segment is named"):
        attempt(segments=())
    (tmp_path / "empty").mkdir()
    with pytest.raises(IncompleteError, match="no workspace holds"):
        attempt(holdings=tmp_path / "empty")
    (release / "model" / "config.json").write_text("{}")
    with pytest.raises(GateError, match="check 2 failed"):
        attempt()
    assert not (release / PLACE).exists()


def test_nothing_is_signed_that_is_not_what_was_verified(
    copy: Path, home: Path, pairs: dict[str, KeyFiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The publisher puts another sound release into the folder once the checks are through."""
    before = (copy / PLACE).read_bytes()

    def replaced(*arguments: object, **named: object) -> Report:
        report = verify(*arguments, **named)  # type: ignore[arg-type]
        index = bundle.parse_release_json((copy / bundle.RELEASE).read_bytes(), where="")
        bundle.seal(copy, name="tiny", version="0.2.0", licence="Apache-2.0", inputs=index.inputs)
        return report

    monkeypatch.setattr("freehold.stages.verify.countersign.verify", replaced)
    asked = Asked(segments=(("train", 0),), holdings=home)
    with pytest.raises(GateError, match="changed while it was being checked"):
        countersign(copy, party="archive", key=keys.load_private(pairs["archive"].private), asked=asked, time=NOW)
    assert (copy / PLACE).read_bytes() == before
