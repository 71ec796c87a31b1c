"""Shares are fractions of the accepted figures of the catalogue, or re-expressed as such."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest
import yaml

from estimates.core.efficiency import DATA_DIRECTORY
from estimates.core.formats import rate_format

ACCELERATORS = Path(__file__).resolve().parents[2] / "catalog" / "data" / "accelerators"
TOLERANCE = 0.01


def rows_of_chips(file):
    with (DATA_DIRECTORY / file).open(newline="") as handle:
        rows = [row for row in csv.DictReader(handle) if row["scope"] == "chip"]
    assert rows
    return rows


@cache
def accepted(slug):
    """Accepted figures of an accelerator by quantity."""
    (path,) = ACCELERATORS.glob(f"*/{slug}.yaml")
    figures = yaml.safe_load(path.read_text(encoding="utf-8"))["figures"]
    return {
        quantity: claim["value"]
        for quantity, claims in figures.items()
        for claim in claims
        if claim.get("accepted")
    }


def test_operator_shares_are_of_the_accepted_rates_and_bandwidths():
    for row in rows_of_chips("operators.csv"):
        figures = accepted(row["name"])
        peak = figures[f"peak_rate:{rate_format(row['compute'])}"]
        assert float(row["peak_tflops"]) == pytest.approx(peak, rel=TOLERANCE), row
        if row["eff_memory"]:
            bandwidth = figures["memory_bandwidth_gbs"]
            assert float(row["peak_gbps"]) == pytest.approx(bandwidth, rel=TOLERANCE), row


def test_collective_shares_are_of_the_accepted_links():
    for row in rows_of_chips("collectives.csv"):
        scope = "host" if row["link_class"] == "host" else "scale_up"
        link = accepted(row["name"])[f"link:{scope}:bandwidth_gbs"]
        assert float(row["link_gbs"]) == pytest.approx(link, rel=TOLERANCE), row


def test_a_share_expressed_anew_gives_the_bandwidth_that_was_measured():
    anew = [row for row in rows_of_chips("collectives.csv") if row["fit_share"]]
    assert anew
    for row in anew:
        measured = float(row["fit_share"]) * float(row["fit_gbs"])
        assert float(row["link_share"]) * float(row["link_gbs"]) == pytest.approx(measured, rel=1e-4), row
