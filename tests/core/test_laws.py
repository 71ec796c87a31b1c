"""Laws of hardware and models on random grids: better figures never hurt, units do not matter, forms agree.

Where closed loops are compared, a decode step meets one prompt of others at most: requests that hardly
decode, of which several prompts fall on each step, are charged for each as if it were the step's only one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    LayerGroup,
    MixtureOfExperts,
)
from estimates.core.disaggregated import PrefillPool
from estimates.core.estimate import Estimate, evaluate_one
from estimates.core.explain import tpot_parts
from estimates.core.facts import Deployment, ModelFacts, Pool, Workload
from estimates.core.lanes import Lane
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.machines import A100, H100, MI300X, ideal, offer, physics, scaled, sped_up
from tests.core.test_rooflines import Grid, flat, grids, linked, models, quick, tables, that_decode, workloads

laws = settings(quick, max_examples=40)
factors = st.floats(1.05, 8)
ROUNDING = 1 + 1e-6
CONVERGED = 1.001  # a closed loop is solved in two rounds of its fixed point
FIGURES = ("tpot", "ttft_unloaded", "e2e")


def on_better(grid: Grid, figure: str, factor: float) -> Grid:
    """The same grid on hardware with one figure raised."""
    points = []
    for point in grid.points:
        variant = point.lane.variant
        if figure == "link":
            links = {
                name: replace(link, bytes_per_s=link.bytes_per_s * factor)
                for name, link in (("scale_up", variant.scale_up), ("scale_out", variant.scale_out))
            }
            variant = replace(variant, **links)
        else:
            variant = replace(variant, chip=scaled(variant.chip, **{figure: factor}))
        points.append(replace(point, lane=replace(point.lane, variant=variant)))
    return replace(grid, points=tuple(points))


def not_raised(before: np.ndarray, after: np.ndarray, grid: Grid, where: np.ndarray | bool = True) -> bool:
    """No point's value is larger afterwards; what is unknown (NaN) stays out."""
    count = len(grid.points)
    limit = CONVERGED if grid.workload.arrival == "closed_loop" else ROUNDING
    return not bool(np.any((flat(after, count) > flat(before, count) * limit) & where))


@pytest.mark.parametrize("figure", ["bandwidth", "compute", "link"])
def test_a_better_figure_never_hurts(figure):
    """Time of a token, of a prompt alone and of a whole request do not rise, throughput does not fall.

    The mean first token under load may: faster decoding brings the next prompts sooner. A request as a whole
    does not take longer for it.
    """

    @laws
    @given(grids().map(that_decode), factors, tables)
    def holds(grid, factor, table):
        before = grid.evaluated(table())
        after = on_better(grid, figure, factor).evaluated(table())
        for name in FIGURES:
            assert not_raised(getattr(before.loop, name), getattr(after.loop, name), grid), name
        assert not_raised(after.loop.throughput, before.loop.throughput, grid)
        assert not_raised(after.limit, before.limit, grid)
        if grid.workload.arrival == "static":
            assert not_raised(before.loop.ttft_loaded, after.loop.ttft_loaded, grid)

    holds()


@laws
@given(grids().map(that_decode), factors, tables)
def test_more_memory_holds_more_and_slows_nothing_that_it_did_not_let_in(grid, factor, table):
    """What it lets in shares the machine: those requests are slower, all together within a tenth as fast.

    A tenth, as the first wave that a run's mean includes grows with what runs at once.
    """
    before = grid.evaluated(table())
    after = on_better(grid, "capacity", factor).evaluated(table())
    assert not_raised(after.limit, before.limit, grid)
    assert not_raised(after.capacity, before.capacity, grid)
    same = before.in_flight == after.in_flight
    for name in (*FIGURES, "ttft_loaded"):
        assert not_raised(getattr(before.loop, name), getattr(after.loop, name), grid, same), name
    assert not_raised(after.loop.throughput, before.loop.throughput * 0.9, grid)


@laws
@given(grids(), st.floats(0.1, 10))
def test_units_of_time_do_not_matter(grid, factor):
    """All rates times k, all starts and latencies over k: all times over k, all rates times k."""
    faster = grid
    for figure in ("bandwidth", "compute", "link"):
        faster = on_better(faster, figure, factor)
    before, after = grid.evaluated(physics()), faster.evaluated(sped_up(physics(), factor))
    count = len(grid.points)
    for name in (*FIGURES, "ttft_loaded", "wait", "burst", "interference", "hops"):
        expected = flat(getattr(before.loop, name), count) / factor
        np.testing.assert_allclose(flat(getattr(after.loop, name), count), expected, rtol=1e-6, atol=1e-12)
    for name in ("throughput", "decode_throughput", "throughput_total", "prefill_tok_s"):
        expected = flat(getattr(before.loop, name), count) * factor
        np.testing.assert_allclose(flat(getattr(after.loop, name), count), expected, rtol=1e-6)
    assert before.limit.tolist() == after.limit.tolist()


@laws
@given(grids(), tables)
def test_one_rank_and_one_stage_communicate_nothing(grid, table):
    alone = tuple(p for p in grid.points if p.lane.group == 1 and p.pp == 1)
    assume(alone)
    found = replace(grid, points=alone)
    evaluated = evaluate_points(found.model, alone, table(), detailed=True)
    operations, limits = tpot_parts(evaluated)
    assert not limits["interconnect"].any()
    for name in ("all-reduce", "expert dispatch and combine", "hops between stages"):
        assert not np.any(operations.get(name, 0.0))
    for name in ("all-reduce", "expert dispatch and combine"):
        assert not np.any(evaluated.times.chunk_ledger.operations.get(name, 0.0))


def with_feed_forward(block: DenseFeedForward | MixtureOfExperts) -> ModelFacts:
    layer = LayerGroup(32, (Attention(32, 8, 128, 128),), (block,), 2 * 4096)
    return ModelFacts("m", Architecture("decoder", 4096, 32_000, (layer,), 131_072, False))


@settings(quick, max_examples=25)
@given(
    st.sampled_from([H100, A100, MI300X]),
    st.sampled_from(["bf16", "fp8", "int4"]),
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 64),
    st.integers(2_048, 14_336),
    st.integers(1, 16_000),
)
def test_a_dense_model_is_a_mixture_of_one_expert(chip, scheme, tp, load, intermediate, isl):
    """Top 1 of 1 with equal efficiencies (all of every peak): the same memory and steps but for the router.

    Up to the inner activations, which two products write and read and one grouped operation keeps: 64 tokens
    of 2 B against 3 x 4,096 rows of weights of half a byte are 2%.
    """
    answers: list[Evaluated] = []
    for model in (
        with_feed_forward(DenseFeedForward(intermediate)),
        with_feed_forward(MixtureOfExperts(1, 1, intermediate)),
    ):
        stored = named_scheme(scheme, model.architecture)
        stored = replace(stored, attention=scheme, routed_experts=scheme, dense_ffn=scheme, activation="bf16")
        lane = Lane(linked(chip), stored, "bf16", tp, 1, 1)
        point = Point(lane, 1, Workload("w", isl, 100), load)
        answers.append(evaluate_points(model, [point], ideal(), detailed=True))
    dense, mixed = answers
    router = 32 * 4096 * 2
    assert mixed.weights[0] - dense.weights[0] == pytest.approx(router, abs=1e-3)
    assert mixed.cache_per_request[0] == dense.cache_per_request[0]
    assert mixed.limit[0] == pytest.approx(dense.limit[0], rel=1e-3, abs=1)
    for name in ("decode_ledger", "chunk_ledger"):
        one, other = getattr(mixed.times, name), getattr(dense.times, name)
        routing = one.operations["router"].item()
        assert one.total.item() - routing == pytest.approx(other.total.item(), rel=0.02), name


@laws
@given(grids(), tables)
def test_twice_the_cache_a_token_never_holds_more(grid, table):
    """The same tokens stored in 16 bit in place of 8."""

    def stored(kv_format: str) -> np.ndarray:
        points = tuple(replace(p, lane=replace(p.lane, kv_format=kv_format)) for p in grid.points)
        return evaluate_points(grid.model, points, table()).capacity

    narrow, wide = stored("fp8"), stored("bf16")
    assert np.all(wide <= narrow * ROUNDING)
    assert np.all(np.floor(wide) <= np.floor(narrow * ROUNDING))


@laws
@given(st.sampled_from([8, 16, 32, 64]), st.sampled_from([1, 2, 4]), st.integers(100, 30_000), grids())
def test_twice_the_key_value_heads_never_hold_more(heads, share, isl, grid):
    """An architecture with more cache a token, its projections with it."""
    lane, capacities = replace(grid.points[0].lane, tp=1, dp=1, ep=1), []
    for kv_heads in (heads // (2 * share), heads // share):
        layer = LayerGroup(32, (Attention(heads, max(kv_heads, 1), 128, 128),), (DenseFeedForward(8192),), 0)
        model = ModelFacts("m", Architecture("decoder", 2048, 32_000, (layer,), 131_072, False))
        point = Point(lane, 1, Workload("w", isl, 100), 1)
        capacities.append(evaluate_points(model, [point], physics()).limit[0])
    assert capacities[1] <= capacities[0]


def value_of(answer: Estimate, name: str) -> float:
    """The estimate that an interval is of."""
    if name.startswith("ttft_"):
        value = answer.ttft_s[name.removeprefix("ttft_").removesuffix("_s")]
    else:
        value = getattr(answer, name)
    assert isinstance(value, float), name
    return value


@settings(quick, max_examples=25)
@given(
    models,
    st.sampled_from([H100, A100, MI300X]),
    workloads,
    st.sampled_from([None, 1, 8, 100]),
    st.sampled_from([None, Pool(workers=1, tp=1)]),
    tables,
)
def test_the_interval_contains_the_estimate(model, chip, workload, concurrency, pool, table):
    workload = replace(workload, arrival="closed_loop" if pool else workload.arrival)
    asked = Deployment(weights="bf16", tp=None if pool is None else 1, concurrency=concurrency, prefill=pool)
    answer = evaluate_one(model, offer(chip), workload, asked, table())
    assume(answer.state in ("ok", "saturated"))
    assert "tpot_s" in answer.interval
    for name, interval in answer.interval.items():
        assert 0 < interval.low < value_of(answer, name) < interval.high, name


@settings(quick, max_examples=25)
@given(
    models, st.sampled_from([1, 2, 4, 8]), st.integers(2, 400), st.integers(64, 8_000), st.integers(16, 1_000)
)
def test_a_decode_pool_is_no_slower_than_a_machine_that_also_computes_prompts(model, tp, load, isl, osl):
    """At the same number of sequences decoding at once, TPOT without prompts in between is no longer.

    A law of the physics: what measurements say of two ways of serving they say of each by itself.
    """
    lane = Lane(linked(H100), named_scheme("bf16", model.architecture), "bf16", tp, 1, 1)
    work = Workload("w", isl, osl)
    pool = PrefillPool(lane, 1, 2, 1)
    apart = evaluate_points(model, [Point(lane, 1, work, load, pool)], physics())
    assume(bool(apart.fits[0]))
    decoding = max(1.0, apart.in_flight[0])
    loads = decoding * np.geomspace(1, 60, 60)
    together = evaluate_points(model, [Point(lane, 1, work, float(one)) for one in loads], physics())
    running = flat(together.loop.running, 60)
    assume(running.max() >= decoding)
    first = int(np.argmax(running >= decoding))
    assert apart.loop.tpot.item() <= flat(together.loop.tpot, 60)[first] * ROUNDING
