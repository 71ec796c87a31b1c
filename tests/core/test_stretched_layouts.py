"""Deployments beyond what a search tries: padded heads, uneven experts, wide stages; rules of memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimates.core.efficiency import EfficiencyTable
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, Link, ModelFacts, Workload
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import rank_memory
from estimates.core.model_columns import alone
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.machines import CHAT, H100, NVLINK_4, efficiency, offer

LLAMA = ModelFacts("llama-3.1-70b", llama_70b())
DEEPSEEK = ModelFacts("deepseek-v3", deepseek_v3())
NETWORK = Link("scale_out", 50e9)
HOST_BUS = Link("pcie", 63e9, None, 8, "host")


def ask(model=LLAMA, on=None, workload=CHAT, **deployment):
    return evaluate_one(model, on or offer(), workload, Deployment(**deployment), efficiency())


def memory_of(architecture, software=None, *, table: EfficiencyTable | None = None, tp=1, dp=1, ep=1):
    lane = Lane(Variant(H100, NVLINK_4, None), named_scheme("fp8", architecture), "fp8", tp, dp, ep, software)
    return rank_memory(alone(architecture), build_lanes([lane], table or efficiency()))


# ---- Heads -----------------------------------------------------------------------------------------------


def test_software_that_pads_heads_takes_a_size_that_does_not_divide_them():
    answer = ask(weights="fp8", tp=6, software="neuron", concurrency=1)
    assert answer.state == "ok", answer.reason
    # 64 heads over 6 ranks: 11 on each.
    assert "heads are padded: each of 6 tensor ranks holds 11 of 64" in answer.assumptions


@pytest.mark.parametrize("software", ["vllm", "sglang", "trtllm", None])
def test_other_software_refuses_it(software):
    assert ask(tp=6, software=software).reason.code == "tp_does_not_divide"


def test_a_padded_rank_projects_whole_heads():
    # Of 64 heads 11 on each of 6 ranks, and 2 of 8 key-value heads: 8192 x (11 + 2 x 2) x 128 elements in.
    gemms = [gemm for gemm, _ in lower(llama_70b()).gemms if gemm.group == "attention" and gemm.kv_heads]
    assert [float(gemm.n(np.array(6.0))) for gemm in gemms] == [pytest.approx((11 + 2 * 2) * 128)]


# ---- Experts ---------------------------------------------------------------------------------------------


def test_every_rank_has_room_for_the_experts_of_the_fullest():
    routed = 58 * 256 * 3 * 7168 * 2048
    # 256 experts over 36 ranks: 8 on each, as much as on each of 32.
    assert memory_of(deepseek_v3(), dp=36, ep=36).split["routed_experts"][0] == pytest.approx(routed / 32)


def test_experts_that_do_not_divide_evenly_are_answered_and_said():
    wide = offer(count=36, scale_up=replace(NVLINK_4, domain_size=72))
    answer = ask(DEEPSEEK, wide, weights="fp8", tp=1, dp=36, ep=36, concurrency=36)
    assert answer.state == "ok", answer.reason
    said = "each of 36 ranks has room for 8 of 256 experts, 32 of the places hold copies"
    assert said in answer.assumptions


def test_there_are_no_more_expert_ranks_than_experts():
    wide = offer(count=288, scale_up=replace(NVLINK_4, domain_size=288))
    reason = ask(DEEPSEEK, wide, weights="fp8", tp=1, dp=288, ep=288).reason
    assert (reason.code, reason.accepted) == ("ep_does_not_divide", ("1 to 256",))


def test_fewer_expert_ranks_than_chips_shard_each_expert():
    answer = ask(DEEPSEEK, offer(count=16, scale_out=NETWORK), weights="fp8", tp=8, ep=4, pp=2, concurrency=8)
    assert answer.state == "ok", answer.reason
    assert (answer.deployment["tp"], answer.deployment["ep"], answer.deployment["dp"]) == (8, 4, 1)


# ---- Links -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "named"), [(NETWORK, "the network between servers"), (HOST_BUS, "the host bus")]
)
def test_a_stage_wider_than_the_domain_is_held_up_by_the_slower_link(link, named):
    narrow = replace(NVLINK_4, domain_size=2)
    bridged = ask(on=offer(scale_up=narrow, scale_out=link), weights="fp8", tp=8, concurrency=8)
    whole = ask(weights="fp8", tp=8, concurrency=8)
    assert bridged.state == "ok", bridged.reason
    assert bridged.tpot_s > whole.tpot_s
    assert any(note.endswith(f"run at the speed of {named}") for note in bridged.assumptions)


def test_a_search_stays_within_the_domain():
    answer = ask(on=offer(count=16, scale_out=NETWORK), weights="fp8", concurrency=8)
    assert answer.deployment["tp"] * answer.deployment["dp"] <= 8


# ---- Context ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arrival", ["static", "saturating"])
def test_a_benchmark_runs_beyond_the_trained_context_and_says_so(arrival):
    long = Workload("long", 131_072, 1000, arrival=arrival)
    answer = ask(workload=long, weights="fp8", tp=8, concurrency=1)
    assert answer.state == "ok", answer.reason
    assert any(note.startswith("beyond the trained context of 131072 tokens") for note in answer.assumptions)


def test_the_last_token_of_an_answer_takes_no_position():
    assert ask(workload=Workload("full", 131_000, 73), weights="fp8", tp=8).state == "ok"
    assert ask(workload=Workload("over", 131_000, 74), tp=8).reason.code == "context_too_long"


# ---- Memory ----------------------------------------------------------------------------------------------


def with_shares(**shares: float) -> EfficiencyTable:
    table = efficiency()
    own = {(name, "any", ""): value for name, value in shares.items()}
    kept = {key: value for key, value in table.coefficients.items() if key[0] not in shares}
    return replace(table, coefficients=kept | own, cache={})


def test_a_share_of_the_whole_and_a_share_of_what_is_free():
    one = np.ones(1)
    whole = memory_of(llama_70b(), tp=8, table=with_shares(usable_share=0.9, cache_share=1.0))
    free = memory_of(llama_70b(), tp=8, table=with_shares(usable_share=1.0, cache_share=0.9))
    weights = whole.stage_weights(one, 80)[0]
    held = weights * 1.01 + 1e9 + 8192 * 8192 * 10
    assert whole.usable(one, 80)[0] == pytest.approx(0.9 * 85_520_809_984 - held)
    assert free.usable(one, 80)[0] == pytest.approx(0.9 * (85_520_809_984 - held))


def test_what_does_not_fit_falls_short_by_the_whole_amount():
    # 16-bit weights would be halved by no share of what is free: nothing is.
    memory = memory_of(llama_70b(), table=with_shares(usable_share=0.5, cache_share=0.9))
    weights = memory.stage_weights(np.ones(1), 80)[0]
    held = weights * 1.01 + 1e9 + 8192 * 8192 * 10
    assert memory.usable(np.ones(1), 80)[0] == pytest.approx(0.5 * 85_520_809_984 - held)


def test_software_comes_before_the_kind_of_chip_and_after_the_chip():
    table = efficiency()
    table = replace(
        table,
        coefficients=table.coefficients
        | {
            ("usable_share", "kind", "gpu"): 0.5,
            ("usable_share", "software", "x"): 0.6,
            ("usable_share", "software", "y"): 0.6,
            ("usable_share", "chip", "other"): 0.7,
        },
    )
    assert table.coefficient("usable_share", H100) == 0.5
    assert table.coefficient("usable_share", H100, "x") == 0.6
    assert table.coefficient("usable_share", replace(H100, slug="other"), "x") == 0.7


def test_the_ends_of_an_uneven_pipeline_have_a_layer_less():
    memory = memory_of(llama_70b())
    layer, end = memory.layers[0] / 80, memory.ends[0]
    # 80 layers on 6 stages: two of 14 and four of 13; embedding and head lie on two of the latter.
    assert memory.stage_weights(np.array([6.0]), 80)[0] == pytest.approx(max(14 * layer, 13 * layer + end))
    # On 8 stages of 10 layers each both ends come on top.
    assert memory.stage_weights(np.array([8.0]), 80)[0] == pytest.approx(10 * layer + end)
