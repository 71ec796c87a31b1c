"""Intervals from left-out errors: tiers, cells, widening, and the share of new runs that they hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from estimates.calibration.prior import LENGTHS
from estimates.calibration.spread import LeftOut, conformal, fit_intervals, left_out_of
from estimates.core.calibration import intervals_from
from estimates.core.intervals import TIERS
from tests.core.learnt import at
from tests.estimates.calibration.published import observed

HERE = at()


def left_out(errors, tier="measured", metric="tpot", closeness=1.0, **names: str) -> LeftOut:
    """Errors of one group."""
    rows = [observed(metric=metric, run_id=str(number), **names) for number in range(len(errors))]
    near = np.broadcast_to(np.asarray(closeness, float), len(errors))
    return LeftOut(rows, np.array(errors, float), [tier] * len(errors), near)


def quantile(found: dict[str, Any], tier: str = "measured", metric: str = "tpot") -> dict[str, Any]:
    (row,) = (r for r in found["quantiles"] if (r["metric"], r["tier"]) == (metric, tier))
    return row


def scale(found: dict[str, Any], cell: str, tier: str = "measured") -> float:
    (row,) = (r for r in found["scales"] if (r["tier"], r["cell"]) == (tier, cell) and r["metric"] == "tpot")
    return row["scale"]


# ---- Quantiles -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "held"), [(10, 8), (100, 80), (1000, 800)])
def test_quantiles_hold_80_per_cent_of_an_exchangeable_sample(count: int, held: int):
    """Each value in turn is the new one, judged by the quantiles of all others.

    With n others the ends are the floor(0.1 (n + 1))th and the ceil(0.9 (n + 1))th: of 10 values in turn the
    smallest and the largest fall out, of 100 ten each side. Exact, whatever the law: the values are skewed.
    """
    values = np.exp(np.random.default_rng(5).normal(0, 1, count)) - 1.5
    inside = 0
    for number, value in enumerate(values):
        low, high = conformal(np.delete(values, number))
        inside += low - 1e-4 < value < high + 1e-4  # both ends are rounded to four digits
    assert inside == held


def test_quantiles_are_one_each_side():
    """Of 99 values 1 to 99, each over 10, less 2: the 10th, -1, and the 90th, 7."""
    assert conformal(np.arange(1, 100) / 10 - 2) == (-1.0, 7.0)


@pytest.mark.parametrize(("shift", "expected"), [(5.0, (-0.001, 5.9)), (-5.0, (-5.0, 0.001))])
def test_the_estimate_lies_in_its_interval_whatever_the_bias(shift: float, expected: tuple[float, float]):
    assert conformal(np.arange(0, 10) / 10 + shift) == expected


def test_few_values_give_their_whole_range():
    assert conformal(np.array([-0.3, 0.1, 0.5])) == (-0.3, 0.5)


# ---- Tiers of what was left out --------------------------------------------------------------------------


def tiers(*rows: tuple[int, dict[str, str]]) -> list[str]:
    """Tiers of runs of these folds and names."""
    observations = [observed(run_id=str(n), **names) for n, (_, names) in enumerate(rows)]
    folds = np.array([fold for fold, _ in rows])
    return left_out_of(observations, np.zeros(len(rows)), folds).tiers


def test_a_run_is_as_new_as_without_the_runs_of_its_fold():
    """The second run of the group is left out with the first; kin in another fold is still known."""
    group, kin, other = {}, {"chip": "amd-mi300x"}, {"software": "sglang"}
    assert tiers((0, group), (0, group)) == ["none", "none"]
    assert tiers((0, group), (1, group)) == ["measured", "measured"]
    assert tiers((0, group), (0, group), (1, kin)) == ["kin", "kin", "kin"]
    assert tiers((0, group), (1, other)) == ["none", "none"]


def test_a_run_of_another_metric_does_not_make_a_group_measured():
    rows = [observed(run_id="a"), observed(run_id="b", metric="ttft")]
    assert left_out_of(rows, np.zeros(2), np.array([0, 1])).tiers == ["none", "none"]


def test_closeness_is_to_the_nearest_run_of_the_group_in_another_fold():
    """Batches 2^0, 2^1, 2^4: the nearest in another fold of the first is the third, 2 lengths away."""
    rows = [observed(run_id=str(n), where=at(batch=batch)) for n, batch in enumerate((0, 1, 4))]
    found = left_out_of(rows, np.zeros(3), np.array([0, 0, 1]))
    assert LENGTHS[0] == 2
    assert found.closeness == pytest.approx([math.exp(-2), math.exp(-9 / 8), math.exp(-9 / 8)])


def test_a_group_left_out_whole_has_no_run_near():
    rows = [observed(run_id=str(n), where=at(batch=n)) for n in range(3)]
    assert left_out_of(rows, np.zeros(3), np.zeros(3, int)).closeness == pytest.approx([0, 0, 0])


# ---- Scales ----------------------------------------------------------------------------------------------


def test_spreads_of_cells_shrink_to_the_wider_cell():
    """Forty errors of 0.1 in one group: the tier's scale is their 80% quantile over 1.2816, 0.07803.

    Each narrower cell takes 8 rows of the wider one beside its own 40: serving
    sqrt((8 x 0.07803^2 + 40 x 0.1^2) / 48) = 0.09669, then software and family 0.09946, the group 0.09991.
    """
    found = fit_intervals([left_out([0.1, -0.1] * 20)])
    assert scale(found, "") == pytest.approx(0.1 / 1.2816, abs=1e-5)
    expected = 0.1 / 1.2816
    for cell in ("serving", "serving|software|family", "serving|chip|software|architecture|format"):
        expected = math.sqrt((8 * expected**2 + 40 * 0.01) / 48)
        assert scale(found, cell) == pytest.approx(expected, abs=1e-5)


def test_a_few_runs_hardly_move_their_cell_from_the_wider_one():
    """Two runs of no error beside forty of 0.1: their group keeps sqrt(8 / 10) of the wider spread."""
    few = LeftOut(
        [observed(run_id=f"few {n}", chip="amd-mi300x") for n in range(2)],
        np.zeros(2),
        ["measured"] * 2,
        np.ones(2),
    )
    found = intervals_from(fit_intervals([left_out([0.1, -0.1] * 20), few]))
    wide = found.scale("tpot", "measured", observed(chip="another").identity)
    assert found.scale("tpot", "measured", observed(chip="amd-mi300x").identity) == pytest.approx(
        math.sqrt(8 / 10) * wide, abs=1e-5
    )


def test_one_wild_error_counts_as_three_spreads():
    """39 errors of 0.1 and one of 50: the serving's cell takes 3 x the tier's scale for it."""
    found = fit_intervals([left_out([0.1] * 39 + [50.0])])
    base = 0.1 / 1.2816
    expected = math.sqrt((8 * base**2 + 39 * 0.01 + (3 * base) ** 2) / 48)
    assert scale(found, "serving") == pytest.approx(expected, abs=1e-5)


def test_no_run_widens_the_interval_that_it_is_judged_by():
    """Errors are standardised by the spread of the others of their cell: an outlier's own does not count.

    Ten errors of 0.1 and one of 0.2 in one group and tier. Without itself the outlier is larger than twice
    the spread; with itself counted it would be 1.9 times.
    """
    found = fit_intervals([left_out([0.1] * 10 + [0.2])])
    base = 0.1 / 1.2816
    own = wider = base
    for _ in range(3):
        own = math.sqrt((8 * wider**2 + 10 * 0.01) / 18)
        wider = math.sqrt((8 * wider**2 + 10 * 0.01 + min(0.2, 3 * wider) ** 2) / 19)
    # Of 11 values the 11th is the upper end.
    assert quantile(found)["high"] == pytest.approx(0.2 / own, abs=1e-3)


def test_a_tier_with_few_runs_takes_those_of_the_better_known():
    found = fit_intervals([left_out([0.1] * 40), left_out([0.4] * 10, "kin", chip="amd-mi300x")])
    assert {tier: quantile(found, tier)["rows"] for tier in TIERS} == {
        "measured": 40,
        "kin": 50,
        "none": 50,  # none of its own: kin's, which hold the measured ones
    }


def test_every_tier_has_an_interval_where_any_has_runs():
    """Where no group has two runs, none was judged as measured; such a group can still be asked about."""
    found = fit_intervals([left_out([0.1, -0.2] * 20, "kin")])
    assert {tier: quantile(found, tier)["rows"] for tier in TIERS} == {"measured": 40, "kin": 40, "none": 40}
    low, high = intervals_from(found).bounds("tpot", "measured", observed().identity, None, np.array(HERE))
    assert low < 0 < high


def test_metrics_are_judged_apart():
    found = fit_intervals([left_out([0.1] * 40), left_out([0.5] * 40, metric="ttft")])
    assert {row["metric"] for row in found["quantiles"]} == {"tpot", "ttft"}
    ttft = next(row for row in found["scales"] if row["metric"] == "ttft" and not row["cell"])
    assert ttft["scale"] == pytest.approx(0.5 / 1.2816, abs=1e-5)


# ---- Widening --------------------------------------------------------------------------------------------


def test_intervals_widen_away_from_measured_points_where_errors_do():
    """Errors of deviation 0.05 on the runs and of 0.1 far from them: variance grows by 3; 2 or 4 is taken."""
    random = np.random.default_rng(6)
    near = np.repeat([1.0, 0.0], 500)
    errors = random.normal(0, 1, 1000) * np.where(near > 0, 0.05, 0.1)
    assert fit_intervals([left_out(errors, closeness=near)])["widening"]["tpot"] in (2.0, 4.0)


def test_intervals_do_not_widen_where_errors_do_not():
    random = np.random.default_rng(7)
    near = np.repeat([1.0, 0.0], 500)
    errors = random.normal(0, 0.1, 1000)
    assert fit_intervals([left_out(errors, closeness=near)])["widening"]["tpot"] == 0.0


def test_intervals_fitted_to_one_half_hold_80_per_cent_of_the_other():
    """Two groups, one three times as uncertain as the other, errors skewed: 2,000 runs fit, 2,000 judge.

    A share of 0.8 of 2,000 has a deviation of 18 by count; the quantiles err by as much: 25 together.
    """
    random = np.random.default_rng(8)
    chips = ("nvidia-h100-sxm", "amd-mi300x")

    def half() -> list[LeftOut]:
        return [
            left_out(size * (random.gamma(4, 0.5, 1000) - 2), chip=chip)
            for chip, size in zip(chips, (0.05, 0.15), strict=True)
        ]

    found = intervals_from(fit_intervals(half()))
    inside = []
    for part in half():
        low, high = found.bounds("tpot", "measured", part.observations[0].identity, None, np.array(HERE))
        inside.append(int(((part.errors >= low) & (part.errors <= high)).sum()))
    assert sum(inside) == pytest.approx(1600, abs=75)
    assert min(inside) > 750  # each group of 1,000 by itself too
