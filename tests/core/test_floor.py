"""The floor of a token: the bytes that a decoding step touches over the datasheet's bandwidth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimates.core.architecture import Attention, MixtureOfExperts
from estimates.core.facts import ModelFacts, Workload
from estimates.core.floor import decode_floor_s
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.model_columns import alone
from estimates.core.points import Point, evaluate_points
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import llama_70b
from tests.core.kinds import GQA, KINDS, decoder
from tests.core.machines import H100, NVLINK_4, ideal, physics, scaled

SMALL = decoder(GQA, feed_forwards=(MixtureOfExperts(64, 4, 1024),))


def floor(architecture, scheme="bf16", batch=1.0, context=0.0, tp=1, dp=1, ep=1, chip=H100) -> float:
    one = Lane(Variant(chip, NVLINK_4, None), named_scheme(scheme, architecture), scheme, tp, dp, ep, "vllm")
    lanes = build_lanes([one], physics())
    found = decode_floor_s(alone(architecture), lanes, np.full((1, 1, 1), batch), np.full((1, 1, 1), context))
    return float(found.reshape(-1)[0])


def test_a_dense_model_reads_its_weights_and_the_cache_once():
    """Llama 70B in FP8 on 8 H100, 4 sequences at 1,000 tokens.

    A layer: query and output 2 x 8192 x 8192, key and value 2 x 8192 x 1024, feed-forward 3 x 8192 x 28672:
    855,638,016 bytes; 80 of them over 8 ranks 8,556,380,160; the head in 16 bit 2 x 8192 x 128256 / 8 =
    262,668,288. The cache: one head of a rank, 256 bytes a token and layer, 80 layers, 4,000 tokens:
    81,920,000. In all 8,900,968,448 bytes at 3,350 GB/s.
    """
    found = floor(llama_70b(), "fp8", batch=4, context=1000, tp=8)
    assert found == pytest.approx(8_900_968_448 / 3350e9)


def test_of_the_experts_the_distinct_ones_are_read():
    """24 layers of width 2048. Query and output 2 x 2048 x 2048, key and value 2 x 2048 x 512, router

    2048 x 64; an expert 3 x 2048 x 1024. Ten tokens choose 4 of 64 each: with the routing skew s of the data
    64 (1 - (60/64)^(10 s)) are distinct. The head 2048 x 32000. All in 16 bit, no cache.
    """
    skew = physics().coefficient("routing_skew")
    distinct = 64 * (1 - (60 / 64) ** (10 * skew))
    layer = 2 * 2048 * 2048 + 2 * 2048 * 512 + 2048 * 64 + distinct * 3 * 2048 * 1024
    expected = 2 * (24 * layer + 2048 * 32000) / 3350e9
    assert floor(SMALL, batch=10) == pytest.approx(expected)


def test_tokens_of_all_attention_ranks_choose_the_experts_of_a_rank():
    """10 tokens on each of 4 ranks are 40 that choose; a rank holds and reads a quarter of the distinct."""
    skew = physics().coefficient("routing_skew")
    one, spread = floor(SMALL, batch=10), floor(SMALL, batch=10, dp=4, ep=4)
    expert = 24 * 2 * 3 * 2048 * 1024 / 3350e9
    before = 64 * (1 - (60 / 64) ** (10 * skew))
    after = 64 * (1 - (60 / 64) ** (40 * skew)) / 4
    assert one - spread == pytest.approx((before - after) * expert)


def test_a_window_bounds_the_cache_that_is_read():
    """24 layers, 4 heads of 128 + 128 in 16 bit: 2,048 bytes a token and layer; of 100,000 tokens 1,024."""
    windowed = decoder(replace(Attention(16, 4, 128, 128), window=1024))
    more = floor(windowed, context=100_000) - floor(windowed)
    assert more == pytest.approx(24 * 2048 * 1024 / 3350e9)


def test_twice_the_bandwidth_is_half_the_floor():
    assert floor(SMALL, chip=scaled(H100, bandwidth=2)) == pytest.approx(floor(SMALL) / 2)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_physics_never_beats_the_floor(kind: str):
    """Not even where all of every peak is reached and nothing takes time to start."""
    model = ModelFacts(kind, KINDS[kind])
    one = Lane(Variant(H100, NVLINK_4, None), named_scheme("bf16", KINDS[kind]), "bf16", 1, 1, 1, "vllm")
    points = [Point(one, 1, Workload("w", 1000, 200), load) for load in (1, 16, 128)]
    for table in (physics(), ideal()):
        found = evaluate_points(model, points, table)
        least = decode_floor_s(found.models, found.lanes, found.loop.running, np.array(1100.0))
        assert (found.loop.tpot >= least * (1 - 1e-9)).all()
