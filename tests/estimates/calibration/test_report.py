"""The calibration's own report: scores of what was left out, stages, ablation, the worst groups."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from estimates.accuracy.report import worst_groups as shown
from estimates.calibration import report as module
from estimates.calibration.crossvalidation import Scored
from estimates.calibration.report import ABLATIONS, LEAST_IN_GROUP, TOP_K_ONLY, headline, worst_groups
from estimates.core.multipliers import FAMILIES
from estimates.measured.predictions import Prediction
from tests.estimates.calibration.conftest import World
from tests.estimates.calibration.published import observed

SCORE = {
    "rows",
    "answered",
    "mape_pct",
    "median_ape_pct",
    "bias_pct",
    "within20_pct",
    "coverage80_pct",
    "interval_ratio",
}


def mape(world: World, fold: str, metric: str) -> float:
    """Mean of |predicted - measured| / measured of the scored predictions."""
    errors = [
        abs(one.prediction.predicted / one.measured - 1)
        for one in world.scored
        if (one.fold, one.prediction.metric) == (fold, metric) and not one.observation.run.flags
    ]
    return 100 * float(np.mean(errors))


def test_the_report_counts_what_it_rests_on(world: World):
    assert world.report["made"] == "2026-04-01"
    assert world.report["measurements"] == {
        "runs": 91,
        "figures": 151,
        "taught": 150,
        "copies_removed": 0,
        "left_out": {},
    }


@pytest.mark.parametrize("fold", ["rows", "groups"])
@pytest.mark.parametrize("metric", ["tpot_ms", "ttft_ms", "output_tok_s_total"])
def test_scores_are_those_of_the_predictions(world: World, fold: str, metric: str):
    found = world.report[f"{fold}_out"][metric]
    assert set(found) >= {"all", "complete", "plausible"}
    assert set(found["complete"]) == SCORE
    assert found["complete"]["mape_pct"] == pytest.approx(mape(world, fold, metric), abs=1e-3)


def test_flagged_runs_are_scored_apart(world: World):
    views = world.report["rows_out"]["tpot_ms"]
    assert views["all"]["rows"] == views["complete"]["rows"] + 1


def test_scores_are_sliced_and_by_tier(world: World):
    rows = world.report["rows_out"]
    assert set(rows["slices"]) == set(module.SLICES)
    assert rows["slices"]["software"]["sglang"]["tpot_ms"]["complete"]["rows"] == 20
    assert rows["slices"]["accelerator"]["nvidia-l40s"]["ttft_ms"]["complete"]["rows"] == 10
    assert set(rows["tiers"]) == {"measured"}
    assert set(world.report["groups_out"]["tiers"]) == {"kin", "none"}


def test_other_tools_are_compared_on_the_rows_that_they_answer(world: World):
    """The peer says 10 ms of five runs, of which three are closed loops with a time per token."""
    (row,) = (one for one in world.report["rows_out"]["peers"] if one["view"] == "complete")
    assert (row["tool"], row["metric"]) == ("Another tool 1.0", "tpot_ms")
    assert row["peer"]["answered"] == row["ours"]["answered"] == 3


def test_stages_are_told_in_order_on_rows_and_groups(world: World):
    stages = world.report["stages"]
    assert [one["stage"] for one in stages][:4] == [
        "physics with operator data",
        "+ multipliers",
        "+ shrunk offsets",
        "+ interpolated sweeps",
    ]
    for one in stages:
        assert set(one) == {"stage", "rows_out", "groups_out"}
        assert one["rows_out"]["tpot_ms"]["rows"] == 60


def test_the_first_stage_is_the_bare_physics(world: World):
    """Nothing was learnt, so that nothing changes with what is left out: 1 - 1/1.2, 1/0.95 - 1, 10% more."""
    first = world.report["stages"][0]
    assert first["rows_out"] == first["groups_out"]
    # Forty figures of vLLM, of which ten on the L40S, and twenty of SGLang.
    expected = (30 * (1 / 0.95 - 1) + 10 * (1 - 1 / (0.95 * 1.1)) + 20 * (1 - 1 / 1.2)) / 60
    assert first["rows_out"]["tpot_ms"]["mape_pct"] == pytest.approx(100 * expected, abs=0.5)


def test_offsets_buy_most_of_what_is_left_in_a_world_of_offsets(world: World):
    errors = [one["rows_out"]["tpot_ms"]["mape_pct"] for one in world.report["stages"]]
    assert errors[2] < 0.2 * errors[1]


def test_the_file_carries_scores_of_unseen_rows_and_groups(world: World):
    found = headline(world.learnt, world.splits)
    assert set(found) == {"rows_out", "groups_out"}
    last = world.report["stages"][3]
    for fold in found:
        assert found[fold]["tpot_ms"]["mape_pct"] == last[fold]["tpot_ms"]["mape_pct"]


def test_rates_are_pooled_under_other(world: World):
    found = headline(world.learnt, world.splits)["rows_out"]
    assert found["other"] == found["output_tok_s_total"]


def test_every_term_is_taken_out_before_and_after_the_rest_is_fitted(world: World):
    rows = world.report["ablation"]
    assert [one["term"] for one in rows] == ["nothing taken out", *ABLATIONS, TOP_K_ONLY]
    whole = rows[0]
    assert whole["tpot_mape_before"] == pytest.approx(
        world.report["stages"][0]["rows_out"]["tpot_ms"]["mape_pct"], abs=0.01
    )
    for one in rows:
        assert set(one) == {"term", "tpot_mape_before", "tpot_mape_after"}
    without = {one["term"]: one for one in rows}
    # These runs were made with starts and without experts: the first is missed, the others are not.
    assert without["starts of all kernels"]["tpot_mape_before"] > whole["tpot_mape_before"] + 5
    assert without["arithmetic of experts"] == whole | {"term": "arithmetic of experts"}


def test_terms_that_are_taken_out_exist():
    assert {name for families in ABLATIONS.values() for name in families} <= set(FAMILIES)


# ---- The worst groups ------------------------------------------------------------------------------------


def scored(ratio: float, number: int, tier: str = "kin", fold: str = "groups", **names: str) -> Scored:
    """A time predicted `ratio` times as long as measured."""
    version = names.pop("framework_version", None)
    one = observed(run_id=f"{names} {number}", **names)
    one = replace(one, run=replace(one.run, framework_version=version))
    found = Prediction(one.run.run_id, "tpot_ms", predicted=10 * ratio, low=1, high=99, tier=tier)
    return Scored(one, fold, 10.0, found)


def group(ratios: list[float], **names: Any) -> list[Scored]:
    return [scored(ratio, number, **names) for number, ratio in enumerate(ratios)]


def test_worst_groups_are_those_with_the_largest_mean_error():
    rows = group([1.1] * 5, chip="a") + group([1.5, 0.5] * 3, chip="b") + group([1.2] * 4, chip="c")
    found = worst_groups(rows)
    assert [one["mape_pct"] for one in found] == [50.0, 20.0, 10.0]
    assert [one["rows"] for one in found] == [6, 4, 5]
    assert found[0]["bias_pct"] == 0.0
    assert set(found[0]) == {
        "metric",
        "accelerator",
        "software",
        "model",
        "format",
        "serving",
        "rows",
        "mape_pct",
        "bias_pct",
        "known",
    }


def test_a_handful_of_rows_is_no_group():
    assert worst_groups(group([3.0] * (LEAST_IN_GROUP - 1))) == []


def test_only_groups_left_out_whole_are_judged():
    assert worst_groups(group([3.0] * 8, fold="rows")) == []


def test_ten_groups_are_listed():
    rows = [row for number in range(15) for row in group([1 + number / 10] * 4, chip=f"{number}")]
    assert [one["mape_pct"] for one in worst_groups(rows)] == [10.0 * n for n in range(14, 4, -1)]


def test_what_is_known_says_whether_it_is_one_offset_or_scatter():
    (offset,) = worst_groups(group([2.0, 2.1, 1.9, 2.0]))
    assert offset["known"].startswith("kin measured; one offset: median ratio 2.00, scatter 0.0")
    (scatter,) = worst_groups(group([2.0, 0.5, 2.0, 0.5], tier="none"))
    assert scatter["known"].startswith("no kin measured; scatter within the group: median ratio 1.00")


def test_what_is_known_names_the_versions_of_software():
    rows = [scored(2.0, number, framework_version=f"0.{number}") for number in range(5)]
    (found,) = worst_groups(rows)
    assert found["known"].endswith("software version 0.0, 0.1, 0.2 and others")
    (silent,) = worst_groups(group([2.0] * 4))
    assert silent["known"].endswith("software version not stated")


# ---- As a file -------------------------------------------------------------------------------------------


def test_the_report_is_plain_json_without_nan(world: World):
    text = json.dumps(world.report, allow_nan=False)
    assert json.loads(text) == world.report


def test_the_accuracy_page_reads_the_worst_groups(world: World):
    from estimates.accuracy.report import Report

    found = Report("v", json.loads(json.dumps(world.report)), None)  # type: ignore[arg-type]
    assert shown(found) == world.report["worst_groups"]
    assert 0 < len(world.report["worst_groups"]) <= 10
