"""The version of the method: a digest of the code and of the efficiency data that make an estimate.

A changed formula or coefficient makes every cached estimate stale by itself; nobody raises a number. The
digest is taken at import: a process is known by the code it runs, not by what has come to lie on disk since.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from estimates.core.efficiency import EfficiencyTable, load_efficiency

_HERE = Path(__file__).resolve().parent


@lru_cache(maxsize=1)
def efficiency() -> EfficiencyTable:
    """The efficiency data of this process, read once."""
    return load_efficiency()


def _digest_of_the_code() -> str:
    """Of the core and of the modules that feed and read it, as they stand on disk now."""
    digest = hashlib.sha256()
    around = [_HERE / f"{name}.py" for name in ("from_catalog", "checkpoints", "combinations", "rows")]
    around.append(_HERE / "data" / "checkpoints.csv")
    for path in [*sorted((_HERE / "core").rglob("*.py")), *around]:
        digest.update(path.relative_to(_HERE).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


_CODE = _digest_of_the_code()
_BEGAN = datetime.now(UTC)


@lru_cache(maxsize=1)
def method_version() -> str:
    """At most 40 characters: code, then efficiency data."""
    return f"{_CODE[:16]}-{efficiency().version[:16]}"


def code_has_changed() -> bool:
    """Whether other code lies on disk than this process runs: it is to be restarted, not to recalculate."""
    return _digest_of_the_code() != _CODE


def in_force_since() -> datetime:
    """Since when this process has run this code: at the latest then the method came into force."""
    return _BEGAN
