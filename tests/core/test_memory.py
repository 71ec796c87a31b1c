"""Weights, cache and budget of one rank, against numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.kv_cache import kv_bytes, kv_terms
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import group_bytes, parameters_by_group, rank_memory
from estimates.core.model_columns import alone
from estimates.core.parameters import count_parameters
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import architectures, deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.machines import GROQ, H100, NVLINK_4, efficiency

H100_NODE = Variant(H100, NVLINK_4, None)


def memory_of(architecture, scheme="fp8", kv="fp8", tp=1, dp=1, ep=1, variant=H100_NODE):
    lane = Lane(variant, named_scheme(scheme, architecture), kv, tp, dp, ep)
    return rank_memory(alone(architecture), build_lanes([lane], efficiency()))


# Llama 3.1 70B: 80 layers of 8192 (64 + 2 x 8) 128 + 8192 x 8192 = 150,994,944 in attention and
# 3 x 8192 x 28672 = 704,643,072 in the feed-forward; embedding and head 128,256 x 8192 each; norms
# 80 x 16,384 + 8192.
LAYERS = 80 * (150_994_944 + 704_643_072)
TABLE = 128_256 * 8192
NORMS = 80 * 16_384 + 8192


def test_fp8_weights_of_llama_70b():
    expected = LAYERS * 1 + 2 * TABLE * 2 + NORMS * 2
    assert expected == 72_656_371_712
    assert sum(group_bytes(llama_70b(), named_scheme("fp8", llama_70b())).values()) == expected


def test_tensor_parallelism_divides_matrices_and_copies_norms():
    memory = memory_of(llama_70b(), tp=8)
    weights = memory.stage_weights(np.ones(1), 80)[0]
    assert weights == pytest.approx(LAYERS / 8 + 2 * TABLE * 2 / 8 + NORMS * 2, rel=1e-12)


@pytest.mark.parametrize(
    ("tp", "kv", "per_token"),
    [
        (1, "bf16", 2 * 8 * 128 * 80 * 2),  # 327,680 B, the published figure
        (1, "fp8", 2 * 8 * 128 * 80),
        (8, "fp8", 2 * 1 * 128 * 80),  # one key-value head a rank
        (16, "fp8", 2 * 1 * 128 * 80),  # 8 heads on 16 ranks: each is held twice
    ],
)
def test_cache_a_token_on_a_rank(tp, kv, per_token):
    assert memory_of(llama_70b(), kv=kv, tp=tp).growing[0] == per_token


def test_the_latent_is_held_by_every_rank():
    # 61 layers x (512 + 64) elements, whatever the tensor-parallel size.
    assert memory_of(deepseek_v3(), kv="bf16", tp=8).growing[0] == 61 * 576 * 2


def test_replicated_key_value_heads_enlarge_attention_weights():
    # At TP 16 each rank projects 64/16 query heads and 1 of 8 key and value heads: 8192 x (4 + 2) x 128
    # inputs and 4 x 128 x 8192 outputs, FP8.
    expected = 80 * 8192 * 128 * (4 + 2 + 4)
    assert memory_of(llama_70b(), tp=16).split["attention"][0] == pytest.approx(expected, rel=1e-12)


def test_experts_are_divided_over_the_stage_under_data_parallel_attention():
    routed = 58 * 256 * 3 * 7168 * 2048
    memory = memory_of(deepseek_v3(), "fp8", dp=8, ep=8)
    assert memory.split["routed_experts"][0] == routed / 8
    assert memory.split["attention"][0] == parameters_by_group(deepseek_v3())["attention"]


def test_a_pipeline_stage_holds_its_layers_and_one_end():
    memory = memory_of(llama_70b())
    by_stage = memory.stage_weights(np.full(1, 4.0), 80)[0]
    assert by_stage == pytest.approx((LAYERS + NORMS * 2) / 4 + 2 * TABLE, rel=1e-12)


def test_unequal_stages_take_the_fullest():
    # 80 layers on 3 stages: 27, 27 and 26.
    memory = memory_of(llama_70b())
    by_stage = memory.stage_weights(np.full(1, 3.0), 80)[0]
    assert by_stage == pytest.approx((LAYERS + NORMS * 2) * 27 / 80 + 2 * TABLE, rel=1e-12)


def test_sram_machines_spread_evenly_below_a_layer():
    memory = memory_of(llama_70b(), variant=Variant(GROQ, None, None))
    spread = memory.stage_weights(np.full(1, 576.0), 80)[0]
    assert spread == pytest.approx((LAYERS + 4 * TABLE + NORMS * 2) / 576, rel=1e-12)


def test_the_budget_is_the_usable_share_of_what_the_device_reports():
    memory = memory_of(llama_70b())
    assert memory.capacity[0] == 85_520_809_984
    assert memory.budget[0] == pytest.approx(0.9 * 85_520_809_984)


def test_reported_usable_capacity_replaces_the_printed_one():
    tier = replace(H100.memory, usable_bytes=80e9)
    chip = replace(H100, tiers=(tier,))
    assert memory_of(llama_70b(), variant=Variant(chip, NVLINK_4, None)).capacity[0] == 80e9


@settings(max_examples=30, deadline=None)
@given(architectures)
def test_one_counter_of_parameters(architecture):
    counted = count_parameters(architecture)
    assert sum(parameters_by_group(architecture).values()) == counted.total


@settings(max_examples=30, deadline=None)
@given(architectures, st.integers(0, 200_000))
def test_one_rank_caches_what_the_kv_terms_say(architecture, context):
    memory = memory_of(architecture, "bf16", "bf16")
    expected = kv_bytes(kv_terms(architecture), context, 2.0, source_tokens=architecture.cross_tokens or 0)
    assert memory.cache(np.full(1, float(context)))[0] == pytest.approx(float(expected), rel=1e-9)


@pytest.mark.parametrize(
    "architecture", [llama_70b(), deepseek_v3(), gpt_oss_120b()], ids=["gqa", "mla", "moe"]
)
def test_a_step_multiplies_with_the_matrices_that_are_stored(architecture):
    model = lower(architecture)
    one = np.ones(1)
    multiplied = sum(count * float(gemm.n(one)[0] * gemm.inner(one)[0]) for gemm, count in model.gemms)
    multiplied += sum(
        count * block.experts * block.matrices * block.width * block.intermediate
        for block, count in model.experts
    )
    groups = count_parameters(architecture).by_group
    matrices = ("mixer", "dense_ffn", "routed_experts", "shared_experts", "router")
    vectors = sum(
        group.count
        * (
            getattr(block, "extra_parameters", 0)
            + getattr(block, "experts", 0) * getattr(block, "expert_extra_parameters", 0)
        )
        for group in architecture.layers
        for block in group.feed_forwards
    )
    assert multiplied == sum(groups[name] for name in matrices) - vectors
