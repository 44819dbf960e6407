from __future__ import annotations

import re
from pathlib import Path

import pytest

from freehold.sight.corpus.reasons import STEP_OF, STEPS, may_be_shown, step_of

LISTED = Path(__file__).resolve().parents[2] / "docs" / "reference" / "curation" / "reasons.md"


def test_every_reason_that_the_reference_lists_has_its_step() -> None:
    if not LISTED.is_file():
        pytest.skip("no list of reasons here")
    reasons = re.findall(r"^\| `([a-z-]+)` \|", LISTED.read_text(encoding="utf-8"), re.MULTILINE)
    assert reasons
    assert not [reason for reason in reasons if reason not in STEP_OF]


def test_no_reason_of_rights_or_opt_outs_and_none_unknown_lets_a_text_be_shown() -> None:
    assert {step_of(reason) for reason in STEP_OF if may_be_shown(reason)} == {"quality", "language"}
    assert list(STEPS).index("opt-outs") < list(STEPS).index("quality")  # asked before: what is shown was free to use
    assert not may_be_shown("a-new-reason")
