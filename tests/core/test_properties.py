"""Laws that hold whatever the machine, the model and the load."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimates.core.estimate import Estimate, evaluate_one
from estimates.core.facts import Deployment, Link, ModelFacts, Offer, Workload
from estimates.core.lowering import lower
from estimates.core.memory import group_bytes
from estimates.core.weight_schemes import named_scheme
from tests.core.architectures import deepseek_v3, llama_70b
from tests.core.kinds import KINDS
from tests.core.machines import H100, efficiency, offer, scaled, sped_up

LLAMA = ModelFacts("llama", llama_70b())
DEEPSEEK = ModelFacts("deepseek", deepseek_v3())
MODELS = {kind: ModelFacts(kind, architecture) for kind, architecture in KINDS.items()}

models = st.sampled_from(sorted(MODELS)).map(MODELS.__getitem__)
schemes = st.sampled_from(["bf16", "fp8", "int8", "int4"])
workloads = st.builds(
    Workload,
    st.just("w"),
    st.integers(1, 32_000),
    st.integers(2, 8_000),
    prefix_share=st.sampled_from([0, 0.5]),
)
factors = st.floats(1.05, 8)
laws = settings(max_examples=25, deadline=None)


def ask(
    model: ModelFacts, on: Offer, workload: Workload, scheme: str, tp: int, concurrency: int, table=None
) -> Estimate:
    deployment = Deployment(weights=scheme, tp=tp, pp=1, replicas=1, concurrency=concurrency)
    return evaluate_one(model, on, workload, deployment, table or efficiency())


sizes = st.sampled_from([1, 2, 4, 8])
loads = st.sampled_from([1, 4, 32, 200])


@laws
@given(models, schemes, workloads, sizes, loads, factors)
def test_more_bandwidth_is_never_slower(model, scheme, workload, tp, concurrency, factor):
    before = ask(model, offer(), workload, scheme, tp, concurrency)
    after = ask(model, offer(scaled(H100, bandwidth=factor)), workload, scheme, tp, concurrency)
    assert after.tpot_s <= before.tpot_s * (1 + 1e-9)
    assert after.ttft_s["unloaded"] <= before.ttft_s["unloaded"] * (1 + 1e-9)


@laws
@given(models, schemes, workloads, sizes, loads, factors)
def test_more_compute_is_never_slower(model, scheme, workload, tp, concurrency, factor):
    before = ask(model, offer(), workload, scheme, tp, concurrency)
    after = ask(model, offer(scaled(H100, compute=factor)), workload, scheme, tp, concurrency)
    assert after.tpot_s <= before.tpot_s * (1 + 1e-9)
    assert after.ttft_s["unloaded"] < before.ttft_s["unloaded"]


@laws
@given(models, schemes, workloads, sizes, st.integers(1, 64))
def test_never_faster_than_the_bytes_that_must_be_read(model, scheme, workload, tp, concurrency):
    """At least every matrix but the embedding and the experts not chosen, divided over the ranks."""
    answer = ask(model, offer(), workload, scheme, tp, concurrency)
    held = group_bytes(model.architecture, named_scheme(scheme, model.architecture))
    read = held["attention"] + held["dense_ffn"] + held["shared_experts"]
    for experts, _ in lower(model.architecture).experts:
        read += held["routed_experts"] * experts.top_k / experts.experts
    read *= 0.98  # convolutions and other vectors counted with the matrices
    assert answer.tpot_s >= read / tp / H100.memory.bandwidth


@laws
@given(models, schemes, workloads, sizes, loads, st.floats(0.1, 10))
def test_scale_invariance(model, scheme, workload, tp, concurrency, factor):
    """All rates and bandwidths times k, all starts and overheads over k: all times over k."""
    link = Link("scale_up", 450e9 * factor, None, 8)
    machine = offer(scaled(H100, bandwidth=factor, compute=factor), scale_up=link)
    before = ask(model, offer(), workload, scheme, tp, concurrency)
    after = ask(model, machine, workload, scheme, tp, concurrency, sped_up(efficiency(), factor))
    assert after.tpot_s == pytest.approx(before.tpot_s / factor, rel=1e-9)
    assert after.ttft_s["unloaded"] == pytest.approx(before.ttft_s["unloaded"] / factor, rel=1e-9)
    if before.state == "ok":
        assert after.throughput_output_tok_s == pytest.approx(
            before.throughput_output_tok_s * factor, rel=1e-9
        )


@laws
@given(models, schemes, workloads, sizes)
def test_throughput_grows_with_concurrency_until_the_cache_is_full(model, scheme, workload, tp):
    """For answers of some length: the closed loop is no model of requests that hardly decode.

    On the plateau the first wave, which a run's mean time to first token includes, costs 5%: a tenth of the
    requests wait for half of the others' prompts, and all prompts are the whole cycle there. The waiting of
    random arrivals is 2% off the closed machine's.
    """
    workload = replace(workload, osl=max(workload.osl, 64))
    last = 0.0
    for concurrency in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
        answer = ask(model, offer(), workload, scheme, tp, concurrency)
        if answer.state != "ok":
            break
        assert answer.throughput_output_tok_s >= last * 0.93
        last = answer.throughput_output_tok_s


@laws
@given(models, schemes, workloads, sizes, loads)
def test_work_is_conserved(model, scheme, workload, tp, concurrency):
    """No more requests a second than the arithmetic of their prompts leaves room for."""
    answer = ask(model, offer(), workload, scheme, tp, concurrency)
    flop = 0.0
    for gemm, count in lower(model.architecture).gemms:
        if gemm.group != "router":
            one = np.ones(1)
            flop += 2 * count * float(gemm.n(one)[0] * gemm.inner(one)[0])
    peak = max(rate for _, rate in H100.rates)
    seconds = flop * workload.isl * (1 - workload.prefix_share) / (tp * peak)
    assert answer.throughput_output_tok_s <= workload.osl / seconds * (1 + 1e-9)


@laws
@given(models, schemes, workloads, sizes)
def test_a_token_takes_longer_with_more_others(model, scheme, workload, tp):
    alone = ask(model, offer(), workload, scheme, tp, 1)
    crowd = ask(model, offer(), workload, scheme, tp, 16)
    assert crowd.tpot_s >= alone.tpot_s


@laws
@given(st.sampled_from([LLAMA, DEEPSEEK]), schemes, workloads, sizes, st.floats(1, 4))
def test_more_memory_never_unfits(model, scheme, workload, tp, factor):
    before = ask(model, offer(), workload, scheme, tp, 8)
    after = ask(model, offer(scaled(H100, capacity=factor)), workload, scheme, tp, 8)
    if before.state != "does_not_fit":
        assert after.state != "does_not_fit"
        assert after.max_concurrency >= before.max_concurrency
    else:
        assert after.state != "does_not_fit" or after.shortfall_bytes <= before.shortfall_bytes


@laws
@given(models, workloads, sizes)
def test_fewer_bits_never_take_more_memory(model, workload, tp):
    wide = ask(model, offer(), workload, "bf16", tp, 4)
    narrow = ask(model, offer(), workload, "fp8", tp, 4)
    assert narrow.memory["weights"] <= wide.memory["weights"]


@laws
@given(models, schemes, workloads, sizes, loads)
def test_parts_are_never_negative(model, scheme, workload, tp, concurrency):
    answer = ask(model, offer(), workload, scheme, tp, concurrency)
    for parts in (answer.time_by_operation, answer.time_by_limit, answer.ttft_by_operation):
        assert min(parts.values()) >= 0
    assert answer.prefill_share is None or 0 <= answer.prefill_share <= 1


@laws
@given(models, workloads, st.sampled_from([2, 4, 8]))
def test_a_pipeline_holds_more_and_answers_one_request_no_faster(model, workload, pp):
    link = Link("scale_up", 450e9, None, 8)
    one = evaluate_one(
        model,
        offer(scale_up=link),
        workload,
        Deployment("bf16", tp=1, pp=1, replicas=1, concurrency=1),
        efficiency(),
    )
    staged = evaluate_one(
        model,
        offer(scale_up=link),
        workload,
        Deployment("bf16", tp=1, pp=pp, replicas=1, concurrency=1),
        efficiency(),
    )
    assert staged.max_concurrency >= one.max_concurrency
    assert staged.tpot_s >= one.tpot_s


def test_a_faster_link_helps_tensor_parallelism():
    slow = offer(scale_up=Link("scale_up", 100e9, None, 8))
    workload = Workload("w", 4000, 500)
    assert (
        ask(LLAMA, offer(), workload, "fp8", 8, 64).tpot_s < ask(LLAMA, slow, workload, "fp8", 8, 64).tpot_s
    )


def test_an_npu_draws_its_share_of_the_bandwidth():
    shared = replace(H100, npu_bandwidth_share=0.5)
    halved = scaled(H100, bandwidth=0.5)
    workload = Workload("w", 100, 100)
    first = ask(LLAMA, offer(shared), workload, "fp8", 8, 1)
    second = ask(LLAMA, offer(halved), workload, "fp8", 8, 1)
    assert first.tpot_s == pytest.approx(second.tpot_s, rel=1e-12)
