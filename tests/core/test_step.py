"""Times of operations and steps: each formula with its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimates.core.collectives import all_reduce_s, all_to_all_s
from estimates.core.efficiency import CollectiveFit
from estimates.core.facts import ModelFacts, Workload
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.model_columns import alone
from estimates.core.operations import CacheRead, Experts
from estimates.core.points import Point, evaluate_points
from estimates.core.roofline import Ledger, smooth_maximum
from estimates.core.step import decode_time, distinct_experts, prefill_attention_time, token_time
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import H100, NVLINK_4, efficiency, ideal

ONE = np.ones((1, 1, 1))
LOCKSTEP = ("rank_lockstep_share", "software", "trtllm")


def lanes(architecture, table, tp=1, dp=1, ep=1, scheme="fp8", kv="fp8"):
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme(scheme, architecture), kv, tp, dp, ep)
    return build_lanes([lane], table)


@pytest.mark.parametrize(
    ("p", "expected"),
    [(1.0, 7.0), (2.0, 5.0), (64.0, 4.0)],  # 3 + 4; sqrt(9 + 16); the larger
)
def test_the_smooth_corner_of_the_roofline(p, expected):
    value = smooth_maximum(np.array([3.0]), np.array([4.0]), np.array([p]))
    assert value[0] == pytest.approx(expected, rel=1e-3)


def test_all_reduce_of_a_decode_batch_on_eight_h100():
    # 64 tokens x 8192 x 2 B = 1,048,576 B; 2 x 7/8 of it over 0.67 of 450 GB/s, after 3.5 us.
    payload = np.array([64 * 8192 * 2.0])
    seconds = all_reduce_s(payload, np.array([8.0]), np.array([3.5e-6]), np.array([1 / (0.67 * 450e9)]))
    assert seconds[0] == pytest.approx(3.5e-6 + 1_835_008 / 301.5e9, rel=1e-12)
    assert seconds[0] == pytest.approx(9.586e-6, rel=1e-3)


def test_collectives_cost_nothing_on_one_rank():
    one = np.array([1.0])
    assert all_reduce_s(one, one, one, one)[0] == 0
    assert all_to_all_s(one, one, one, one)[0] == 0


def test_collective_figures_are_interpolated_over_ranks():
    fit = CollectiveFit((2, 8), (3e-6, 5e-6), (0.6, 0.7), 0, "")
    assert fit.at(4) == pytest.approx((4e-6, 0.65))
    assert fit.at(32) == pytest.approx((7e-6, 0.7))  # alpha grows on by 1 us a doubling, the share does not
    assert fit.at(1) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("tokens", "skew", "expected"),
    [
        (1, 0.8, 8.0),  # one token passes its top 8
        (2, 1.0, 256 * (1 - (248 / 256) ** 2)),
        (10, 0.8, 256 * (1 - (248 / 256) ** 8)),
        (100_000, 0.8, 256.0),
    ],
)
def test_distinct_experts(tokens, skew, expected):
    found = distinct_experts(Experts(256, 8, 7168, 2048, 3), np.array([float(tokens)]), np.array([skew]))
    assert found[0] == pytest.approx(expected, rel=1e-9)


def test_decode_floor_of_llama_70b_on_one_h100():
    """Bare bandwidth: all matrices but the embedding once, the cache once, activations besides."""
    model = alone(llama_70b())
    found = lanes(llama_70b(), ideal())
    ledger = Ledger()
    token_time(model, found, ONE, ledger)
    decode_time(model, found, ONE, 1500 * ONE, ledger)
    matrices = 80 * (150_994_944 + 704_643_072) + 128_256 * 8192 * 2  # FP8 layers, 16-bit head
    cache = 1500 * 2 * 8 * 128 * 80
    floor = (matrices + cache) / 3350e9
    assert floor == pytest.approx(21.13e-3, rel=1e-3)
    assert floor <= ledger.total[0, 0, 0] <= floor * 1.002  # activations of one token


def test_prefill_floor_of_llama_70b_is_its_arithmetic():
    """8192 tokens at peak: 2 FLOP a layer parameter and token; causal attention on half the prompt."""
    model = alone(llama_70b())
    found = lanes(llama_70b(), ideal())
    ledger = Ledger()
    tokens = 8192 * ONE
    token_time(model, found, tokens, ledger)
    prefill_attention_time(model, found, tokens, tokens, 0 * ONE, ledger)
    linear = 2 * 8192 * 80 * (150_994_944 + 704_643_072) / 1979e12
    attention = 80 * 8192 * 4096 * 64 * 2 * 256 / 989e12
    assert ledger.total[0, 0, 0] == pytest.approx(linear + attention, rel=0.01)


def test_data_parallel_attention_exchanges_tokens_instead_of_reducing():
    model = alone(deepseek_v3())
    for layout, present, absent in (
        ({"tp": 8}, "all-reduce", "expert dispatch and combine"),
        ({"dp": 8, "ep": 8}, "expert dispatch and combine", "all-reduce"),
    ):
        ledger = Ledger(detailed=True)
        token_time(model, lanes(deepseek_v3(), efficiency(), **layout), 32 * ONE, ledger)
        assert float(ledger.operations[present].max()) > 0
        assert float(ledger.operations[absent].max()) == 0


def test_windows_sparsity_and_compression_bound_what_is_read():
    plain = {"heads": 8, "kv_heads": 8, "entry": 128, "latent": 0, "decode_flop": 1, "prefill_flop": 1}
    context = np.array([100.0, 10_000.0])
    assert CacheRead(**plain).attended(context).tolist() == [100, 10_000]
    assert CacheRead(**plain, window=128).attended(context).tolist() == [100, 128]
    assert CacheRead(**plain, top_k=2048).attended(context).tolist() == [100, 2048]
    # 4 tokens an entry, the best 512 of them, and 128 recent tokens uncompressed
    compressed = CacheRead(**plain, compression=4, top_k=512, window=128)
    assert compressed.attended(context).tolist() == [25 + 100, 512 + 128]
    assert CacheRead(**plain, fixed_tokens=1601).attended(context).tolist() == [1601, 1601]


def test_parts_of_a_ledger_add_up():
    ledger = Ledger(detailed=True)
    token_time(alone(llama_70b()), lanes(llama_70b(), efficiency(), tp=8), 64 * ONE, ledger)
    decode_time(alone(llama_70b()), lanes(llama_70b(), efficiency(), tp=8), 64 * ONE, 1500 * ONE, ledger)
    total = ledger.total[0, 0, 0]
    assert sum(float(part.max()) for part in ledger.operations.values()) == pytest.approx(total, rel=1e-9)
    assert sum(float(part.max()) for part in ledger.limits.values()) == pytest.approx(total, rel=1e-9)


def test_tokens_behind_a_cached_prefix_attend_to_all_of_it():
    # 1,000 new tokens after 8,000 cached ones stand at 8,500 in the mean, against 500 without the prefix: 17
    # times the arithmetic of attention, and the share of the peak is that of the 1,000 that are computed.
    found = lanes(llama_70b(), ideal())
    tokens = 1000 * ONE
    whole, behind = Ledger(), Ledger()
    prefill_attention_time(alone(llama_70b()), found, tokens, tokens, 0 * ONE, whole)
    prefill_attention_time(alone(llama_70b()), found, tokens, tokens, 8000 * ONE, behind)
    assert behind.total == pytest.approx(17 * whole.total)


@pytest.mark.parametrize(("software", "mixes", "share"), [("vllm", True, 1.0), ("sglang", False, 0.77)])
def test_prompts_of_others_cost_what_they_add_to_a_step_or_a_step_of_their_own(software, mixes, share):
    """Interference = f (b - 1) ISL / (OSL m) x [S(b, m) - S(b, 0)], or x S(0, m) where prompts run alone."""
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", llama_70b()), "fp8", 8, 1, 1, software)
    point = Point(lane, 1, Workload("w", 1024, 512), 33)
    found = evaluate_points(ModelFacts("llama", llama_70b()), [point], efficiency())
    cost = found.times.chunk_extra if mixes else found.times.prefill
    expected = share * 32 / 512 * cost
    assert found.loop.interference.item() == pytest.approx(expected.item())
    assert found.times.prefill.item() > found.times.chunk_extra.item()  # weights are read once more


def test_a_prompts_step_waits_for_the_launches_of_its_kernels():
    """80 dense layers at 55 us: 4.4 ms in a prompt's own step, none in a decode step."""
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", llama_70b()), "fp8", 8, 1, 1, "vllm")
    point = Point(lane, 1, Workload("w", 1024, 512), 33)
    found = evaluate_points(ModelFacts("llama", llama_70b()), [point], efficiency(), detailed=True).times
    assert found.chunk_ledger.operations["kernel launches"].item() == pytest.approx(80 * 55e-6)
    assert "kernel launches" not in found.decode_ledger.operations


def test_the_wave_of_equal_requests_grows_with_a_power_of_the_others():
    """SGLang, 33 requests: 2.2 x 32^0.66 / 2 = 10.83 prompts, of 32 that could stand before the last."""
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", llama_70b()), "fp8", 8, 1, 1, "sglang")
    found = evaluate_points(
        ModelFacts("llama", llama_70b()), [Point(lane, 1, Workload("w", 1024, 512), 33)], efficiency()
    )
    prompts = found.loop.burst.item() / found.times.prefill.item()
    assert prompts == pytest.approx(10.834, rel=1e-3)


def test_attention_ranks_that_step_together_meet_each_others_prompts():
    """64 requests on eight ranks are 8 each: 7 others. In lockstep 63: (63 / 7)^0.7 = 4.656 times the wave.

    TensorRT-LLM holds prompts back until ranks are balanced (share 1); without, the share would be 0.
    """
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", llama_70b()), "fp8", 1, 8, 1, "trtllm")
    model, point = ModelFacts("llama", llama_70b()), Point(lane, 1, Workload("w", 1024, 512), 64)
    table = efficiency()
    apart = replace(table, cache={}, coefficients={**table.coefficients, LOCKSTEP: 0.0})
    found = [evaluate_points(model, [point], one).loop.burst.item() for one in (table, apart)]
    assert found[0] / found[1] == pytest.approx(4.656, rel=1e-3)


def test_a_second_request_never_takes_longer_than_after_the_first():
    """Two long prompts with short answers: one after the other, then both answers, is a schedule to beat."""
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", llama_70b()), "fp8", 8, 1, 1)
    work = Workload("w", 32_000, 16)
    points = [Point(lane, 1, work, load) for load in (1, 2)]
    loop = evaluate_points(ModelFacts("llama", llama_70b()), points, efficiency()).loop
    one, two = loop.throughput.reshape(-1)
    assert two >= one * 0.95  # the first wave of a run is in the mean
