"""Questions and answers short enough for the tiny charter's sequence."""

MESSAGES = [
    ("Was sagt Artikel 1?", "Die Würde des Menschen ist unantastbar."),
    ("Nenne ein Gesetz.", "Bürgerliches Gesetzbuch."),
    ("憲法とは何ですか。", "国の基本法です。"),
    ("Was ist eine Verordnung?", "Eine Rechtsvorschrift der Verwaltung."),
    ("Wer erlässt Gesetze?", "Der Bundestag beschließt sie."),
]
