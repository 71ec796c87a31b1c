"""Which of a chip's rates a format is computed at: two FP4s, integer-only parts, what is said of either."""

from __future__ import annotations

import pytest

from estimates.core.chip_terms import compute_rate
from estimates.core.deployments import schemes_for
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, ModelFacts
from tests.core.architectures import llama_70b
from tests.core.machines import A100, B200, CHAT, CORSAIR, MI350X, efficiency, offer


def test_a_format_is_offered_where_the_chip_computes_it():
    """FP4 is not one format: OCP MXFP4 is common, NVFP4 is one maker's."""
    model = ModelFacts("llama", llama_70b())
    offered = {chip: {s.slug for s in schemes_for(model, chip, efficiency())} for chip in (B200, MI350X)}
    assert {"nvfp4", "mxfp4"} <= offered[B200]
    assert {"nvfp4", "mxfp4"} & offered[MI350X] == {"mxfp4"}


def test_a_format_asked_for_elsewhere_is_computed_wider_and_says_so():
    asked = Deployment(weights="nvfp4", tp=1, pp=1, concurrency=1)
    found = evaluate_one(ModelFacts("llama", llama_70b()), offer(MI350X, 1), CHAT, asked, efficiency())
    assert found.state == "ok"
    assert "attention: stored in nvfp4, computed at the fp8 rate" in found.assumptions


@pytest.mark.parametrize(
    ("storage", "activation", "rate"),
    [
        ("int4", "int4", "int4"),
        ("int4", "int8", "int8"),  # the wider operand decides
        ("int8", "int4", "int8"),
        ("bf16", "int8", "int8"),  # no wide rate: rounded to integers
        ("bf16", "bf16", None),
        ("int4", "bf16", None),
    ],
)
def test_integer_rates_ask_for_integer_activations(storage, activation, rate):
    assert compute_rate(CORSAIR, storage, efficiency(), activation) == rate


def test_sixteen_bit_tensors_stay_wide_beside_integer_activations_where_they_can():
    assert compute_rate(A100, "bf16", efficiency(), "int8") == "bf16"


@pytest.mark.parametrize("weights", ["int8", "int4", "q4_k_m"])
def test_an_integer_only_part_runs_a_quantised_model_in_integers_alone(weights):
    """Block-scaled INT8 is how such a part runs attention and cache: nothing is missing for a first token."""
    model = ModelFacts("llama", llama_70b())
    asked = Deployment(weights=weights, concurrency=1)
    found = evaluate_one(model, offer(CORSAIR, 64, None), CHAT, asked, efficiency())
    assert (found.state, found.missing_facts) == ("ok", ())
    assert found.deployment["kv_format"] == "int8"
    assert found.ttft_s["unloaded"] > 2 * 70e9 * 1000 / (64 * 2400e12)  # never above the INT8 peak
    assert found.throughput_output_tok_s is not None
    assert any("8-bit integers" in note for note in found.assumptions)


def test_an_integer_only_part_lacks_a_rate_for_sixteen_bit_weights():
    model = ModelFacts("llama", llama_70b())
    asked = Deployment(weights="bf16", concurrency=1)
    found = evaluate_one(model, offer(CORSAIR, 160, None), CHAT, asked, efficiency())
    assert found.missing_facts == ("peak rate for bf16",)
    assert found.ttft_s["unloaded"] is None
