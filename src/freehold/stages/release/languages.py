"""Languages as people and other tools name them: ISO 639-3 code → (ISO 639-1 code, English name)."""

from __future__ import annotations

KNOWN = {
    "afr": ("af", "Afrikaans"), "amh": ("am", "Amharic"), "ara": ("ar", "Arabic"), "ben": ("bn", "Bengali"),
    "bul": ("bg", "Bulgarian"), "cat": ("ca", "Catalan"), "ces": ("cs", "Czech"), "cym": ("cy", "Welsh"),
    "dan": ("da", "Danish"), "deu": ("de", "German"), "ell": ("el", "Greek"), "eng": ("en", "English"),
    "est": ("et", "Estonian"), "eus": ("eu", "Basque"), "fas": ("fa", "Persian"), "fin": ("fi", "Finnish"),
    "fra": ("fr", "French"), "gle": ("ga", "Irish"), "glg": ("gl", "Galician"), "hau": ("ha", "Hausa"),
    "heb": ("he", "Hebrew"), "hin": ("hi", "Hindi"), "hrv": ("hr", "Croatian"), "hun": ("hu", "Hungarian"),
    "hye": ("hy", "Armenian"), "ind": ("id", "Indonesian"), "isl": ("is", "Icelandic"), "ita": ("it", "Italian"),
    "jpn": ("ja", "Japanese"), "kat": ("ka", "Georgian"), "kaz": ("kk", "Kazakh"), "khm": ("km", "Khmer"),
    "kor": ("ko", "Korean"), "lao": ("lo", "Lao"), "lat": ("la", "Latin"), "lav": ("lv", "Latvian"),
    "lit": ("lt", "Lithuanian"), "ltz": ("lb", "Luxembourgish"), "mkd": ("mk", "Macedonian"),
    "mlt": ("mt", "Maltese"), "mon": ("mn", "Mongolian"), "mya": ("my", "Burmese"), "nep": ("ne", "Nepali"),
    "nld": ("nl", "Dutch"), "nno": ("nn", "Norwegian Nynorsk"), "nob": ("nb", "Norwegian Bokmål"),
    "nor": ("no", "Norwegian"), "pol": ("pl", "Polish"), "por": ("pt", "Portuguese"), "roh": ("rm", "Romansh"),
    "ron": ("ro", "Romanian"), "rus": ("ru", "Russian"), "sin": ("si", "Sinhala"), "slk": ("sk", "Slovak"),
    "slv": ("sl", "Slovenian"), "spa": ("es", "Spanish"), "sqi": ("sq", "Albanian"), "srp": ("sr", "Serbian"),
    "swa": ("sw", "Swahili"), "swe": ("sv", "Swedish"), "tam": ("ta", "Tamil"), "tel": ("te", "Telugu"),
    "tha": ("th", "Thai"), "tgl": ("tl", "Tagalog"), "tur": ("tr", "Turkish"), "ukr": ("uk", "Ukrainian"),
    "urd": ("ur", "Urdu"), "uzb": ("uz", "Uzbek"), "vie": ("vi", "Vietnamese"), "yor": ("yo", "Yoruba"),
    "zho": ("zh", "Chinese"), "zul": ("zu", "Zulu"),
}  # fmt: skip


def short_code(language: str) -> str:
    """The code that model hubs and browsers expect: two letters where there are two, else the three.

    >>> short_code("deu"), short_code("sme")
    ('de', 'sme')
    """
    return KNOWN[language][0] if language in KNOWN else language


def english_name(language: str) -> str:
    """The name of a language, or its code where we know no name."""
    return KNOWN[language][1] if language in KNOWN else language
