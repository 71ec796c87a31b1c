"""Digests that serve as natural keys of append-only rows."""

import hashlib
from typing import Any


def digest(*parts: Any) -> str:
    """SHA-256 over the parts as text, 64 hexadecimal digits; None and "" are the same absence.

    Parts are joined with a byte that no text file holds, so that ("ab", "c") and ("a", "bc") differ.
    """
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()
