"""Serving beyond the closed loop: static batches, saturated states, limits of the software."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, InvalidFact, Link, ModelFacts, Workload
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.model_columns import alone
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.roofline import Ledger
from estimates.core.scenarios import chance_full
from estimates.core.step import prefill_attention_time, token_time
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import llama_70b
from tests.core.machines import A100, H100, NVLINK_4, efficiency, offer, scaled

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
FP8 = named_scheme("fp8", llama_70b())
CLOSED = Workload("w", 1000, 500)
STATIC = replace(CLOSED, arrival="static")


def lane(tp: int = 8, software: str | None = None, chunk: int | None = None, chip=H100) -> Lane:
    return Lane(Variant(chip, NVLINK_4, None), FP8, "fp8", tp, 1, 1, software, chunk)


def at(*points: Point) -> Evaluated:
    return evaluate_points(LLAMA, list(points), efficiency())


def ask(workload=STATIC, on=None, **deployment):
    return evaluate_one(LLAMA, on or offer(), workload, Deployment(weights="fp8", **deployment), efficiency())


def first(array) -> float:
    return float(np.asarray(array).reshape(-1)[0])


def test_an_unknown_arrival_is_refused_by_name():
    with pytest.raises(InvalidFact, match="arrival is 'poisson'; accepted: closed_loop, static"):
        replace(CLOSED, arrival="poisson")


def test_a_static_batch_is_prefilled_whole_in_chunks_of_the_budget():
    """32 x 1,000 tokens at 8,192 a step are 3.90625 steps of 8,192; each token attends to its own prompt

    (500 tokens on average), and a step serves 8.192 sequences.
    """
    found = at(Point(lane(chunk=8192), 1, STATIC, 32))
    built = build_lanes([lane(chunk=8192)], efficiency())
    model = alone(LLAMA.architecture)
    ledger, tokens = Ledger(), np.full((1, 1, 1), 8192.0)
    token_time(model, built, tokens, ledger)
    prefill_attention_time(model, built, tokens, np.full((1, 1, 1), 1000.0), np.zeros((1, 1, 1)), ledger)
    step = first(ledger.total) + first(built["host_step_us"]) + 8.192 * first(built["host_sequence_us"])
    step += 80 * 55e-6  # the kernels of 80 layers are launched one by one
    assert first(found.times.chunk) == 8192
    assert first(found.loop.ttft_loaded) == pytest.approx(3.90625 * step)


def test_a_small_static_batch_is_one_chunk():
    found = at(Point(lane(chunk=8192), 1, STATIC, 4))
    assert first(found.times.chunk) == 4000


def test_a_static_batch_decodes_without_prompts_at_the_mean_context():
    """TPOT is S(b, 0) of the closed loop's own pure decode step, at 1,000 + 500 / 2 tokens."""
    static = at(Point(lane(), 1, STATIC, 32))
    closed = at(Point(lane(), 1, CLOSED, 32))
    assert first(static.loop.tpot) == pytest.approx(first(closed.times.decode))
    assert first(static.loop.interference) == 0


def test_figures_of_a_static_batch_follow_from_ttft_and_tpot():
    answer = ask(tp=8, concurrency=32)
    e2e = answer.ttft_s["loaded_mean"] + 499 * answer.tpot_s
    assert (answer.state, answer.scenario) == ("ok", "static")
    assert answer.e2e_s == pytest.approx(e2e)
    assert answer.throughput_output_tok_s == pytest.approx(32 * 500 / e2e)
    assert answer.throughput_total_tok_s == pytest.approx(32 * 1500 / e2e)
    assert answer.prefill_tok_s == pytest.approx(32 * 1000 / answer.ttft_s["loaded_mean"])


def test_a_single_stream_is_alike_in_both_arrivals_but_for_the_transport():
    """One request has nothing to wait for; a server adds 44 ms to the first token under TensorRT-LLM."""
    static = ask(tp=8, concurrency=1, software="trtllm")
    closed = ask(CLOSED, tp=8, concurrency=1, software="trtllm")
    assert static.tpot_s == closed.tpot_s
    assert closed.ttft_s["unloaded"] - static.ttft_s["unloaded"] == pytest.approx(0.044)


def test_replicas_share_a_static_batch():
    """Four replicas with 8 requests each: four times the rate of one with 8, the same times."""
    four, one = ask(tp=2, replicas=4, concurrency=32), ask(tp=2, replicas=1, concurrency=8)
    assert four.e2e_s == pytest.approx(one.e2e_s)
    assert four.throughput_output_tok_s == pytest.approx(4 * one.throughput_output_tok_s)


def test_what_the_cache_does_not_hold_runs_in_further_batches_of_equal_size():
    """A batch of 2.5 times the room takes three of 5/6 of it; the mean first token waits for one of them."""
    room = at(Point(lane(2), 1, STATIC, 1)).limit[0]
    found = at(Point(lane(2), 1, STATIC, 2.5 * room))
    alone = at(Point(lane(2), 1, STATIC, 2.5 * room / 3))
    assert found.waves[0] == 3
    assert found.in_flight[0] == pytest.approx(2.5 * room / 3)
    one = first(alone.loop.e2e)
    assert first(found.loop.e2e) == pytest.approx(3 * one)
    assert first(found.loop.ttft_loaded) == pytest.approx(first(alone.loop.ttft_loaded) + one)
    assert first(found.loop.throughput) == pytest.approx(first(alone.loop.throughput))
    answer = ask(tp=2, pp=1, replicas=1, concurrency=int(2.5 * room))
    assert (answer.state, answer.reason.code) == ("saturated", "saturated")
    assert any("3 batches" in note for note in answer.assumptions)


def test_prompts_of_different_requests_fill_a_pipeline_and_those_of_one_do_not():
    """Two stages, chunks of 500: one prompt takes its two chunks in turn, eight prompts 16 two abreast,

    (16 + 2 - 1) / 2 of a chunk's time and the hops.
    """
    one, eight = at(Point(lane(4, chunk=500), 2, STATIC, 1)), at(Point(lane(4, chunk=500), 2, STATIC, 8))
    hops = first(one.loop.ttft_loaded) - 2 * first(one.times.prefill)
    assert first(eight.loop.ttft_loaded) == pytest.approx(8.5 * first(eight.times.prefill) + hops)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 300), st.floats(1.05, 8), st.sampled_from([1, 2, 4, 8]))
def test_a_static_batch_is_never_slower_on_a_faster_machine(batch, factor, tp):
    link = Link("scale_up", 450e9 * factor, None, 8)
    before = ask(tp=tp, replicas=1, concurrency=batch)
    for better in (
        offer(scaled(H100, bandwidth=factor)),
        offer(scaled(H100, compute=factor)),
        offer(scale_up=link),
        offer(scaled(H100, capacity=factor)),
    ):
        after = ask(on=better, tp=tp, replicas=1, concurrency=batch)
        if before.state == "does_not_fit":
            continue
        assert after.throughput_output_tok_s >= before.throughput_output_tok_s * (1 - 1e-9)


def test_a_mix_of_arrivals_evaluates_as_each_alone():
    points = [Point(lane(), 1, STATIC, 9), Point(lane(), 1, CLOSED, 9), Point(lane(4), 2, STATIC, 2000)]
    together = at(*points)
    for index, point in enumerate(points):
        alone = at(point)
        for name in ("tpot", "ttft_loaded", "throughput", "e2e", "prefill_tok_s"):
            mixed = np.asarray(getattr(together.loop, name)).reshape(-1)[index]
            assert mixed == pytest.approx(first(getattr(alone.loop, name))), name


def test_an_open_static_batch_is_the_best_that_the_cache_holds():
    answer = ask(tp=8)
    assert answer.state == "ok"
    assert answer.throughput_output_tok_s >= max(
        ask(tp=8, concurrency=batch).throughput_output_tok_s for batch in (1, 64, 512)
    )


# ---- Saturated closed loops ------------------------------------------------------------------------------


def test_a_saturated_loop_says_what_its_clients_see_by_littles_law():
    """5,000 clients, far more than fit: 5,000 x OSL / throughput - (OSL - 1) TPOT, the queue included."""
    answer = ask(CLOSED, tp=2, concurrency=5000)
    mean = 5000 * 500 / answer.throughput_output_tok_s - 499 * answer.tpot_s
    assert (answer.state, answer.ttft_s["loaded_mean"]) == ("saturated", None)
    assert answer.ttft_s["saturated_mean"] == pytest.approx(mean, rel=1e-3)
    assert answer.e2e_s == pytest.approx(5000 * 500 / answer.throughput_output_tok_s, rel=1e-3)
    assert any("saturated_mean" in note for note in answer.assumptions)


def test_the_chance_of_a_full_cache_grows_with_the_load_and_is_vague_where_weights_fill_the_memory():
    """110 of 100 places: ln 1.1 = 0.09531. Half the budget left: spread 0.1 + 0.05 / 0.5 = 0.2, z = 0.4766,

    1 / (1 + exp(-1.702 z)) = 0.6923. A twentieth left: spread 1.1, z = 0.08665, 0.5368. At the limit 0.5.
    """
    asked, limit = np.array([110.0, 110.0, 100.0]), np.array(100.0)
    found = chance_full(asked, limit, np.array([0.5, 0.05, 0.5]))
    assert found == pytest.approx([0.6923, 0.5368, 0.5], abs=1e-4)


def test_just_above_capacity_the_mean_lies_between_running_and_queueing_in_the_logarithm():
    room = float(at(Point(lane(2), 1, CLOSED, 1)).limit[0])
    found = at(Point(lane(2), 1, CLOSED, 1.05 * room))
    loop = found.loop
    loaded, decoding = first(loop.ttft_loaded), 499 * first(loop.tpot)
    queued = 1.05 * room * 500 / first(loop.throughput) - decoding
    chance = np.log(first(loop.ttft_saturated) / loaded) / np.log(queued / loaded)
    share = found.usable[0] / (found.usable[0] + found.weights[0])
    assert queued > loaded
    assert chance == pytest.approx(first(chance_full(np.array(1.05), np.array(1.0), np.array(share))))


def test_a_limit_of_the_software_is_certain():
    """3,000 requests where vLLM runs 1,024: Little's law alone, whatever room the cache has."""
    found = at(Point(lane(8, "vllm"), 1, Workload("w", 32, 32), 3000))
    loop = found.loop
    mean = 3000 * 32 / first(loop.throughput) - 31 * first(loop.tpot)
    assert first(loop.ttft_saturated) == pytest.approx(mean)


def test_below_capacity_no_saturated_mean_is_given():
    assert "saturated_mean" not in ask(CLOSED, tp=8, concurrency=8).ttft_s


def test_total_throughput_counts_prompts_too():
    """1,000 tokens in for 500 out: three times the output rate."""
    answer = ask(CLOSED, tp=8, concurrency=8)
    assert answer.throughput_total_tok_s == pytest.approx(3 * answer.throughput_output_tok_s)
    assert answer.prefill_tok_s == pytest.approx(2 * answer.throughput_output_tok_s)


def test_software_runs_no_more_sequences_than_its_limit():
    """vLLM takes 1,024 sequences on parts of 70 GiB and more, 256 on smaller ones; TensorRT-LLM 2,048."""
    short = Workload("w", 32, 32)
    small = scaled(A100, capacity=0.5)
    limits = [
        at(Point(lane(8, software, chip=chip), 1, short, 10_000)).in_flight[0]
        for software, chip in (("vllm", H100), ("vllm", small), ("trtllm", H100))
    ]
    assert limits == [1024, 256, 2048]


def test_requests_beyond_the_softwares_limit_wait_for_a_place():
    short = Workload("w", 32, 32)
    answer = ask(short, tp=8, concurrency=3000, software="vllm")
    assert answer.state == "saturated"
    assert "place in the batch" in answer.reason.detail
    assert answer.reason.accepted == ("concurrency <= 1024",)


def test_an_open_concurrency_reaches_the_most_that_is_admitted():
    """Saturating load: with room for more than the largest usual batch below it, that room is tried too."""
    answer = ask(CLOSED, tp=2, pp=1, replicas=1)
    room = int(0.87 * at(Point(lane(2), 1, CLOSED, 1)).capacity[0])
    assert answer.state == "ok"
    assert answer.concurrency == room
