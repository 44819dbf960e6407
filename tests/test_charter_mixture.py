"""Shares of languages and domains are given once and make a whole, or the charter is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from freehold.charter_file import load
from freehold.errors import InputError

DOMAINS = 'language = "{code}"\ndomain = "{domain}"'


def mixed(tiny: Path, mixture: str, *, jpn: str | None = "press", shares: bool = True) -> Path:
    """The tiny charter with German law, a domain for the Japanese source and a [mixture]."""
    text = tiny.read_text(encoding="utf-8").replace("[tokenizer]", f"[mixture]\n{mixture}\n[tokenizer]", 1)
    text = text.replace('language = "deu"', DOMAINS.format(code="deu", domain="law"), 1)
    if jpn is not None:
        text = text.replace('language = "jpn"', DOMAINS.format(code="jpn", domain=jpn), 1)
    if not shares:
        text = text.replace("share = 0.6\n", "").replace("share = 0.4\n", "")
    tiny.write_text(text, encoding="utf-8")
    return tiny


@pytest.mark.parametrize(
    ("mixture", "options", "message"),
    [
        ("domains = { law = 0.5, press = 0.4 }", {}, "mixture.domains: the shares sum to 0.900; make them sum to 1"),
        ("domains = { law = 0.5, pres = 0.5 }", {}, 'no source is of the domain "pres"'),
        ("domains = { law = 0.9995, press = 0.0005 }", {}, '"press" has a share under 0.001'),
        ("domains = { law = 1.0 }", {}, 'sources[1].domain: "press" has no share in [mixture].domains; give it one; 0'),
        ("domains = { law = 1.0 }", {"jpn": None}, "sources[1].domain: is missing: domains are mixed"),
        ("temperature = 2", {"jpn": None}, "sources[1].domain: is missing: domains are mixed"),
        ("temperature = 0", {}, "mixture.temperature: Input should be greater than 0"),
        ("domains = { law = 0.5, press = 0.5 }\ntemperature = 2", {}, "mixture.temperature: every share is given"),
        ("domains = { law = 0.5, press = 0.5 }", {"shares": False}, "languages[0].share: is missing; add it, or set"),
        ("temperatur = 2", {}, 'unknown key "temperatur"; did you mean "temperature"?'),
    ],
)
def test_a_mixture_that_cannot_be_is_refused(tiny: Path, mixture: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as refusal:
        load(mixed(tiny, mixture, **options))
    assert message in str(refusal.value) and "charter.toml:" in str(refusal.value)


def test_shares_of_some_languages_alone_are_refused(tiny: Path) -> None:
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("share = 0.4\n", "", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"languages\[1\]\.share: is missing; give every language one, or none"):
        load(tiny)


def test_a_temperature_with_every_share_given_has_nothing_to_set(tiny: Path) -> None:
    text = tiny.read_text(encoding="utf-8").replace("[tokenizer]", "[mixture]\ntemperature = 2\n[tokenizer]", 1)
    tiny.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="nothing for a temperature to set"):
        load(tiny)


def test_domains_are_mixed_where_the_charter_says_so(tiny: Path) -> None:
    assert load(tiny).domains == {}
    assert load(mixed(tiny, "temperature = 3", shares=False)).domains == {"deu-law": "law", "jpn-law": "press"}
