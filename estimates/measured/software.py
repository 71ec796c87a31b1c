"""Serving software as publications print it, and its one key here; the table is a reviewed data file."""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

TABLE: Final = Path(__file__).resolve().parent.parent / "data" / "software.csv"
#: A version behind the name: `MLX 0.31.3`, `vLLM v0.6`.
_VERSION: Final = re.compile(r"\s+v?\d[\w.+-]*$", re.IGNORECASE)


def software_key(printed: str | None) -> str | None:
    """The key of a printed name, letter case, hyphens and a version behind it ignored; None: not listed."""
    if not printed:
        return None
    known = _keys()
    return known.get(_plain(printed)) or known.get(_plain(_VERSION.sub("", printed.strip())))


@lru_cache(maxsize=1)
def software_titles() -> dict[str, str]:
    """Key of every software of the table -> its name for people."""
    return {row["software"]: row["title"] for row in _rows()}


@lru_cache(maxsize=1)
def _keys() -> dict[str, str]:
    rows = _rows()
    return {_plain(row["software"]): row["software"] for row in rows} | {
        _plain(row["printed"]): row["software"] for row in rows
    }


def _rows() -> list[dict[str, str]]:
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
