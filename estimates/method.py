"""The version of the method: a digest of the code and of the efficiency data that make an estimate.

A changed formula or coefficient makes every cached estimate stale by itself; nobody has to raise a number.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from estimates.core.efficiency import EfficiencyTable, load_efficiency

_HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def efficiency() -> EfficiencyTable:
    """The efficiency data of this process, read once."""
    return load_efficiency()


@lru_cache(maxsize=1)
def code_digest() -> str:
    """Of the core and of the two modules that feed it, as they stand on disk at the first call."""
    digest = hashlib.sha256()
    files = [*sorted((_HERE / "core").rglob("*.py")), _HERE / "from_catalog.py", _HERE / "combinations.py"]
    for path in files:
        digest.update(path.relative_to(_HERE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def method_version() -> str:
    """At most 40 characters: code, then efficiency data."""
    return f"{code_digest()[:16]}-{efficiency().version[:16]}"
