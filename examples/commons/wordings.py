"""The words instructions are asked in, in each language of the example: data for `instructions.py`.

`{asked}` is what is asked about, `{title}` the title of the document. Titles stand in quotes, so that no wording
has to inflect them.
"""

from __future__ import annotations

import re

WORDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "deu": {
        "opening": (
            "Wie beginnt die Vorschrift „{title}“?",
            "Nenne den Anfang des Textes „{title}“.",
            "Mit welchen Worten beginnt „{title}“?",
        ),
        "title": (
            "Wie heißt die Vorschrift, die so beginnt?\n\n{asked}",
            "Nenne die Überschrift dieses Textes.\n\n{asked}",
        ),
        "continuation": ("Setze fort:\n\n{asked}", "Wie geht dieser Text weiter?\n\n{asked}"),
        "language": ("In welcher Sprache ist dieser Text?\n\n{asked}", "Welche Sprache ist das?\n\n{asked}"),
        "article": ("Was steht in {asked} der Vorschrift „{title}“?", "Gib {asked} aus „{title}“ wieder."),
    },
    "kor": {
        "opening": (
            "「{title}」은(는) 어떻게 시작합니까?",
            "「{title}」의 첫 부분을 알려 주세요.",
            "「{title}」의 시작 부분을 써 주세요.",
        ),
        "title": (
            "다음과 같이 시작하는 법령의 이름은 무엇입니까?\n\n{asked}",
            "이 글의 제목을 알려 주세요.\n\n{asked}",
        ),
        "continuation": ("이어서 써 주세요.\n\n{asked}", "다음 글은 어떻게 이어집니까?\n\n{asked}"),
        "language": ("이 글은 어느 언어로 쓰여 있습니까?\n\n{asked}", "이것은 무슨 언어입니까?\n\n{asked}"),
        "article": ("「{title}」 {asked}에는 무엇이 규정되어 있습니까?", "「{title}」 {asked}를 알려 주세요."),
    },
    "jpn": {
        "opening": (
            "「{title}」はどのように始まりますか。",
            "「{title}」の冒頭を教えてください。",
            "「{title}」の書き出しを示してください。",
        ),
        "title": ("次のように始まる法令の名称は何ですか。\n\n{asked}", "この文章の題名を教えてください。\n\n{asked}"),
        "continuation": ("続きを書いてください。\n\n{asked}", "次の文章はどのように続きますか。\n\n{asked}"),
        "language": ("この文章は何語で書かれていますか。\n\n{asked}", "これは何語ですか。\n\n{asked}"),
        "article": ("「{title}」{asked}には何と書いてありますか。", "「{title}」の{asked}を示してください。"),
    },
    "spa": {
        "opening": (
            "¿Cómo empieza la norma «{title}»?",
            "Escribe el comienzo del texto «{title}».",
            "¿Con qué palabras comienza «{title}»?",
        ),
        "title": (
            "¿Cómo se llama la norma que empieza así?\n\n{asked}",
            "Indica el título de este texto.\n\n{asked}",
        ),
        "continuation": ("Continúa:\n\n{asked}", "¿Cómo sigue este texto?\n\n{asked}"),
        "language": ("¿En qué lengua está escrito este texto?\n\n{asked}", "¿Qué lengua es esta?\n\n{asked}"),
        "article": ("¿Qué dice el {asked} de la norma «{title}»?", "Reproduce el {asked} de «{title}»."),
    },
    "fra": {
        "opening": (
            "Comment commence le passage « {asked} » ({title}) ?",
            "Donne le début du passage « {asked} » ({title}).",
            "Par quels mots commence « {asked} » ({title}) ?",
        ),
        "title": ("Quel est l'intitulé de ce passage ?\n\n{asked}", "Donne le titre de ce texte.\n\n{asked}"),
        "continuation": ("Continue :\n\n{asked}", "Quelle est la suite de ce texte ?\n\n{asked}"),
        "language": ("En quelle langue est écrit ce texte ?\n\n{asked}", "Quelle est cette langue ?\n\n{asked}"),
        "article": ("Que dit l'{asked} du texte « {title} » ?", "Cite l'{asked} du texte « {title} »."),
    },
    "pol": {
        "opening": (
            "Jak zaczyna się akt „{title}”?",
            "Podaj początek tekstu „{title}”.",
            "Od jakich słów zaczyna się „{title}”?",
        ),
        "title": ("Jak nazywa się akt, który tak się zaczyna?\n\n{asked}", "Podaj tytuł tego tekstu.\n\n{asked}"),
        "continuation": ("Kontynuuj:\n\n{asked}", "Jak brzmi dalszy ciąg tego tekstu?\n\n{asked}"),
        "language": ("W jakim języku jest ten tekst?\n\n{asked}", "Jaki to język?\n\n{asked}"),
        "article": ("Co stanowi {asked} aktu „{title}”?", "Podaj treść {asked} aktu „{title}”."),
    },
}

LANGUAGES = ("deu", "kor", "jpn", "spa", "fra", "pol")
NAMES = {  # of LANGUAGES, in each of them
    "deu": "Deutsch. Koreanisch. Japanisch. Spanisch. Französisch. Polnisch.",
    "kor": "독일어입니다. 한국어입니다. 일본어입니다. 스페인어입니다. 프랑스어입니다. 폴란드어입니다.",
    "jpn": "ドイツ語です。 韓国語です。 日本語です。 スペイン語です。 フランス語です。 ポーランド語です。",
    "spa": "Alemán. Coreano. Japonés. Español. Francés. Polaco.",
    "fra": "Allemand. Coréen. Japonais. Espagnol. Français. Polonais.",
    "pol": "Niemiecki. Koreański. Japoński. Hiszpański. Francuski. Polski.",
}
LANGUAGE_NAMES = {asked: dict(zip(LANGUAGES, names.split(), strict=True)) for asked, names in NAMES.items()}

NUMERAL = "[一二三四五六七八九十百千]+"
ARTICLE = {  # the heading of an article, at the beginning of a paragraph, and its `number`
    "deu": re.compile(r"(?P<number>§ \d+[a-z]?)(?= |$)"),
    "kor": re.compile(r"(?P<number>제\d+조(?:의\d+)?) \("),
    "jpn": re.compile(rf"(?:（[^）\n]*）\n)?(?P<number>第{NUMERAL}条(?:の{NUMERAL})*)$"),
    "spa": re.compile(r"(?i:(?P<number>artículo \d+)\.)"),
    "fra": re.compile(r"(?i:(?P<number>article [LRDA]?\*?\d[\d-]*)$)"),
    "pol": re.compile(r"(?i:(?P<number>art\. \d+[a-z]?)\.)"),
}
