"""What-ifs: answers with their facts and cost, nothing saved, and each fault of a question by its name."""

from typing import Any

import pytest

from catalog.figures import accept_figure
from catalog.models import Accelerator, PriceQuote, Source
from estimates import sweeper
from estimates.evaluate import evaluate
from estimates.explanations import explain
from estimates.models import Calculation, Estimate, Objective
from estimates.what_if import InvalidQuestion
from tests.estimates.conftest import TinyCatalogue, llama

QUESTION: dict[str, Any] = {
    "model": "llama-3.1-8b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "workload": "chat",
    "deployment": {"weights": "bf16", "tp": 1, "concurrency": 1},
}


def asked(**changes: Any) -> dict[str, Any]:
    return evaluate(QUESTION | changes)


def fault(**changes: Any) -> tuple[str, str, Any]:
    with pytest.raises(InvalidQuestion) as caught:
        evaluate(QUESTION | changes)
    first = caught.value.faults[0]
    return first.pointer, first.code, first.accepted


def test_an_answer_has_results_splits_and_what_binds(tiny: TinyCatalogue) -> None:
    """At one request a token reads all weights but the embedding: 15.0e9 bytes, 4.5 ms at 3,350 GB/s."""
    found = asked()
    assert found["state"] == "ok"
    assert 15.0e9 / 3350e9 * 1e3 < found["results"]["tpot_ms"] < 10
    assert found["binding_limit"] == "bandwidth"
    by_limit = found["time_ms"]["tpot"]["by_limit"]
    assert sum(by_limit.values()) == pytest.approx(found["results"]["tpot_ms"], rel=0.01)
    assert sum(found["time_ms"]["tpot"]["by_operation"].values()) == pytest.approx(
        found["results"]["tpot_ms"], rel=0.01
    )
    assert found["elasticities"]["memory_bandwidth"]["tpot"] < -0.5
    assert found["most_helpful"] == "memory_bandwidth"


def test_nothing_is_saved(tiny: TinyCatalogue) -> None:
    before = Accelerator.objects.get(pk=tiny.h100.pk).version
    asked(overrides={"memory_bandwidth_gbs": "+20%"})
    assert not Estimate.objects.exists()
    assert not Calculation.objects.exists()
    row = Accelerator.objects.get(pk=tiny.h100.pk)
    assert (row.version, row.memory_bandwidth_gbs) == (before, 3350)


def test_more_bandwidth_makes_tokens_faster_and_is_named_as_an_override(tiny: TinyCatalogue) -> None:
    plain, faster = asked(), asked(overrides={"memory_bandwidth_gbs": "+20%"})
    assert faster["results"]["tpot_ms"] < plain["results"]["tpot_ms"]
    fact = next(fact for fact in faster["facts"] if fact["quantity"] == "memory_bandwidth_gbs")
    assert (fact["value"], fact["kind"], fact["instead_of"]) == (4020, "override", 3350)
    assert faster["fingerprint"] != plain["fingerprint"]


@pytest.mark.parametrize("override", [4020, "+20%", "x1.2", "+20.0 %"])
def test_an_override_is_a_value_or_relative_to_the_one_that_stands(
    tiny: TinyCatalogue, override: float | str
) -> None:
    found = asked(overrides={"memory_bandwidth_gbs": override})
    values = {fact["quantity"]: fact["value"] for fact in found["facts"]}
    assert values["memory_bandwidth_gbs"] == pytest.approx(4020)


def test_usable_bytes_follow_an_overridden_capacity(tiny: TinyCatalogue) -> None:
    """85,520,809,984 reported bytes of 80 GB printed: with 160 GB they double."""
    found = asked(overrides={"memory_gb": 160})
    assert found["memory_gb"]["capacity"] == pytest.approx(171.04, rel=1e-3)
    assert any("memory_bytes" in note for note in found["assumptions"])


def test_facts_carry_their_source(tiny: TinyCatalogue) -> None:
    source = Source.objects.create(slug="sheet", title="H100 datasheet", url="https://example.org/h100")
    accept_figure(tiny.h100, "memory_bandwidth_gbs", 3352.0, kind="vendor_claim", source=source)
    fact = next(f for f in asked()["facts"] if f["quantity"] == "memory_bandwidth_gbs")
    assert (fact["value"], fact["kind"]) == (3352.0, "vendor_claim")
    assert fact["source"] == {"slug": "sheet", "title": "H100 datasheet", "url": "https://example.org/h100"}


def test_cost_uses_the_quote_of_the_offer(tiny: TinyCatalogue, quote: PriceQuote) -> None:
    found = asked(count=8, deployment={"weights": "fp8"})
    assert found["offer"] == "nvidia-h100-sxm-x8"
    cost = found["cost"]
    assert (cost["quote"]["quote"], cost["usd_per_hour"]) == (quote.pk, "24")
    by_hand = 24 / 3600 / found["results"]["throughput_tok_s"] * 1e6
    assert float(cost["usd_per_mtok_output"]) == pytest.approx(by_hand, rel=1e-3)


def test_a_count_that_nobody_sells_is_priced_by_the_chip(tiny: TinyCatalogue, quote: PriceQuote) -> None:
    """Eight for 24 USD an hour: four are 12, and the answer says that it is scaled."""
    cost = asked(count=4)["cost"]
    assert (cost["usd_per_hour"], cost["quote"]["scaled_from"]) == ("12", "8")


def test_a_price_of_ones_own_needs_no_quote(tiny: TinyCatalogue) -> None:
    cost = asked(price={"usd_per_hour": "2.00"})["cost"]
    assert (cost["quote"], cost["usd_per_hour"]) == (None, "2")
    assert asked()["cost"] is None


def test_inline_model_and_chip_give_the_answer_of_the_stored_ones(tiny: TinyCatalogue) -> None:
    inline = asked(
        model={"architecture": llama(4096, 32, 32, 8, 14336), "native_format": "bf16"},
        accelerator={
            "name": "nvidia-h100-sxm",
            "vendor": "nvidia",
            "generation": "Hopper",
            "figures": {
                "memory_gb": 80,
                "memory_bytes": 85_520_809_984,
                "memory_bandwidth_gbs": 3350,
                "peak_rate:bf16": 989,
                "peak_rate:fp16": 989,
                "peak_rate:fp8": 1979,
                "peak_rate:int8": 1979,
            },
        },
    )
    assert inline["results"]["tpot_ms"] == asked()["results"]["tpot_ms"]
    assert inline["cost"] is None


def test_a_hugging_face_configuration_is_a_model(tiny: TinyCatalogue) -> None:
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131072,
        "vocab_size": 128256,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    }
    found = asked(model={"hf_config": config})
    assert found["results"]["tpot_ms"] == pytest.approx(asked()["results"]["tpot_ms"], rel=1e-3)


def test_what_does_not_fit_says_by_how_much_and_what_would(tiny: TinyCatalogue) -> None:
    """70.6e9 parameters in bf16 are 141 GB; one H100 has 85.5."""
    found = asked(model="llama-3.1-70b-instruct", deployment={"weights": "bf16"})
    assert (found["state"], found["binding_limit"], found["results"]) == ("does_not_fit", "capacity", None)
    assert found["does_not_fit"]["shortfall_gb"] > 141 - 85.6
    assert found["does_not_fit"]["smallest_change"]["detail"]


def test_a_missing_fact_is_named(tiny: TinyCatalogue) -> None:
    found = asked(accelerator="mystery")
    assert (found["state"], found["missing_facts"]) == ("refused", ["memory_bandwidth"])


def test_a_model_that_generates_no_text_is_refused(tiny: TinyCatalogue) -> None:
    found = asked(model="embedder", deployment={})
    assert (found["state"], found["reason"]["code"]) == ("refused", "not_a_generator")


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"model": "llama-3.1-8b"}, "/model", "unknown_language_model"),
        ({"accelerator": "h100"}, "/accelerator", "unknown_accelerator"),
        ({"workload": "chatting"}, "/workload", "unknown_workload"),
        ({"accelerator": None, "offer": "h100-x8"}, "/offer", "unknown_offer"),
        ({"accelerator": None}, "/accelerator", "one_of"),
        ({"count": -1}, "/count", "greater_than_equal"),
        ({"count": 1.5}, "/count", "int_from_float"),
        ({"count": "eight"}, "/count", "int_parsing"),
        ({"counts": 8}, "/counts", "extra_forbidden"),
        ({"deployment": {"tp": 3}, "count": 8}, "/deployment/tp", "tp_does_not_divide"),
        ({"deployment": {"tp": 16}, "count": 8}, "/count", "too_many_chips"),
        ({"deployment": {"ep": 2}, "count": 8}, "/deployment/ep", "no_experts"),
        ({"deployment": {"weights": "fp9"}}, "/deployment/weights", "unknown_format"),
        ({"deployment": {"kv_format": "fp9"}}, "/deployment/kv_format", "unknown_format"),
        ({"deployment": {"concurrency": 0}}, "/deployment/concurrency", "greater_than_equal"),
        ({"overrides": {"memory_bandwidth": 1}}, "/overrides/memory_bandwidth", "unknown_figure"),
        ({"overrides": {"memory_bandwidth_gbs": -1}}, "/overrides/memory_bandwidth_gbs", "invalid"),
        ({"overrides": {"memory_bandwidth_gbs": float("nan")}}, "/overrides/memory_bandwidth_gbs", "invalid"),
        ({"overrides": {"memory_gb": 1e300}}, "/overrides/memory_gb", "invalid"),
        ({"overrides": {"memory_gb": "a lot"}}, "/overrides/memory_gb", "invalid_override"),
        ({"overrides": {"peak_rate:fp4": "+10%"}}, "/overrides/peak_rate:fp4", "nothing_to_scale"),
        ({"overrides": {"memory_gb": "-100%"}}, "/overrides/memory_gb", "invalid"),
        ({"workload": {"isl": 10}}, "/workload/osl", "missing"),
        ({"workload_overrides": {"isl": float("nan")}}, "/workload_overrides/isl", "finite_number"),
        ({"price": {"usd_per_hour": "NaN"}}, "/price/usd_per_hour", "finite_number"),
        ({"price": {"pricing_model": "free"}}, "/price/pricing_model", "literal_error"),
        ({"model": {}}, "/model", "one_of"),
        (
            {"model": {"architecture": {"role": "decoder"}}},
            "/model/architecture/hidden",
            "invalid_architecture",
        ),
        ({"model": {"hf_config": {"model_type": "unheard"}}}, "/model/hf_config", "unsupported_architecture"),
        ({"accelerator": {"figures": {"memory": 1}}}, "/accelerator/figures/memory", "unknown_figure"),
    ],
)
def test_a_fault_has_a_pointer_and_a_code(
    tiny: TinyCatalogue, changes: dict[str, Any], pointer: str, code: str
) -> None:
    assert fault(**changes)[:2] == (pointer, code)


def test_an_unknown_slug_comes_with_near_matches(tiny: TinyCatalogue) -> None:
    assert fault(accelerator="nvidia-h100")[2][0] == "nvidia-h100-sxm"


def test_a_tensor_parallel_size_that_does_not_divide_comes_with_those_that_do(tiny: TinyCatalogue) -> None:
    """32 heads over at most eight chips."""
    assert fault(deployment={"tp": 3}, count=8)[2] == ["1", "2", "4", "8"]


def test_a_cached_estimate_is_explained_with_its_own_numbers(tiny: TinyCatalogue) -> None:
    sweeper.sweep()
    for row in Estimate.objects.filter(language_model=tiny.llama_8b, offer__slug="nvidia-h100-sxm-x8"):
        found = explain(row)
        assert found["results"]["tpot_ms"] == pytest.approx(row.tpot_ms, rel=1e-3)
        assert found["results"]["throughput_tok_s"] == pytest.approx(row.throughput_tok_s, rel=1e-3)
        assert found["results"]["ttft_ms"]["loaded_mean"] == pytest.approx(row.ttft_ms, rel=1e-3)
        assert found["as_stored"]


def test_an_explanation_says_when_the_facts_have_moved_on(tiny: TinyCatalogue) -> None:
    sweeper.sweep()
    Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
    row = Estimate.objects.filter(offer__slug="nvidia-h100-sxm-x1", objective=Objective.FASTEST).first()
    assert row is not None
    assert not explain(row)["as_stored"]


# ---- How requests are served -----------------------------------------------------------------------------


def test_a_static_batch_answers_with_its_whole_time(tiny: TinyCatalogue) -> None:
    found = asked(
        workload={"isl": 1024, "osl": 256, "arrival": "static"},
        deployment={"weights": "bf16", "tp": 1, "concurrency": 8},
    )
    result, learnt = found["results"], found["correction"]
    assert (found["scenario"], found["workload"]["arrival"]) == ("static", "static")
    # By the physics the whole is its parts; each of the three was then multiplied by what runs say of it.
    parts = result["ttft_ms"]["loaded_mean"] / learnt["ttft"] + 255 * result["tpot_ms"] / learnt["tpot"]
    e2e = parts * learnt["throughput"]
    assert result["e2e_ms"] == pytest.approx(e2e, rel=2e-3)
    assert result["throughput_total_tok_s"] == pytest.approx(8 * 1280 / e2e * 1e3, rel=2e-3)
    assert result["prefill_tok_s"] == pytest.approx(8 * 1024 / result["ttft_ms"]["unloaded"] * 1e3, rel=1e-3)
    assert {"e2e_ms", "throughput_total_tok_s", "prefill_tok_s"} <= found["interval_80"].keys()


def test_a_stored_workload_can_be_asked_as_a_static_batch(tiny: TinyCatalogue) -> None:
    assert asked(workload_overrides={"arrival": "static"})["scenario"] == "static"


def test_a_prefill_pool_makes_serving_disaggregated(tiny: TinyCatalogue) -> None:
    found = asked(
        count=8,
        deployment={
            "weights": "bf16",
            "tp": 2,
            "replicas": 2,
            "concurrency": 32,
            "prefill": {"workers": 4, "tp": 1},
        },
        price={"usd_per_hour": "16"},
    )
    assert (found["scenario"], found["state"]) == ("disaggregated", "ok")
    assert found["deployment"]["prefill"] == {"workers": 4, "tp": 1, "pp": 1, "ep": 1, "dp": 1}
    assert found["deployment"]["chips_used"] == 8
    assert 0 < found["cost"]["split"]["prefill_share"] < 0.5  # at most the four of eight chips that prefill
    assert "handing over the cache" in found["time_ms"]["ttft"]["by_operation"]


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"workload": {"isl": 9, "osl": 9, "arrival": "burst"}}, "/workload/arrival", "literal_error"),
        ({"deployment": {"prefill": {"workers": 0}}}, "/deployment/prefill/workers", "greater_than_equal"),
        ({"deployment": {"prefill": {"chips": 2}}}, "/deployment/prefill/chips", "extra_forbidden"),
        ({"count": 8, "deployment": {"prefill": {"tp": 3}}}, "/deployment/prefill/tp", "tp_does_not_divide"),
        ({"count": 4, "deployment": {"tp": 2, "prefill": {"workers": 3}}}, "/count", "too_many_chips"),
        (
            {"workload_overrides": {"arrival": "static"}, "deployment": {"prefill": {}}},
            "/deployment/prefill",
            "static_prefill_pool",
        ),
    ],
)
def test_a_question_about_serving_that_cannot_be_put_is_a_fault_by_its_name(
    tiny: TinyCatalogue, changes: dict[str, Any], pointer: str, code: str
) -> None:
    assert fault(**changes)[:2] == (pointer, code)


def test_a_saturated_deployment_says_what_its_clients_wait(tiny: TinyCatalogue) -> None:
    found = asked(deployment={"weights": "bf16", "tp": 1, "concurrency": 5000})
    first = found["results"]["ttft_ms"]
    assert (found["state"], first["loaded_mean"]) == ("saturated", None)
    assert first["saturated_mean"] > first["unloaded"]
    assert "ttft_saturated_ms" in found["interval_80"]
