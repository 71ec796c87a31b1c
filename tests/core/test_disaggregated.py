"""Disaggregated serving: the population split by Little's law, the slower pool, the cache handed over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.disaggregated import PrefillPool, queue_wait
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, InvalidFact, Link, ModelFacts, Offer, Pool, Workload
from estimates.core.lanes import Lane, Variant
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import H100, NVLINK_4, calibrated, efficiency, offer, scaled

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
DEEPSEEK = ModelFacts("deepseek-v3", deepseek_v3())
FP8 = named_scheme("fp8", llama_70b())
WORK = Workload("w", 1000, 500)
NETWORK = Link("scale_out", 50e9)


def lane(tp: int, chip=H100, up: Link | None = NVLINK_4, out: Link | None = NETWORK) -> Lane:
    return Lane(Variant(chip, up, out), FP8, "fp8", tp, 1, 1)


def point(requests: float, *, tp=4, workers=1, decode=1, workload=WORK, prefill_tp=4, **hardware) -> Point:
    """`requests` in the whole system of `decode` workers."""
    pool = PrefillPool(lane(prefill_tp, **hardware), 1, workers, decode)
    return Point(lane(tp, **hardware), 1, workload, requests / decode, pool)


def at(*points: Point) -> Evaluated:
    return evaluate_points(LLAMA, list(points), efficiency())


def ask(
    pool: Pool | None = None,
    on: Offer | None = None,
    workload: Workload = WORK,
    model: ModelFacts = LLAMA,
    weights: str = "fp8",
    **deployment,
):
    asked = Deployment(weights=weights, prefill=pool or Pool(), **deployment)
    return evaluate_one(model, on or offer(), workload, asked, efficiency())


def first(array) -> float:
    return float(np.asarray(array).reshape(-1)[0])


def test_serving_is_disaggregated_where_there_is_a_prefill_pool():
    assert Deployment(prefill=Pool()).serving == "disaggregated"
    assert Deployment().serving == "aggregated"


def test_a_pool_without_workers_is_refused_by_name():
    with pytest.raises(InvalidFact, match=r"prefill\.workers is 0"):
        Pool(workers=0)


def test_waiting_for_one_server_is_that_of_pollaczek_and_khinchine():
    """M/D/1 at 0.8: 0.8 / (2 x 0.2) = 2 service times."""
    assert first(queue_wait(np.array([0.8]), np.array([1.0]), np.array([0.1]))) == pytest.approx(0.2)


def test_waiting_for_two_servers_is_close_to_the_exact_value():
    """M/D/2 at 0.8: half of M/M/2's 0.8^2 / (1 - 0.8^2) = 1.778 service times is 0.889; exact M/D/2 0.9."""
    assert first(queue_wait(np.array([0.8]), np.array([2.0]), np.array([1.0]))) == pytest.approx(
        0.9, rel=0.05
    )


def test_decode_steps_carry_no_prompts():
    """TPOT is the pure decode step of the population, to which the requests before it do not belong."""
    pooled = at(point(64))
    decoding = float(pooled.in_flight[0])
    alone = at(Point(lane(4), 1, WORK, decoding))
    assert 0 < decoding < 64
    assert first(pooled.loop.tpot) == pytest.approx(first(alone.times.decode))
    assert first(pooled.loop.interference) == 0
    assert first(pooled.loop.tpot) < first(at(Point(lane(4), 1, WORK, 64)).loop.tpot)


@pytest.mark.parametrize(("requests", "workers", "decode"), [(1, 1, 1), (64, 1, 1), (300, 3, 2), (900, 1, 4)])
def test_requests_are_where_littles_law_puts_them(requests, workers, decode):
    """rate x (TTFT + 499 TPOT) is the population, and rate x 499 TPOT that of the decode workers."""
    found = at(point(requests, tp=2, prefill_tp=2, workers=workers, decode=decode))
    rate = first(found.loop.throughput) * decode / 500
    life = first(found.loop.ttft_loaded) + 499 * first(found.loop.tpot)
    assert rate * life == pytest.approx(requests, rel=1e-6)
    assert rate * 499 * first(found.loop.tpot) == pytest.approx(found.in_flight[0] * decode, rel=1e-6)


def test_one_request_waits_for_nobody():
    found = at(point(1))
    parts = found.pools.prompts
    assert first(found.loop.wait) == pytest.approx(0, abs=1e-6)
    assert first(found.loop.ttft_loaded) == pytest.approx(
        first(parts.alone) + first(parts.transfer) + first(parts.request), rel=1e-5
    )


def test_the_cache_crosses_the_scale_up_link_inside_a_domain():
    """A prompt of 1,000 tokens in FP8 is 2 x 80 layers x 8 heads x 128 x 1,000 bytes = 163.84e6, 40.96e6 on

    each of four ranks, at 450e9 bytes/s and 8 us.
    """
    found = at(point(8))
    assert first(found.pools.prompts.transfer) == pytest.approx(40.96e6 / 450e9 + 8e-6)


def test_the_cache_crosses_the_network_between_domains():
    """Two workers of eight chips do not share a domain of eight: 20.48e6 bytes a rank at 50e9 bytes/s."""
    found = at(point(8, tp=8, prefill_tp=8))
    assert first(found.pools.prompts.transfer) == pytest.approx(20.48e6 / 50e9 + 8e-6)


def test_the_fuller_rank_decides_how_long_the_cache_takes():
    """From two ranks with 81.92e6 bytes each to four with 40.96e6: the senders' links take longer."""
    found = at(point(8, tp=4, prefill_tp=2))
    assert first(found.pools.prompts.transfer) == pytest.approx(81.92e6 / 450e9 + 8e-6)


def test_the_slower_pool_limits_the_rate():
    """Long prompts and short answers: one prefill worker gives 1 / service prompts/s, two twice that."""
    long = Workload("w", 8000, 50)
    one, two = at(point(200, workload=long)), at(point(200, workload=long, workers=2))
    rate = first(one.loop.throughput) / 50
    assert rate == pytest.approx(first(one.pools.prompts.rate_limit), rel=1e-3)
    assert first(one.loop.prefill_share) == pytest.approx(1, rel=1e-3)
    assert first(two.loop.throughput) == pytest.approx(2 * first(one.loop.throughput), rel=1e-2)


def test_a_full_decode_pool_saturates():
    """More decoding requests than the cache holds: the rest wait, and the answer says how long: between what

    those see who find a place and, by Little's law, the mean of all, as the limit is an estimate itself.
    """
    answer = ask(Pool(workers=3, tp=2), tp=2, pp=1, replicas=1, concurrency=900)
    mean = 900 * 500 / answer.throughput_output_tok_s - 499 * answer.tpot_s
    assert (answer.state, answer.scenario) == ("saturated", "disaggregated")
    assert answer.ttft_s["loaded_mean"] is None
    assert answer.ttft_s["unloaded"] < answer.ttft_s["saturated_mean"] < mean
    flood = ask(Pool(workers=3, tp=2), tp=2, pp=1, replicas=1, concurrency=90_000)
    mean = 90_000 * 500 / flood.throughput_output_tok_s - 499 * flood.tpot_s
    assert flood.ttft_s["saturated_mean"] == pytest.approx(mean, rel=1e-3)


def test_what_does_not_fit_a_prefill_worker_says_so():
    """70e9 bytes of weights on one chip leave no room for a prompt of 120,000 tokens (19.7e9 bytes)."""
    answer = ask(
        Pool(workers=1, tp=1, pp=1), tp=4, replicas=1, concurrency=1, workload=Workload("w", 120_000, 10)
    )
    assert answer.state == "does_not_fit"
    assert "prefill workers" in answer.reason.detail
    assert answer.shortfall_bytes > 0


def test_prompts_of_others_share_steps_of_the_whole_budget():
    """Eight prompts of 1,000 tokens in one step of 8,192 cost less each than a step of their own."""
    parts = at(point(8)).pools.prompts
    assert first(parts.service) < first(parts.alone)


@pytest.mark.parametrize(
    ("pool", "deployment", "code", "field"),
    [
        (Pool(tp=3), {}, "tp_does_not_divide", "prefill.tp"),
        (Pool(workers=2, tp=4), {"tp": 4}, "too_many_chips", "count"),
        (Pool(workers=3, tp=4), {}, "too_many_chips", "prefill.workers"),
        (Pool(ep=2), {}, "no_experts", "prefill.ep"),
    ],
)
def test_an_impossible_pool_is_refused_with_the_rule(pool, deployment, code, field):
    answer = ask(pool, **deployment)
    assert (answer.state, answer.reason.code, answer.reason.field) == ("refused", code, field)


def test_a_static_batch_has_no_prefill_pool():
    answer = ask(workload=replace(WORK, arrival="static"), concurrency=8)
    assert answer.reason.code == "static_prefill_pool"


def test_pools_beyond_a_domain_need_a_network():
    answer = ask(Pool(workers=1, tp=8), offer(count=16), tp=8)
    assert (answer.reason.code, answer.missing_facts) == ("missing_link", ("scale_out_bandwidth",))


def test_pools_of_open_sizes_need_a_network_where_they_leave_the_domain():
    answer = ask(None, offer(count=16), concurrency=64)
    assert (answer.reason.code, answer.missing_facts) == ("missing_link", ("scale_out_bandwidth",))
    assert ask(None, offer(count=8), concurrency=64).state == "ok"


def test_open_counts_are_chosen_and_use_no_more_than_the_offer():
    answer = ask(concurrency=64)
    pool, sizes = answer.deployment["prefill"], answer.deployment
    decode = sizes["tp"] * sizes["dp"] * sizes["pp"] * sizes["replicas"]
    assert answer.state == "ok"
    assert decode + pool["tp"] * pool["dp"] * pool["pp"] * pool["workers"] == sizes["chips_used"] <= 8


def test_the_division_of_chips_is_the_best_of_all():
    """Eight chips in pairs: with one, two or three prefill workers, no division beats the one chosen."""
    chosen = ask(Pool(tp=2), tp=2, pp=1, concurrency=200)
    each = [
        ask(Pool(workers=workers, tp=2), tp=2, pp=1, replicas=4 - workers, concurrency=200)
        for workers in (1, 2, 3)
    ]
    best = max(answer.throughput_output_tok_s for answer in each)
    assert chosen.throughput_output_tok_s == pytest.approx(best)


def test_a_mixture_of_experts_is_served_from_pools_of_data_parallel_attention():
    answer = ask(
        Pool(workers=1, tp=1, dp=16, ep=16),
        offer(scaled(H100, capacity=2), 32, Link("scale_up", 450e9, None, 32), scale_out=NETWORK),
        model=DEEPSEEK,
        tp=1,
        dp=16,
        ep=16,
        replicas=1,
        concurrency=512,
    )
    assert answer.state == "ok", answer.reason
    assert answer.deployment["prefill"]["dp"] == 16


def test_the_parts_of_the_unloaded_first_token_hold_the_hand_over():
    answer = ask(Pool(workers=1, tp=4), tp=4, replicas=1, concurrency=8)
    assert answer.ttft_by_operation["handing over the cache"] == pytest.approx(40.96e6 / 450e9 + 8e-6)
    assert sum(answer.ttft_by_limit.values()) == pytest.approx(answer.ttft_s["unloaded"])


def test_pools_mix_with_other_points():
    points = [Point(lane(4), 1, WORK, 32), point(64), Point(lane(4), 1, replace(WORK, arrival="static"), 8)]
    together = at(*points)
    for index, one in enumerate(points):
        alone = at(one)
        for name in ("tpot", "ttft_loaded", "throughput", "e2e", "throughput_total"):
            mixed = np.asarray(getattr(together.loop, name)).reshape(-1)[index]
            assert mixed == pytest.approx(first(getattr(alone.loop, name)), rel=1e-9), name


laws = settings(max_examples=25, deadline=None)
loads = st.integers(1, 1500)
factors = st.floats(1.05, 8)


@laws
@given(loads, st.sampled_from([(1, 1), (2, 1), (1, 3)]), factors, st.sampled_from([100, 1000, 8000]))
def test_faster_hardware_never_serves_fewer_tokens(requests, workers, factor, isl):
    work = Workload("w", isl, 300)
    prefill, decode = workers

    def rate(chip=H100, up=NVLINK_4, out=NETWORK) -> float:
        found = at(
            point(
                requests,
                tp=2,
                prefill_tp=2,
                workers=prefill,
                decode=decode,
                workload=work,
                chip=chip,
                up=up,
                out=out,
            )
        )
        return first(found.loop.throughput)

    before = rate() * (1 - 1e-6)
    assert rate(scaled(H100, bandwidth=factor)) >= before
    assert rate(scaled(H100, compute=factor)) >= before
    assert rate(scaled(H100, capacity=factor)) >= before
    assert rate(up=Link("scale_up", 450e9 * factor, None, 8)) >= before
    assert rate(out=Link("scale_out", 50e9 * factor)) >= before


@laws
@given(loads, st.integers(1, 4))
def test_more_clients_never_lower_the_rate(requests, more):
    few, many = at(point(requests)), at(point(requests * (1 + more)))
    assert first(many.loop.throughput) >= first(few.loop.throughput) * (1 - 1e-6)
    assert first(many.loop.tpot) >= first(few.loop.tpot) * (1 - 1e-6)


@laws
@given(loads)
def test_never_faster_than_either_pool_alone(requests):
    """At most the prefill pool's prompts/s, and at most what the decode worker gives without any prompt."""
    found = at(point(requests))
    assert first(found.loop.throughput) <= 500 * first(found.pools.prompts.rate_limit) * (1 + 1e-9)
    ceiling = found.in_flight[0] / first(found.times.decode) * 500 / 499
    assert first(found.loop.throughput) <= ceiling * (1 + 1e-9)


def test_corrected_times_let_no_more_answers_through_than_the_pool_computes_prompts() -> None:
    # What was measured of TensorRT-LLM shortens first tokens by nearly half; Little's law over the shorter
    # times alone would give 1.8 times the prompts that the one prefill worker computes.
    served = Lane(Variant(H100, NVLINK_4, NETWORK), FP8, "fp8", 4, 1, 1, "trtllm")
    crowd = [
        Point(served, 1, Workload("w", 8192, 1024), n / 3, PrefillPool(served, 1, 1, 3)) for n in (64, 2048)
    ]
    evaluated = evaluate_points(LLAMA, crowd, calibrated())
    assert evaluated.pools is not None
    most = evaluated.pools.prompts.rate_limit.reshape(-1) / 3 * 1024
    assert evaluated.loop.throughput.reshape(-1)[1] == pytest.approx(most[1])
    assert (evaluated.loop.throughput.reshape(-1) <= most * (1 + 1e-12)).all()
