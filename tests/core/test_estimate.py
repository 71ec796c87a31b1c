"""One question, one answer: states, reasons, layouts, explanation."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, Link, ModelFacts, Workload
from estimates.core.grid import best_deployments
from tests.core.architectures import deepseek_v3, gpt_oss_120b, llama_70b
from tests.core.kinds import KINDS
from tests.core.machines import (
    CHAT,
    GROQ,
    H100,
    MI300X,
    NVLINK_4,
    UNKNOWN_BANDWIDTH,
    WSE3,
    efficiency,
    offer,
    scaled,
)

LLAMA = ModelFacts("llama-3.1-70b-instruct", llama_70b())
DEEPSEEK = ModelFacts("deepseek-v3", deepseek_v3())
GPT_OSS = ModelFacts("gpt-oss-120b", gpt_oss_120b())


def ask(model=LLAMA, on=None, workload=CHAT, **deployment):
    return evaluate_one(model, on or offer(), workload, Deployment(**deployment), efficiency())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tp", [1, 8])
def test_every_architecture_kind_is_estimated(kind, tp):
    answer = ask(ModelFacts(kind, KINDS[kind]), weights="bf16", tp=tp, concurrency=8)
    assert answer.state == "ok", answer.reason
    assert 0 < answer.tpot_s < 0.1
    assert 0 < answer.ttft_s["unloaded"] < 1
    assert answer.throughput_output_tok_s > 0


@pytest.mark.parametrize("role", ["encoder", "embedding", "speech", "vision", "encoder_decoder"])
def test_what_generates_no_text_is_refused(role):
    answer = ask(replace(LLAMA, architecture=replace(llama_70b(), role=role)))
    assert (answer.state, answer.reason.code) == ("refused", "not_a_generator")


@pytest.mark.parametrize(
    ("deployment", "code", "field"),
    [
        ({"tp": 3}, "tp_does_not_divide", "tp"),  # 64 heads
        ({"tp": 16}, "too_many_chips", "count"),
        ({"tp": 8, "replicas": 2}, "too_many_chips", "count"),
        ({"tp": 8, "ep": 8}, "no_experts", "ep"),
        ({"tp": 1, "dp": 8}, "no_experts", "dp"),
        ({"pp": 81}, "pp_exceeds_layers", "pp"),
        ({"weights": "fp3"}, "unknown_format", "weights"),
        ({"kv_format": "fp3"}, "unknown_format", "weights"),
        ({"software": "abacus"}, "unknown_software", "software"),
    ],
)
def test_an_impossible_deployment_is_refused_with_its_reason(deployment, code, field):
    answer = ask(**deployment)
    assert (answer.state, answer.reason.code, answer.reason.field) == ("refused", code, field)
    assert answer.tpot_s is None


def test_the_refusal_of_a_tensor_parallel_size_names_those_that_work():
    assert ask(tp=3).reason.accepted == ("1", "2", "4", "8")


def test_expert_parallelism_must_divide_the_experts():
    assert ask(DEEPSEEK, weights="fp8", tp=8, ep=3).reason.code == "ep_does_not_divide"


def test_a_stage_stays_within_the_scale_up_domain():
    wide = offer(count=16)  # two nodes of eight
    assert ask(on=wide, tp=16).reason.code == "exceeds_domain"


def test_pipelines_across_nodes_need_the_scale_out_link():
    unlinked = ask(on=offer(count=16), tp=8, pp=2)
    assert (unlinked.reason.code, unlinked.missing_facts) == ("missing_link", ("scale_out_bandwidth",))
    linked = ask(on=offer(count=16, scale_out=Link("scale_out", 50e9)), tp=8, pp=2)
    assert linked.state == "ok"


def test_tensor_parallelism_needs_a_link():
    answer = ask(on=offer(scale_up=None), tp=8)
    assert (answer.reason.code, answer.missing_facts) == ("missing_link", ("scale_up_bandwidth",))


def test_without_bandwidth_everything_is_refused_by_name():
    answer = ask(on=offer(UNKNOWN_BANDWIDTH, 1))
    assert (answer.state, answer.missing_facts) == ("refused", ("memory_bandwidth",))


def test_without_rates_decode_is_estimated_and_the_first_token_is_not():
    answer = ask(on=offer(WSE3, 4, None), weights="bf16", concurrency=1)
    assert answer.state == "ok"
    assert answer.tpot_s > 0
    assert answer.ttft_s["unloaded"] is None
    assert answer.throughput_output_tok_s is None
    assert answer.decode_tok_s == pytest.approx(1 / answer.tpot_s)
    assert answer.missing_facts == ("peak rate for bf16",)


def test_longer_than_the_context_is_refused():
    answer = ask(workload=Workload("long", 131_000, 1000))
    assert answer.reason.code == "context_too_long"


def test_the_shortfall_is_exact():
    """bf16 on one H100: weights, reserve, workspace and one request against 0.9 of the memory."""
    answer = ask(on=offer(count=1), weights="bf16", concurrency=1)
    weights = 2 * (80 * (150_994_944 + 704_643_072) + 2 * 128_256 * 8192 + 80 * 16_384 + 8192)
    request = 2000 * 327_680 + 128_256 * 4
    workspace = 8192 * 8192 * 10
    held = weights * 1.01 + 1e9 + workspace + request
    assert answer.state == "does_not_fit"
    assert answer.shortfall_bytes == pytest.approx(held - 0.9 * 85_520_809_984, rel=1e-9)


def test_the_smallest_change_of_format():
    change = ask(on=offer(count=1), weights="bf16", concurrency=1).smallest_change
    assert (change.kind, change.value) == ("format", "fp8")


def test_the_smallest_change_of_chips():
    """405 B parameters do not fit one H100 even at 4 bit."""
    huge = ModelFacts("huge", replace(llama_70b(), layers=(replace(llama_70b().layers[0], count=480),)))
    answer = ask(huge, offer(count=1), weights="int4", concurrency=1)
    assert answer.smallest_change.kind == "chips"
    chips = int(answer.smallest_change.value)
    link = Link("scale_out", 50e9)
    assert ask(huge, offer(count=chips, scale_out=link), weights="int4", pp=chips, tp=1).state == "ok"
    fewer = ask(huge, offer(count=chips - 1, scale_out=link), weights="int4", pp=chips - 1, tp=1)
    assert fewer.state == "does_not_fit"


def test_the_smallest_change_of_context():
    answer = ask(on=offer(count=1), weights="fp8", workload=Workload("long", 100_000, 1000), concurrency=1)
    assert answer.state == "does_not_fit"
    context = int(answer.smallest_change.value)
    assert answer.smallest_change.kind == "context"
    fitting = ask(on=offer(count=1), weights="fp8", workload=Workload("w", context - 1, 1), concurrency=1)
    assert fitting.state == "ok"
    beyond = ask(on=offer(count=1), weights="fp8", workload=Workload("w", context, 1), concurrency=1)
    assert beyond.state == "does_not_fit"


def test_the_largest_context_is_what_one_request_can_have():
    assert ask(on=offer(count=1), weights="fp8", concurrency=1).max_context < 131_072
    assert ask(tp=8, weights="fp8", concurrency=1).max_context == 131_072


def test_beyond_the_cache_it_is_saturated_and_says_so():
    answer = ask(weights="fp8", tp=8, concurrency=5000)
    assert answer.state == "saturated"
    assert answer.binding_limit == "capacity"
    assert answer.ttft_s["loaded_mean"] is None
    assert answer.tpot_s > 0


def test_time_and_memory_splits_add_up():
    answer = ask(weights="fp8", tp=8, concurrency=64)
    assert sum(answer.time_by_operation.values()) == pytest.approx(answer.tpot_s, rel=1e-9)
    assert sum(answer.time_by_limit.values()) == pytest.approx(answer.tpot_s, rel=1e-9)
    assert sum(answer.ttft_by_operation.values()) == pytest.approx(answer.ttft_s["unloaded"], rel=1e-9)
    parts = ("weights", "cache", "workspace", "reserve", "outside_usable_share", "free")
    assert sum(answer.memory[part] for part in parts) == pytest.approx(answer.memory["capacity"], rel=1e-12)
    groups = sum(value for name, value in answer.memory.items() if name.startswith("weights_"))
    assert groups == pytest.approx(answer.memory["weights"], rel=1e-9)


@pytest.mark.parametrize("pp", [2, 4])
def test_the_memory_split_of_a_pipeline_adds_up(pp):
    answer = ask(weights="fp8", tp=2, pp=pp, concurrency=64)
    groups = sum(value for name, value in answer.memory.items() if name.startswith("weights_"))
    assert groups == pytest.approx(answer.memory["weights"], rel=1e-9)


def test_elasticities_point_at_the_figure_that_binds():
    decode = ask(on=offer(count=1), weights="fp8", concurrency=1)
    assert decode.most_helpful == "memory_bandwidth"
    assert -1 <= decode.elasticities["memory_bandwidth"]["tpot"] < -0.5
    prompts = ask(workload=Workload("prompts", 16_000, 20), weights="fp8", tp=8, concurrency=64)
    assert prompts.most_helpful == "compute"


def test_more_memory_helps_when_the_cache_is_full():
    answer = ask(on=offer(count=1), weights="fp8", concurrency=64)
    assert answer.state == "saturated"
    assert answer.elasticities["memory_capacity"]["throughput"] > 0.5


def test_an_elasticity_predicts_the_change():
    base = ask(weights="fp8", tp=8, concurrency=64)
    faster = ask(on=offer(scaled(H100, bandwidth=1.05)), weights="fp8", tp=8, concurrency=64)
    predicted = base.tpot_s * 1.05 ** base.elasticities["memory_bandwidth"]["tpot"]
    assert faster.tpot_s == pytest.approx(predicted, rel=1e-6)


def test_grades_follow_the_evidence():
    assert ask(weights="fp8", tp=8).grade == "B"  # operators measured on this chip
    assumed = replace(H100, weakest_provenance="assumed")
    assert ask(on=offer(assumed), weights="fp8", tp=8).grade == "C"
    kin = replace(H100, slug="nvidia-h800-sxm")
    assert ask(on=offer(kin), weights="fp8", tp=8).grade == "C"  # inherited from Hopper
    assert ask(on=offer(MI300X), weights="fp8", tp=8).grade == "D"  # defaults of a GPU


def test_an_assumed_bandwidth_or_link_in_use_is_grade_d_with_its_interval():
    """The width of D: exp(0.7) either side of TPOT. A link that a layout does not use leaves its grade."""
    tier = replace(H100.memory, assumed=True)
    link = replace(NVLINK_4, assumed=True)
    for on in (offer(replace(H100, tiers=(tier,))), offer(scale_up=link)):
        found = ask(on=on, weights="fp8", tp=8)
        assert found.grade == "D"
        assert found.interval["tpot_s"].high == pytest.approx(found.tpot_s * math.exp(0.7))
        rows = best_deployments(ModelFacts("llama", llama_70b()), [on], [CHAT], efficiency()).rows()
        assert {row["grade"] for row in rows if row["tp"] * row["pp"] > 1} == {"D"}
    assert ask(on=offer(scale_up=link), weights="fp8", tp=1, pp=1).grade == "B"


def test_a_wider_rate_computes_what_has_no_rate_and_it_is_said():
    answer = ask(on=offer(MI300X), weights="nvfp4", tp=8)
    assert any("stored in nvfp4, computed at the fp8 rate" in note for note in answer.assumptions)


def test_sram_machines_spread_the_model_over_as_many_chips_as_capacity_asks():
    answer = ask(on=offer(GROQ, 576, None), weights="fp8", concurrency=1)
    assert answer.state == "ok"
    assert answer.deployment["tp"] == 1
    # 72.7 GB of weights over 0.95 of 230 MB each: 333 chips at least
    assert 333 <= answer.deployment["pp"] <= 576
    assert answer.time_by_limit["overhead"] >= 80 * 38e-6 * 0.99  # the fitted latency of 80 layers


def test_open_choices_are_filled_with_what_fits():
    answer = ask(DEEPSEEK)
    assert answer.state == "ok"
    assert answer.deployment["weights"] != "bf16"  # 1.3 TB do not fit 640 GB
    layout = answer.deployment
    assert layout["tp"] * layout["dp"] * layout["pp"] * layout["replicas"] + layout["chips_idle"] == 8


def test_little_s_law_holds():
    answer = ask(GPT_OSS, weights="mxfp4", tp=2, concurrency=64)
    life = answer.ttft_s["loaded_mean"] + 999 * answer.tpot_s
    assert answer.throughput_output_tok_s == pytest.approx(64 * 1000 / life, rel=1e-9)


def test_a_cached_prefix_saves_prefill_and_keeps_cache():
    cold = ask(weights="fp8", tp=8, workload=Workload("w", 8000, 100), concurrency=32)
    warm = ask(weights="fp8", tp=8, workload=Workload("w", 8000, 100, prefix_share=0.9), concurrency=32)
    assert warm.ttft_s["unloaded"] < 0.3 * cold.ttft_s["unloaded"]
    assert warm.max_concurrency == cold.max_concurrency


def test_the_answer_is_plain_json():
    json.dumps(ask(weights="fp8", tp=8).to_dict(), allow_nan=False)
    json.dumps(ask(weights="bf16", on=offer(count=1), concurrency=1).to_dict(), allow_nan=False)
    json.dumps(ask(tp=3).to_dict(), allow_nan=False)


def test_fingerprints_follow_the_inputs():
    first = ask(weights="fp8", tp=8)
    assert ask(weights="fp8", tp=8).fingerprint == first.fingerprint
    assert ask(weights="fp8", tp=4).fingerprint != first.fingerprint
    assert ask(on=offer(scaled(H100, bandwidth=1.2)), weights="fp8", tp=8).fingerprint != first.fingerprint
