"""Personal data in text: found by shape, confirmed by checksum or context, replaced by typed placeholders.

One small file per family of kinds. To add a kind: a function that yields spans, and a line in `redaction.FINDERS`; to
add a national id whose check `python-stdnum` knows: a line in `national.TABLE`.
"""

from __future__ import annotations

from freehold.text.privacy.kinds import ALL, Span, expand, looked_for, placeholder
from freehold.text.privacy.names import Finder, finder
from freehold.text.privacy.redaction import Redacted, redact, redact_address, spans

__all__ = [
    "ALL", "Finder", "Redacted", "Span", "expand", "finder", "looked_for", "placeholder", "redact", "redact_address",
    "spans",
]  # fmt: skip
