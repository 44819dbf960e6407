from __future__ import annotations

import math
import shutil
import subprocess

import pytest

from freehold.proof.scores import wilson
from freehold.stages.evaluate.xz import xz_bits

TEXT = ("§ 1 Anwendungsbereich. Dieses Gesetz gilt für alle. " * 30).encode()


@pytest.mark.skipif(shutil.which("xz") is None, reason="the xz program is not installed")
def test_xz_is_the_size_of_the_program() -> None:
    made = subprocess.run(["xz", "-9e", "-c"], input=TEXT, capture_output=True, check=True).stdout
    assert xz_bits(TEXT) == 8 * len(made)


def test_xz_shrinks_law() -> None:
    assert 8 * 60 < xz_bits(TEXT) < len(TEXT)  # header, index and footer alone are 32 bytes and more


@pytest.mark.parametrize("hits", [0, 1, 77, 309, 310])
def test_wilson_ends_are_where_the_score_test_just_rejects(hits: int) -> None:
    n, share = 310, hits / 310
    for end in wilson(hits, n):
        if 0 < end < 1:
            assert abs(share - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(1.959964, abs=1e-4)


def test_wilson_refuses_what_cannot_be_counted() -> None:
    for hits, n in ((1, 0), (-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="of"):
            wilson(hits, n)
