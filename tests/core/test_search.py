"""Laws of a search, whatever the hardware, the load and the limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from estimates.core.cluster import joined
from estimates.core.demand import OBJECTIVES, Bounds, Candidate, Demand, Found, SearchResult
from estimates.core.deployments import on_chip, resolve_scheme
from estimates.core.facts import Link, ModelFacts, Workload
from estimates.core.lanes import Lane, Variant
from estimates.core.points import Point, evaluate_points
from estimates.core.search import search
from tests.core.architectures import gpt_oss_120b, llama_70b
from tests.core.kinds import KINDS
from tests.core.machines import A100, B200, H100, MI300X, calibrated, offer

MODELS = {
    "llama-70b": ModelFacts("llama-70b", llama_70b()),
    "gpt-oss-120b": ModelFacts("gpt-oss-120b", gpt_oss_120b()),
    **{name: ModelFacts(name, KINDS[name]) for name in ("grouped-query attention", "latent attention")},
}
NETWORK = Link("scale_out", 50e9)
OFFERS = (
    offer(H100, 8),
    offer(H100, 1, None),
    offer(A100, 1, None, scale_out=NETWORK),  # joined where one does not hold the model
    offer(MI300X, 8),
    offer(B200, 8),
    offer(B200, 2),
)
#: Of single precision, in which a search weighs what it then evaluates exactly.
WEIGHED = 2e-3
BESIDE = 0.1  # between the loads of a replica that a search tries and the one that a rate makes of it
LIMITS = ("chips", "machines", "watts", "usd_per_hour")

models = st.sampled_from(sorted(MODELS)).map(MODELS.__getitem__)
workloads = st.builds(Workload, st.just("w"), st.integers(16, 16_000), st.integers(2, 4_000))
amounts = st.floats(0.5, 200) | st.floats(2, 30) | st.none()


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    offers = draw(st.lists(st.sampled_from(OFFERS), min_size=1, max_size=4, unique_by=id))
    return [
        Candidate(
            one,
            draw(amounts),
            draw(st.sampled_from([700.0 * one.count, 1000.0 * one.count, None])),
            draw(st.none() | st.just(0.25)),
        )
        for one in offers
    ]


ats = st.sampled_from(["mean", "median", "p95"])
demands = st.builds(
    lambda load, **rest: Demand(**load, **rest),
    st.just({})
    | st.integers(1, 3000).map(lambda users: {"concurrency": users})
    | st.floats(0.01, 50).map(lambda rate: {"requests_per_s": rate}),
    ttft_s=st.none() | st.floats(0.05, 30),
    ttft_at=ats,
    tpot_s=st.none() | st.floats(0.004, 0.2),
    tpot_at=ats,
    spare=st.integers(0, 2),
)
bounds_asked = st.builds(
    Bounds,
    chips=st.none() | st.integers(1, 200),
    machines=st.none() | st.integers(1, 40),
    watts=st.none() | st.none() | st.floats(500, 100_000),
    usd_per_hour=st.none() | st.none() | st.floats(1, 2000),
    formats=st.sampled_from([("bf16",), ("fp8",), ("bf16", "fp8")]),
)
objectives = st.sampled_from(OBJECTIVES)
laws = settings(max_examples=30, deadline=None)


def ask(
    model: ModelFacts,
    candidates: list[Candidate],
    workload: Workload,
    demand: Demand,
    bounds: Bounds,
    objective: str = "throughput_per_chip",
    *,
    fronts: bool = False,
) -> SearchResult:
    return search(model, candidates, workload, demand, bounds, objective, calibrated(), fronts=fronts)


def by_candidate(result: SearchResult) -> dict[int, Found]:
    return {one.candidate: one for one in result.found}


def value_of(one: Found, objective: str) -> float | None:
    """What the objective is about, larger being better."""
    if objective == "usd_per_mtok":
        return None if one.usd_per_mtok_output is None else -one.usd_per_mtok_output.value
    if objective == "speed_per_user":
        return one.tok_s_per_user
    return getattr(one, objective)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked, objectives)
def test_every_candidate_is_found_or_excluded_once(model, candidates, workload, demand, bounds, objective):
    result = ask(model, candidates, workload, demand, bounds, objective)
    numbers = [one.candidate for one in (*result.found, *result.excluded)]
    assert sorted(numbers) == list(range(len(candidates)))


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked)
def test_what_is_found_keeps_every_limit_when_it_is_evaluated_by_itself(
    model, candidates, workload, demand, bounds
):
    for one in ask(model, candidates, workload, demand, bounds).found:
        candidate = candidates[one.candidate]
        on = joined(candidate.offer, one.cluster)
        assert on is not None
        scheme = on_chip(resolve_scheme(one.scheme, model), on.chip)
        variant = Variant(on.chip, on.scale_up, on.scale_out)
        lane = Lane(variant, scheme, one.kv_format, one.tp, one.dp, one.ep, one.software)
        alone = evaluate_points(model, [Point(lane, one.pp, workload, one.concurrency)], calibrated())
        assert float(alone.loop.tpot.reshape(-1)[0]) == pytest.approx(one.tpot.value, rel=1e-9)
        assert alone.fits[0]
        assert alone.limit[0] >= one.concurrency * (1 - 1e-9)
        if demand.tpot_s is not None:
            at = {"mean": one.tpot.value, "median": one.tpot_median_s, "p95": one.tpot_p95_s}
            assert at[demand.tpot_at] <= demand.tpot_s
        if demand.ttft_s is not None and one.ttft is not None:
            first = {"mean": one.ttft.value, "median": one.ttft_median_s, "p95": one.ttft_p95_s}
            assert (first[demand.ttft_at] or 0) <= demand.ttft_s
        for name in LIMITS:
            limit = getattr(bounds, name)
            assert limit is None or getattr(one, name) <= limit * (1 + 1e-6)
        assert one.scheme in [on_chip(resolve_scheme(slug, model), on.chip).slug for slug in bounds.formats]
        assert one.memory_used_bytes <= one.memory_capacity_bytes * (1 + 1e-9)
        for value, limit in one.slack.values():
            assert value <= limit * (1 + 1e-6)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked, st.sampled_from(["tpot_s", "ttft_s"]))
def test_a_limit_at_the_very_edge_of_a_deployment_is_kept_exactly(
    model, candidates, workload, demand, bounds, limit
):
    """A hair below what the best deployment reaches: single precision cannot tell, the answer can."""
    free = replace(demand, tpot_s=None, ttft_s=None, tpot_at="mean", ttft_at="mean")
    for best in ask(model, candidates, workload, free, bounds).found:
        reached = best.tpot if limit == "tpot_s" else best.ttft
        if reached is None:
            continue
        edge = replace(free, **{limit: reached.value * (1 - 1e-9)})
        for one in ask(model, [candidates[best.candidate]], workload, edge, bounds).found:
            value = one.tpot if limit == "tpot_s" else one.ttft
            assert value is not None
            assert value.value < reached.value


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked)
def test_replicas_carry_the_load_and_machines_hold_them_and_the_spare_ones(
    model, candidates, workload, demand, bounds
):
    for one in ask(model, candidates, workload, demand, bounds).found:
        count = candidates[one.candidate].offer.count
        if demand.concurrency is not None:
            assert one.replicas * one.concurrency == pytest.approx(demand.concurrency)
        if demand.requests_per_s is not None:
            assert one.requests_per_s == pytest.approx(demand.requests_per_s)
        held = one.cluster * count // (one.tp * one.dp * one.pp)
        joined_up = one.machines // one.cluster
        assert one.machines == joined_up * one.cluster
        assert one.chips == one.machines * count
        assert one.spare == (0 if demand.is_open else demand.spare)
        assert joined_up * held >= one.replicas + one.spare
        assert (joined_up - 1) * held < one.replicas + one.spare


@laws
@given(
    models,
    candidate_lists(),
    workloads,
    demands,
    bounds_asked,
    objectives,
    st.sampled_from(["tpot_s", "ttft_s", *LIMITS]),
    st.floats(0.1, 0.99),
)
def test_tightening_a_limit_never_adds_a_deployment_nor_betters_one(
    model, candidates, workload, demand, bounds, objective, limit, share
):
    of_demand = limit in ("tpot_s", "ttft_s")
    before = getattr(demand if of_demand else bounds, limit)
    assume(before is not None)
    after = before * share
    if limit in ("chips", "machines"):
        after = max(1, int(after))
    narrow = replace(demand, **{limit: after}) if of_demand else demand
    tight = bounds if of_demand else replace(bounds, **{limit: after})
    loose = by_candidate(ask(model, candidates, workload, demand, bounds, objective))
    kept = by_candidate(ask(model, candidates, workload, narrow, tight, objective))
    assert set(kept) <= set(loose)
    for number, one in kept.items():
        now, then = value_of(one, objective), value_of(loose[number], objective)
        if now is not None and then is not None:
            assert now <= then + WEIGHED * abs(then)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked, st.floats(1.01, 20), st.data())
def test_raising_a_price_never_betters_a_rank_by_cost(
    model, candidates, workload, demand, bounds, factor, data
):
    number = data.draw(st.sampled_from(range(len(candidates))))
    price = candidates[number].usd_per_hour
    assume(price is not None)
    dearer = list(candidates)
    dearer[number] = replace(candidates[number], usd_per_hour=(price or 0) * factor)

    def rank(of: list[Candidate]) -> int | None:
        found = ask(model, of, workload, demand, bounds, "usd_per_mtok").found
        return next((place for place, one in enumerate(found) if one.candidate == number), None)

    before, after = rank(candidates), rank(dearer)
    assert after is None or (before is not None and after >= before)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked, objectives)
def test_deployments_are_ranked_by_the_objective_and_the_unknown_come_last(
    model, candidates, workload, demand, bounds, objective
):
    values = [
        value_of(one, objective) for one in ask(model, candidates, workload, demand, bounds, objective).found
    ]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=True)
    assert values[: len(known)] == known


@laws
@given(
    models, candidate_lists(), workloads, demands, bounds_asked, objectives, st.randoms(use_true_random=False)
)
def test_an_answer_does_not_depend_on_the_order_of_the_candidates(
    model, candidates, workload, demand, bounds, objective, random
):
    shuffled = list(candidates)
    random.shuffle(shuffled)

    def figures(of: list[Candidate]) -> dict[str, Any]:
        found = ask(model, of, workload, demand, bounds, objective).found
        return {one.offer: (one.machines, one.tpot.value, one.throughput.value) for one in found}

    first, second = figures(candidates), figures(shuffled)
    assert set(first) == set(second)
    for slug, values in first.items():
        assert second[slug] == pytest.approx(values, rel=1e-6)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked)
def test_what_excludes_is_violated_and_giving_way_there_lets_it_in(
    model, candidates, workload, demand, bounds
):
    for one in ask(model, candidates, workload, demand, bounds).excluded:
        candidate = candidates[one.candidate]
        if one.constraint in ("tpot", "ttft", *LIMITS, "memory", "context"):
            assert one.value is not None
            assert one.limit is not None
            assert one.value > one.limit * (1 - 1e-6)
        if one.constraint == "price":
            assert candidate.usd_per_hour is None
        if one.constraint == "missing_fact":
            assert candidate.watts is None
            assert bounds.watts is not None
        if one.constraint not in ("tpot", "ttft", *LIMITS) or "too" in one.detail:
            continue
        # Its best value is what one gets when nothing else is asked for, and no less than that.
        free = Bounds(formats=bounds.formats)
        if one.constraint in ("tpot", "ttft"):
            alone = replace(demand, tpot_s=None, ttft_s=None)
            name, value = f"{one.constraint}_s", one.value or 0
            # Under a stated rate the value is that of the loads tried, beside the one Little's law gives.
            edge = WEIGHED if demand.requests_per_s is None else BESIDE
            assert by_candidate(
                ask(model, [candidate], workload, replace(alone, **{name: value * (1 + edge)}), free)
            )
            assert not by_candidate(
                ask(model, [candidate], workload, replace(alone, **{name: value * (1 - edge)}), free)
            )
        else:
            wide = replace(free, **{one.constraint: (one.value or 0) * (1 + 1e-6)})
            assert by_candidate(ask(model, [candidate], workload, demand, wide))


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked)
def test_no_point_of_a_front_is_beaten_and_nothing_found_beats_one(
    model, candidates, workload, demand, bounds
):
    result = ask(model, candidates, workload, demand, bounds, "throughput_per_chip", fronts=True)
    fast = ask(model, candidates, workload, demand, bounds, "speed_per_user")
    cheap = ask(model, candidates, workload, demand, bounds, "usd_per_mtok")
    points = result.front_speed_throughput
    speeds = [point.tok_s_per_user for point in points]
    rates = [point.throughput_per_chip for point in points]
    assert speeds == sorted(set(speeds), reverse=True)
    assert rates == sorted(set(rates))
    costs = [point.usd_per_mtok_output for point in result.front_speed_cost]
    assert None not in costs
    assert costs == sorted(set(costs), reverse=True)
    for one in (*result.found, *fast.found, *cheap.found):
        for point in points:
            assert not (
                one.tok_s_per_user > point.tok_s_per_user * (1 + WEIGHED)
                and one.throughput_per_chip > point.throughput_per_chip * (1 + WEIGHED)
            )
        if one.usd_per_mtok_output is None:
            continue
        for point in result.front_speed_cost:
            assert not (
                one.tok_s_per_user > point.tok_s_per_user * (1 + WEIGHED)
                and one.usd_per_mtok_output.value < (point.usd_per_mtok_output or 0) * (1 - WEIGHED)
            )
    if fast.found:
        assert max(one.tok_s_per_user for one in fast.found) <= speeds[0] * (1 + WEIGHED)
        assert max(one.throughput_per_chip for one in result.found) <= rates[-1] * (1 + WEIGHED)


@laws
@given(models, candidate_lists(), workloads, demands, bounds_asked, objectives)
def test_the_same_question_has_the_same_answer(model, candidates, workload, demand, bounds, objective):
    first = ask(model, candidates, workload, demand, bounds, objective)
    assert ask(model, candidates, workload, demand, bounds, objective) == first
