"""What-ifs of serving: speculation, the second memory tier, engines of a chip; the options that ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError

from estimates.evaluate import evaluate
from estimates.from_catalog import Datasheet, memory_tiers
from estimates.units import known_units
from estimates.what_if import InvalidQuestion
from tests.estimates.conftest import TinyCatalogue
from tests.estimates.test_commands import estimate, run

QUESTION: dict[str, Any] = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "workload": "chat",
    "deployment": {"weights": "fp8", "tp": 8, "concurrency": 4},
}


def asked(deployment: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return evaluate(QUESTION | {"deployment": QUESTION["deployment"] | deployment} | changes)


def fault(deployment: dict[str, Any], **changes: Any) -> tuple[str, str]:
    with pytest.raises(InvalidQuestion) as caught:
        asked(deployment, **changes)
    return caught.value.faults[0].pointer, caught.value.faults[0].code


def test_a_draft_of_the_catalogue_speeds_a_few_users_up(tiny: TinyCatalogue) -> None:
    """1 + 0.8 + 0.64 + 0.512 tokens a step; the 8B model is an eighth of the 70B one and its cache a part."""
    spec = {"method": "draft", "draft_tokens": 3, "acceptance": 0.8, "draft_model": "llama-3.1-8b-instruct"}
    plain, drafted = asked({}), asked({"speculation": spec})
    assert drafted["speculation"]["tokens_per_step"] == 2.952
    assert drafted["speculation"]["draft_model"] == "llama-3.1-8b-instruct"
    assert drafted["results"]["tpot_ms"] < plain["results"]["tpot_ms"]
    assert drafted["memory_gb"]["weights_draft"] == pytest.approx(16.06 / 8, rel=0.01)  # bf16 on 8 chips
    assert drafted["results"]["max_concurrency"] < plain["results"]["max_concurrency"]
    assert plain["speculation"] is None


def test_an_acceptance_that_nobody_publishes_is_a_missing_fact(tiny: TinyCatalogue) -> None:
    found = asked({"speculation": {"method": "ngram", "draft_tokens": 3}})
    assert (found["state"], found["missing_facts"]) == ("refused", ["acceptance"])


@pytest.mark.parametrize(
    ("speculation", "expected"),
    [
        (
            {"method": "mtp", "draft_tokens": 1, "acceptance": 0.8},
            ("/deployment/speculation/method", "no_mtp"),
        ),
        (
            {"method": "draft", "draft_tokens": 1, "acceptance": 0.8, "draft_model": "nobody"},
            ("/deployment/speculation/draft_model", "unknown_language_model"),
        ),
        (
            {"method": "draft", "draft_tokens": 1, "acceptance": 0.8},
            ("/deployment/speculation/draft_model", "invalid"),
        ),
        (
            {
                "method": "draft",
                "draft_tokens": 1,
                "acceptance": 0.8,
                "draft_model": "llama-3.1-8b-instruct",
                "draft_weights": "fp9",
            },
            ("/deployment/speculation/draft_weights", "draft_weights"),
        ),
        (
            {"method": "ngram", "draft_tokens": 0, "acceptance": 0.8},
            ("/deployment/speculation/draft_tokens", "greater_than_equal"),
        ),
        (
            {"method": "ngram", "draft_tokens": 1, "chance": 0.8},
            ("/deployment/speculation/chance", "extra_forbidden"),
        ),
    ],
)
def test_a_speculation_that_cannot_be_is_a_fault_by_its_field(
    tiny: TinyCatalogue, speculation: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert fault({"speculation": speculation}) == expected


def test_memory_behind_a_chip_holds_what_it_does_not(tiny: TinyCatalogue) -> None:
    """70B in 16 bit on one H100, with 480 GB at 450 GB/s stated behind it."""
    question = QUESTION | {
        "count": 1,
        "deployment": {"weights": "bf16", "concurrency": 1},
        "overrides": {"memory_tier:second:capacity_gb": 480, "memory_tier:second:bandwidth_gbs": 450},
    }
    small = evaluate(question)
    assert small["does_not_fit"]["smallest_change"]["kind"] == "second_tier"
    found = evaluate(question | {"deployment": question["deployment"] | {"offload": "second_tier"}})
    assert found["state"] == "ok"
    behind = found["second_tier"]
    assert behind["weights_gb"] + found["memory_gb"]["weights"] == pytest.approx(141.1, rel=0.01)
    assert found["results"]["tpot_ms"] > behind["weights_gb"] / behind["bandwidth_gbs"] * 1e3
    assert asked({"offload": "second_tier"})["missing_facts"] == ["second_tier_capacity"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (450, 450e9),  # NVLink-C2C to its own processor bounds what it reads of 512 GB/s
        (63.02, 512e9),  # a slot leads to the host, not to memory on the card
        (None, 512e9),
    ],
)
def test_what_a_chip_reads_behind_is_bounded_by_its_link_to_it(host: float | None, expected: float) -> None:
    figures = {
        "memory_gb": 96.0,
        "memory_tier:second:capacity_gb": 480.0,
        "memory_tier:second:bandwidth_gbs": 512.0,
    }
    if host is not None:
        figures["link:host:bandwidth_gbs"] = host
    sheet = Datasheet("chip", "nobody", "gpu", quantities=figures)
    assert memory_tiers(sheet)[1].bandwidth == expected


def test_engines_are_stated_with_the_question(tiny: TinyCatalogue) -> None:
    units = {
        "matrix": {"rates": {"bf16": 2000, "fp8": 4000}, "bandwidth_share": 0.5},
        "reader": {"bandwidth_share": 1},
    }
    plain = asked({})
    found = asked({"prefill_unit": "matrix", "decode_unit": "reader"}, units=units)
    assert found["results"]["ttft_ms"]["unloaded"] < plain["results"]["ttft_ms"]["unloaded"]
    assert fault({"decode_unit": "reader"}) == ("/deployment/decode_unit", "unknown_unit")
    assert fault({"prefill_unit": "dsp"}, units=units) == ("/deployment/prefill_unit", "unknown_unit")
    wrong = {"matrix": {"rates": {"bf17": 1}}}
    assert fault({}, units=wrong)[0].startswith("/units/matrix/rates")


def test_known_engines_have_a_share_and_rates() -> None:
    npu, igpu = (
        next(unit for unit in known_units()["amd-ryzen-ai-9-hx-370"] if unit.name == name)
        for name in ("npu", "igpu")
    )
    assert dict(npu.rates) == {"int8": 50e12}
    assert (npu.bandwidth_share, igpu.bandwidth_share) == (0.32, 0.6)


def test_a_prefix_common_to_all_leaves_room_for_more(tiny: TinyCatalogue) -> None:
    work = {"isl": 8000, "osl": 500, "prefix_share": 0.9}
    own, common = asked({}, workload=work), asked({}, workload=work | {"prefix_shared": True})
    assert common["results"]["max_concurrency"] > 3 * own["results"]["max_concurrency"]
    assert common["workload"]["prefix_shared"] is True


def test_the_command_line_asks_for_speculation(tiny: TinyCatalogue) -> None:
    options = ("--count", "8", "--weights", "fp8", "--tp", "8", "--concurrency", "4")
    text = estimate(*options, "--speculation", "draft:3:0.8:llama-3.1-8b-instruct")
    assert "draft by llama-3.1-8b-instruct, 3 drafted, 2.95 tokens a step" in text
    found = json.loads(estimate(*options, "--speculation", "ngram:2:0.5", "--json"))
    assert found["speculation"]["tokens_per_step"] == 1.75  # 1 + 0.5 + 0.25


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("mtp", "--speculation 'mtp' is not accepted; accepted: METHOD:TOKENS"),
        ("mtp:1:0.8", "--speculation: llama-3.1-70b-instruct has no multi-token-prediction module"),
        ("ngram:many:0.8", "--speculation: deployment.speculation.draft_tokens is 'many'"),
        ("guess:1:0.8", "--speculation: deployment.speculation.method is 'guess'"),
    ],
)
def test_a_wrong_speculation_is_one_clear_line(tiny: TinyCatalogue, option: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(
            "estimate", "--model", "llama-3.1-70b-instruct", "--hardware", "nvidia-h100-sxm", "--count", "8",
            "--speculation", option,
        )  # fmt: skip
    assert str(caught.value).startswith(message)
