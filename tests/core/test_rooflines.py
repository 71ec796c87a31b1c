"""Never faster than the bytes touched over datasheet bandwidth, nor than the arithmetic over the peak rate.

Whole grids are checked: every format and layout of a model on a machine, at several depths and loads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from estimates.core.deployments import layouts, pipeline_limit, resolve_kv, schemes_for
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Link, ModelFacts, Workload
from estimates.core.grid import best_deployments
from estimates.core.lanes import Lane, Variant
from estimates.core.lowering import lower
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.floors import VECTORS, fastest_rate, floors, share_touched, step_bytes, token_flop
from tests.core.kinds import KINDS
from tests.core.machines import (
    A100,
    B200,
    CORSAIR,
    GROQ,
    H100,
    MI300X,
    MI350X,
    WSE3,
    calibrated,
    ideal,
    offer,
    physics,
)

MODELS = {
    **{kind: ModelFacts(kind, architecture) for kind, architecture in KINDS.items()},
    "llama": ModelFacts("llama", llama_70b()),
    "deepseek": ModelFacts("deepseek", deepseek_v3()),
    "gpt-oss": ModelFacts("gpt-oss", gpt_oss_120b()),
}
CHIPS = (H100, A100, B200, MI300X, MI350X, CORSAIR, GROQ, WSE3)
SLACK = 1 - 1e-6  # single-precision sums
LEAST_ANSWER = 16

models = st.sampled_from(sorted(MODELS)).map(MODELS.__getitem__)
workloads = st.builds(
    Workload,
    st.just("w"),
    st.integers(1, 1_000) | st.integers(1_000, 60_000),
    st.integers(2, 4_000),
    prefix_share=st.sampled_from([0.0, 0.5]),
    arrival=st.sampled_from(["closed_loop", "static"]),
)
# No shrinking: a smaller grid says no more than the point that an assertion names, and takes minutes.
quick = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
laws = settings(quick, max_examples=40)


def linked(chip: Chip) -> Variant:
    return Variant(chip, Link("scale_up", 450e9, None, 8), Link("scale_out", 50e9))


@dataclass(frozen=True)
class Grid:
    """Configurations of one model on one kind of chip under one workload."""

    model: ModelFacts
    workload: Workload
    points: tuple[Point, ...] = field(repr=False)

    def evaluated(self, table: EfficiencyTable) -> Evaluated:
        return evaluate_points(self.model, self.points, table)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Every format and layout on up to 16 chips, at a drawn pipeline depth and three drawn loads."""
    model, chip, workload = draw(models), draw(st.sampled_from(CHIPS)), draw(workloads)
    variant = linked(chip)
    lowered = lower(model.architecture)
    depth = draw(st.sampled_from([1, 1, 2, 4]))
    loads = draw(st.tuples(*(st.integers(1, 2_000) for _ in range(3))))
    points = [
        Point(lane, min(depth, pipeline_limit(variant, 16, lane.group, lowered)), workload, float(load))
        for scheme in schemes_for(model, chip, physics())
        for layout in layouts(lowered, variant, 16)
        for lane in [Lane(variant, scheme, resolve_kv(None, scheme, chip), layout.tp, layout.dp, layout.ep)]
        for load in loads
    ]
    return Grid(model, workload, tuple(points))


def that_decode(grid: Grid) -> Grid:
    """At most one prompt on each decode step: no more sequences on a rank than an answer has tokens."""
    workload = replace(grid.workload, osl=max(grid.workload.osl, LEAST_ANSWER))
    most = [workload.osl * point.lane.dp * point.pp for point in grid.points]
    points = [
        replace(point, workload=workload, concurrency=min(point.concurrency, float(limit)))
        for point, limit in zip(grid.points, most, strict=True)
    ]
    return replace(grid, workload=workload, points=tuple(points))


def flat(values: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(values, float).reshape(-1), count)


TABLES = pytest.mark.parametrize(
    "table", [physics, calibrated, ideal], ids=["physics", "calibrated", "all of every peak"]
)
tables = st.sampled_from([physics, calibrated])


@TABLES
def test_no_configuration_of_a_grid_beats_its_bytes_and_its_arithmetic(table):
    """The step of the batch, TPOT of what decodes at once, the first token, the whole request.

    Prompts of a static batch are computed together, of a closed loop one by one; a prompt that streams
    through a pipeline uses all stages at once.
    """

    @laws
    @given(grids())
    def holds(grid):
        found, work = grid.evaluated(table()), grid.workload
        count = len(grid.points)
        steps, tpots, running, unloaded, loaded, e2e = (
            flat(values, count)
            for values in (
                found.times.decode,
                found.loop.tpot,
                found.loop.running,
                found.loop.ttft_unloaded,
                found.loop.ttft_loaded,
                found.loop.e2e,
            )
        )
        own = work.isl * (1 - work.prefix_share)
        least = floors(found, grid.model.architecture, work.isl + work.osl / 2, table())
        for row, (point, floor) in enumerate(zip(grid.points, least, strict=True)):
            token = floor.decode(running[row])
            assert steps[row] >= floor.decode(found.batch[row]) * SLACK, point
            assert tpots[row] >= token * SLACK, point
            if not found.rates_known[row]:
                assert np.isnan(unloaded[row])  # a rate is not published, and nothing is said
                continue
            prompts = max(1.0, found.in_flight[row] / point.lane.dp) if work.arrival == "static" else 1.0
            first = floor.prompt(own * prompts, work.isl / 2) / point.pp
            assert unloaded[row] >= first * SLACK, point
            assert loaded[row] >= unloaded[row] * SLACK, point
            assert e2e[row] >= (first + (work.osl - 1) * token) * SLACK, point

    holds()


def shares_of_peak(found: Evaluated, model: ModelFacts, work: Workload) -> Iterator[float]:
    """FLOP a second over the peak of the chips: each prompt token, each answered one but a request's last."""
    rates = flat(found.loop.throughput, len(found.points))
    for point, known, rate in zip(found.points, found.rates_known, rates, strict=True):
        if known:
            lane = point.lane
            flop = token_flop(model.architecture, lane, head=False) * lane.tp
            tokens = work.isl * (1 - work.prefix_share) + work.osl - 1
            yield rate / work.osl * tokens * flop / (fastest_rate(lane) * lane.group * point.pp)


@laws
@given(grids().map(that_decode), tables)
def test_no_machine_computes_more_than_its_peak(grid, table):
    found = grid.evaluated(table())
    assert max(shares_of_peak(found, grid.model, grid.workload), default=0) <= 1


def test_no_machine_computes_more_than_its_peak_on_prompts_almost_alone():
    """255 requests of 541 tokens in, 2 out on four H100: 0.9 x 254 / 4 / 2 = 29 prompts on a decode step."""
    model, work = MODELS["llama"], Workload("w", 541, 2, prefix_share=0.5)
    lane = Lane(linked(H100), named_scheme("bf16", model.architecture), "bf16", 1, 1, 1)
    found = evaluate_points(model, [Point(lane, 4, work, 255)], physics())
    assert max(shares_of_peak(found, model, work)) <= 1


@settings(quick, max_examples=15)
@given(models, st.sampled_from(CHIPS), workloads, st.sampled_from([1, 8, 16]), tables)
def test_no_row_of_the_grid_beats_its_bytes(model, chip, workload, count, table):
    """The answers kept for an offer, through the search itself."""
    machine = offer(chip, count, scale_out=Link("scale_out", 50e9))
    result = best_deployments(model, [machine], [replace(workload, arrival="closed_loop")], table())
    for row in result.rows():
        if row["state"] != "ok":
            continue
        scheme = next(s for s in schemes_for(model, chip, table()) if s.slug == row["scheme"])
        lane = Lane(linked(chip), scheme, row["kv_format"], row["tp"], row["dp"], row["ep"])
        volume = step_bytes(model.architecture, lane, row["running_batch"], table(), head=True)
        assert row["tpot_s"] >= volume / chip.memory.bandwidth
        assert row["tpot_low_s"] <= row["tpot_s"] <= row["tpot_high_s"]
        assert row["throughput_output_tok_s"] is None or (
            row["throughput_low"] <= row["throughput_output_tok_s"] <= row["throughput_high"]
        )
        assert row["ttft_s"] is None or row["ttft_low_s"] <= row["ttft_s"] <= row["ttft_high_s"]


def test_the_floor_of_a_known_case_by_hand():
    """Llama 70B in FP8 on eight H100 at batch 64 and a context of 1,500.

    Layers 80 x (150,994,944 + 704,643,072) + head 128,256 x 8,192 x 2 B = 70.55 GB; cache 64 x 1,500 x 2 x
    8 x 128 x 80 = 15.73 GB; an eighth of both is 10.79 GB: 3.22 ms at 3.35 TB/s, 3.17 ms with the share
    counted as matrices. Of 64 experts, 4 a token, 8 tokens choose 1 - (60/64)^8 = 40% when routing is even.
    """
    model = MODELS["llama"]
    scheme = next(s for s in schemes_for(model, H100, physics()) if s.slug == "fp8")
    point = Point(Lane(linked(H100), scheme, "fp8", 8, 1, 1), 1, Workload("w", 1000, 1000), 64)
    found = evaluate_points(model, [point], physics())
    floor = floors(found, model.architecture, 1500, physics())[0]
    weights = 80 * (150_994_944 + 704_643_072) + 128_256 * 8192 * 2
    cache = 64 * 1500 * 2 * 8 * 128 * 80
    assert floor.decode(64) == pytest.approx((VECTORS * weights + cache) / 8 / 3350e9, rel=1e-9)
    assert floor.decode(64) == pytest.approx(3.17e-3, rel=1e-2)
    assert share_touched(KINDS["mixture of experts"], 8, 1.0) == pytest.approx(1 - (60 / 64) ** 8)
