"""Parties who sign besides the responsible one: each with a key that can be read, and enough of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.charter_file import load
from freehold.errors import InputError
from freehold.proof.signing import keys
from freehold.stages.release.evidence import Signer, parties_of


def declare(tiny: Path, *parties: str, threshold: int = 1) -> None:
    rows = ", ".join(f'{{ name = "{name}", key = "{name}.pub" }}' for name in parties)
    text = f'name = "tiny"\nthreshold = {threshold}\nparties = [{rows}]\n'
    tiny.write_text(tiny.read_text().replace('name = "tiny"\n', text, 1))


def test_a_party_s_key_is_part_of_what_the_release_depends_on(tiny: Path) -> None:
    pair = keys.new_pair(tiny.parent, "archive")
    declare(tiny, "archive", threshold=2)
    charter = load(tiny)
    assert charter.files("release") == {"release/archive.pub": pair.public.resolve()}


@pytest.mark.parametrize(
    ("parties", "threshold", "message"),
    [
        (("archive",), 3, "release.threshold: 3 signatures of 2 parties; lower it or name more parties"),
        (("archive", "Archive"), 1, '"Archive" is named twice'),
        (("nobody",), 1, "nobody.pub: cannot be read"),
        (("../archive",), 1, "name: String should match pattern"),
    ],
)
def test_parties_that_cannot_sign_are_refused(
    tiny: Path, parties: tuple[str, ...], threshold: int, message: str
) -> None:
    keys.new_pair(tiny.parent, "archive")
    declare(tiny, *parties, threshold=threshold)
    with pytest.raises(InputError) as refusal:
        load(tiny)
    assert message in str(refusal.value)


class Handed:
    """As much of a stage as `parties_of` reads."""

    def __init__(self, tiny: Path) -> None:
        self.charter = load(tiny)


def test_the_policy_names_everyone_and_nobody_twice(tiny: Path) -> None:
    pair, own = keys.new_pair(tiny.parent, "archive"), keys.new_pair(tiny.parent, "own")
    declare(tiny, "archive")
    stage = Handed(tiny)
    signer = Signer(party="tiny-town", key=keys.load_private(own.private), fingerprint=own.fingerprint)
    assert parties_of(stage, signer) == {"tiny-town": own.fingerprint, "archive": pair.fingerprint}
    twin = Signer(party="archive", key=signer.key, fingerprint=own.fingerprint)
    with pytest.raises(InputError, match="'archive' is the responsible party"):
        parties_of(stage, twin)
