"""Law: documents that regulators ask for, as pure functions of a release's own evidence and of dated rule packs.

`facts.read` parses the evidence, `generate.generate` makes every document and the bill of materials of it. Standard
library alone: it runs where a stranger verifies.
"""
