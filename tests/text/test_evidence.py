"""A licence is named beyond doubt, or not at all."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.text.evidence import licence_of_file, licence_of_words


@pytest.mark.parametrize(
    ("words", "licence"),
    [
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("http://creativecommons.org/licenses/by/3.0/de/legalcode", "CC-BY-3.0-DE"),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode.de", "CC-BY-NC-SA-4.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "public-domain"),
        ("CC0-1.0 https://creativecommons.org/publicdomain/zero/1.0/deed.de", "CC0-1.0"),
        ("CC-BY-4.0, pictures CC-BY-NC-4.0", None),  # two licences: a person must say which is the text's
        ("all rights reserved", None),
        ("not CC-BYE-4.0", None),
        ("", None),
    ],
)
def test_words(words: str, licence: str | None) -> None:
    assert licence_of_words(words) == licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("   Apache License\n      Version 2.0, January 2004\n", "Apache-2.0"),
        ("The MIT License (MIT)\n\nCopyright", "MIT"),
        ("# Creative Commons Attribution-ShareAlike 4.0 International\n", "CC-BY-SA-4.0"),
        ("Creative Commons Legal Code\n\nCC0 1.0 Universal\n", "CC0-1.0"),
        ("Attribution-NonCommercial 4.0 International\n", None),
        ("SPDX-License-Identifier: EUPL-1.2\n\nwhatever", "EUPL-1.2"),
        ("Our terms. This is not the MIT License.", None),
    ],
)
def test_files(text: str, licence: str | None) -> None:
    assert licence_of_file(text) == licence


SEEDS = ["", "CC-BY-4.0", "creativecommons.org/licenses/by/", "SPDX-License-Identifier:"]


@given(st.text(max_size=200), st.sampled_from(SEEDS))
def test_any_words_name_an_identifier_or_nothing(text: str, seed: str) -> None:
    for found in (licence_of_words(seed + text), licence_of_file(seed + text)):
        assert found is None or re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.+-]*", found)
