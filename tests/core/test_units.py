"""Chips of several engines: prompts on one, decoding on another; a common prefix held once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from estimates.core.estimate import evaluate_one
from estimates.core.facts import Chip, Deployment, InvalidFact, MemoryTier, ModelFacts, Unit, Workload
from tests.core.architectures import llama_70b
from tests.core.machines import H100, efficiency, offer

SMALL = ModelFacts(
    "small", replace(llama_70b(), hidden=2048, layers=(replace(llama_70b().layers[0], count=16),))
)
WORK = Workload("w", 1000, 100)
NPU = Unit("npu", {"int8": 50e12}, 0.3)
IGPU = Unit("igpu", {"bf16": 12e12}, 0.6)
LAPTOP = Chip("laptop", "nobody", None, "soc", (MemoryTier(64e9, None, 120e9),), units=(NPU, IGPU))


def ask(chip: Chip = LAPTOP, **deployment):
    asked = Deployment(**{"weights": "int4", "concurrency": 1, **deployment})
    return evaluate_one(SMALL, offer(chip, 1, None), WORK, asked, efficiency())


def test_an_engine_has_its_own_rates_and_its_part_of_the_bandwidth():
    chip = LAPTOP.on(NPU)
    assert chip.bandwidth == pytest.approx(36e9)  # 0.3 of 120 GB/s
    assert chip.rate("int8") == 50e12
    assert LAPTOP.bandwidth == 120e9


def test_prompts_on_one_engine_and_decoding_on_another():
    """Each phase is what it is where the whole runs on that engine."""
    both = ask(prefill_unit="npu", decode_unit="igpu")
    assert both.tpot_s == pytest.approx(ask(prefill_unit="igpu", decode_unit="igpu").tpot_s, rel=1e-9)
    alone = ask(prefill_unit="npu", decode_unit="npu")
    assert both.ttft_s["unloaded"] == pytest.approx(alone.ttft_s["unloaded"], rel=1e-9)
    assert both.ttft_s["unloaded"] < ask(decode_unit="igpu", prefill_unit="igpu").ttft_s["unloaded"]
    assert any("another engine" in line for line in both.assumptions)


def test_decoding_by_an_engine_without_rates_is_its_bandwidth():
    """The first token needs the rates of the engine that computes prompts alone."""
    bare = replace(LAPTOP, units=(NPU, Unit("igpu", (), 0.6)))
    found = ask(bare, prefill_unit="npu", decode_unit="igpu")
    assert found.ttft_s["unloaded"] is not None
    other_way = ask(bare, prefill_unit="igpu", decode_unit="npu")
    assert other_way.ttft_s["unloaded"] is None
    assert any(fact.startswith("peak rate") for fact in other_way.missing_facts)


def test_an_engine_that_is_not_known_is_refused_with_those_that_are():
    found = ask(decode_unit="dsp")
    assert (found.reason.code, found.reason.accepted) == ("unknown_unit", ("npu", "igpu"))


def test_an_engine_of_unknown_bandwidth_is_refused_by_that_fact():
    found = ask(replace(LAPTOP, units=(Unit("npu", {"int8": 50e12}),)), decode_unit="npu")
    assert found.missing_facts == ("bandwidth_share of npu",)


def test_engines_have_names_of_their_own():
    with pytest.raises(InvalidFact, match="one unit of a name"):
        replace(LAPTOP, units=(NPU, NPU))


# ---- A prefix common to all requests ---------------------------------------------------------------------


def requests_held(work: Workload) -> float:
    asked = Deployment(weights="fp8", tp=4, concurrency=8)
    model = ModelFacts("llama-3.1-70b-instruct", llama_70b())
    return evaluate_one(model, offer(H100, 4), work, asked, efficiency()).max_concurrency


def test_a_common_prefix_is_held_once():
    """Llama 70B, FP8 cache on 4 ranks: 2 x 2 x 128 x 80 = 40,960 bytes a token and rank. Of 10,000 prompt

    tokens 8,000 are common: a request takes 10,500 - 8,000 = 2,500 tokens, the prefix 8,000 of the room once,
    so that N requests of their own become (N x 10,500 - 8,000) / 2,500.
    """
    own = requests_held(Workload("w", 10_000, 500, prefix_share=0.8))
    shared = requests_held(Workload("w", 10_000, 500, prefix_share=0.8, prefix_shared=True))
    assert shared == pytest.approx((own * 10_500 - 8000) / 2500, rel=0.03)


def test_nothing_is_shared_where_nothing_is_cached():
    assert requests_held(Workload("w", 10_000, 500, prefix_shared=True)) == requests_held(
        Workload("w", 10_000, 500)
    )
