"""The prior as the documentation tells it: its table is what is fitted with."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from estimates.calibration.prior import components

METHOD = Path(__file__).resolve().parents[3] / "docs" / "method.md"
MARK = "<!-- prior: a test compares this table -->"


def table() -> list[tuple[str, str]]:
    """Rows of the table below the mark: what runs agree in, and the deviation."""
    lines = METHOD.read_text(encoding="utf-8").split(MARK)[1].strip().splitlines()
    rows = []
    for line in lines[2:]:
        if not line.startswith("|"):
            break
        agree, deviation = (cell.strip() for cell in line.strip("|").split("|"))
        rows.append((agree, deviation))
    return rows


def test_the_documented_deviations_are_those_of_the_prior():
    rows = table()
    split = next(number for number, (agree, _) in enumerate(rows) if agree.startswith("**Sweep"))
    offsets: dict[frozenset[str], float] = {
        frozenset(): float(rows[0][1]),
        frozenset({"serving"}): float(rows[1][1]),
    }
    for agree, deviation in rows[2:split]:
        fields = frozenset(agree.split(" x "))
        offsets[fields] = offsets[fields | {"serving"}] = float(deviation) / math.sqrt(2)
    sweeps = {
        frozenset({"serving", *agree.split(" x ")}): float(deviation)
        for agree, deviation in rows[split + 1 :]
    }
    terms = components()
    assert offsets == pytest.approx(
        {frozenset(term.fields) - {"metric"}: term.sd for term in terms if term.lengths is None}
    )
    assert sweeps == pytest.approx(
        {frozenset(term.fields) - {"metric"}: term.sd for term in terms if term.lengths is not None}
    )


def test_no_term_exists_twice():
    terms = components()
    assert len({(term.fields, term.lengths is None) for term in terms}) == len(terms)
    assert len({term.name for term in terms}) == len(terms)
