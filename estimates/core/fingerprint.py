"""Digest of an estimate's inputs: equal inputs under one method give one fingerprint.

Every dataclass is walked field by field into a canonical text, so that a changed fact changes the digest by
itself. Slugs of offers and workloads are names, not inputs, yet they stay in: two offers of one shape differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

METHOD_VERSION = "2026.11.1"  # raised whenever a formula changes; data files carry a version of their own


def canonical(value: object) -> str:
    """A text that is equal exactly when the values are."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = (
            f"{entry.name}={canonical(getattr(value, entry.name))}" for entry in dataclasses.fields(value)
        )
        return f"{type(value).__name__}({','.join(parts)})"
    if isinstance(value, Mapping):
        pairs = sorted((str(key), canonical(item)) for key, item in value.items())
        return "{" + ",".join(f"{key}:{item}" for key, item in pairs) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return repr(float(value))
    return repr(value)


def fingerprint(*inputs: object) -> str:
    """Hexadecimal digest (32 characters) of the inputs and the method version."""
    text = METHOD_VERSION + "\n" + "\n".join(canonical(value) for value in inputs)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
