"""What the memory of the chips allows, by hand."""

from dataclasses import replace
from typing import Any

import pytest

from estimates.core.architecture_json import architecture_from_json
from estimates.core.facts import Chip, MemoryTier, ModelFacts
from estimates.core.weight_schemes import named_scheme
from estimates.measured.plausibility import (
    bytes_touched,
    decoding,
    is_complete,
    is_possible,
    tpot_at_most_s,
    tpot_floor_s,
)
from estimates.measured.runs import Run
from estimates.what_if import Question
from tests.estimates.conftest import llama

LLAMA_8B = ModelFacts(
    "llama-3.1-8b-instruct", architecture_from_json(llama(4096, 32, 32, 8, 14336)), native=None
)
BF16 = named_scheme("bf16", LLAMA_8B.architecture)
EMBEDDING = 128256 * 4096  # looked up, not read whole
#: Llama 3.1 8B has 8,030,261,248 parameters of 2 bytes.
DENSE = 2 * (8_030_261_248 - EMBEDDING)
#: 2 (K and V) x 8 heads x 128 x 32 layers x 2 bytes.
CACHE_A_TOKEN = 2 * 8 * 128 * 32 * 2
CHIP = Chip("h100", "nvidia", None, "gpu", (MemoryTier(80e9, None, 3350e9),), {"bf16": 989e12})  # type: ignore[arg-type]


def run(**changes: Any) -> Run:
    stated: dict[str, Any] = {
        "run_id": "one",
        "accelerator": "h100",
        "n_accelerators": 1,
        "model": "llama",
        "isl": 1000,
        "osl": 201,
        "scenario": "closed_loop",
        "concurrency": 16,
        "weight_format": "bf16",
        "metrics": (("tpot_ms", 10.0),),
    }
    return Run(**stated | changes)


QUESTION = Question.model_validate(
    {"model": "llama", "accelerator": "h100", "count": 1, "deployment": {"weights": "bf16"}}
)


def test_a_step_reads_every_weight_once_and_every_sequence_s_cache():
    found = bytes_touched(LLAMA_8B, BF16, "bf16", sequences=16, context=1000)
    assert found == pytest.approx(DENSE + 16 * 1000 * CACHE_A_TOKEN, rel=1e-4)


def test_each_worker_reads_the_weights_for_its_share():
    found = bytes_touched(LLAMA_8B, BF16, "bf16", sequences=16, context=1000, workers=2)
    assert found == pytest.approx(2 * DENSE + 16 * 1000 * CACHE_A_TOKEN, rel=1e-4)


def mixture() -> ModelFacts:
    """Llama 3.1 8B with 8 experts of its feed-forward's size, of which a token takes 2."""
    described = llama(4096, 32, 32, 8, 14336)
    described["layers"][0]["feed_forwards"] = [
        {"kind": "mixture_of_experts", "experts": 8, "top_k": 2, "expert_intermediate": 14336}
    ]
    return ModelFacts("mixture", architecture_from_json(described), native=None)


def test_of_the_experts_those_that_tokens_choose_are_read():
    # One token chooses 2 of 8; four tokens 8 (1 - (1 - 2/8)^4) = 5.469; an expert is 3 x 4096 x 14336 x 2 B
    # in each of 32 layers.
    one = bytes_touched(mixture(), BF16, "bf16", sequences=1, context=0)
    four = bytes_touched(mixture(), BF16, "bf16", sequences=4, context=0)
    expert = 32 * 3 * 4096 * 14336 * 2
    assert four - one == pytest.approx((8 * (1 - 0.75**4) - 2) * expert, rel=1e-6)


def test_the_floor_divides_by_the_bandwidth_of_all_chips():
    # Mean context 1000 + 201 / 2 = 1100.5; all 16 clients decode, for no first token was measured.
    touched = DENSE + 16 * 1100.5 * CACHE_A_TOKEN
    assert tpot_floor_s(run(), QUESTION, LLAMA_8B, CHIP, 1.0) == pytest.approx(touched / 3350e9, rel=1e-4)
    two = QUESTION.model_copy(update={"count": 2})
    assert tpot_floor_s(run(), two, LLAMA_8B, CHIP, 1.0) == pytest.approx(touched / 6700e9, rel=1e-4)


@pytest.mark.parametrize("changes", [{"weight_format": None}, {"n_accelerators": None}])
def test_without_a_stated_format_or_count_there_is_no_floor(changes: dict):
    assert tpot_floor_s(run(**changes), QUESTION, LLAMA_8B, CHIP, 1.0) is None


def test_those_who_wait_for_their_first_token_do_not_decode():
    # 200 tokens after the first at 10 ms are 2 s, the first takes 2 s: half of 16 decode.
    assert decoding(run(metrics=(("tpot_ms", 10.0), ("ttft_ms", 2000.0)))) == pytest.approx(8)


@pytest.mark.parametrize(
    ("changes", "metric", "value", "seconds"),
    [
        ({}, "tpot_ms", 10.0, 0.01),
        ({}, "decode_tok_s_per_user", 50.0, 0.02),
        ({}, "e2e_latency_s", 4.0, 4.0 / 200),  # no more than all of it for 200 tokens
        ({"scenario": "decode", "concurrency": 8}, "output_tok_s_total", 400.0, 8 / 400),
        # 16 x 201 tokens at 1,608 a second take 2 s.
        ({"scenario": "latency"}, "output_tok_s_total", 1608.0, 2.0 / 200),
        ({"scenario": "latency", "n_accelerators": 2}, "output_tok_s_per_accel", 804.0, 2.0 / 200),
        # 16 x 1,201 tokens at 9,608 a second take 2 s.
        ({"scenario": "latency"}, "total_tok_s", 9608.0, 2.0 / 200),
        ({}, "output_tok_s_total", 1608.0, None),  # a closed loop's rate leaves room for waiting
        ({}, "ttft_ms", 80.0, None),
    ],
)
def test_the_longest_time_per_token_that_a_figure_leaves_room_for(
    changes: dict, metric: str, value: float, seconds: float | None
):
    found = tpot_at_most_s(run(**changes), metric, value)
    assert found == (None if seconds is None else pytest.approx(seconds))


def test_a_figure_may_be_a_twentieth_below_the_floor():
    assert is_possible(0.0951, 0.1)
    assert not is_possible(0.0949, 0.1)
    assert is_possible(None, 0.1)
    assert is_possible(0.01, None)


@pytest.mark.parametrize(
    ("flag", "complete"),
    [
        ("incomplete_deployment", False),
        ("speculative", False),
        ("mlperf_open", False),
        ("anomaly", False),
        ("random_length_0.8_1.0", True),
        ("parallelism_repaired", True),
        ("host_limited", True),
    ],
)
def test_flags_that_set_a_row_apart(flag: str, complete: bool):
    assert is_complete(replace(run(), flags=frozenset({flag}))) is complete
