"""What makes two answers differ: shares by hand, and that they add up to the whole."""

from math import log
from typing import Any

import pytest

from catalog.models import PriceQuote
from estimates.comparison import attribution as attributing
from estimates.comparison.compare import answer_comparison
from estimates.what_if import InvalidQuestion
from tests.estimates.conftest import TinyCatalogue, add_quote

METRICS = ("tpot_ms", "ttft_ms", "throughput_tok_s", "usd_per_mtok_output")
#: Eight H100, one stream: every step reads all weights for one token, far below the compute roof.
STREAM: dict[str, Any] = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "deployment": {"weights": "fp8", "kv_format": "fp8", "tp": 8, "concurrency": 1},
}
#: The same on a single chip without links: 16.1e9 bytes at 3,350 GB/s are 4.8 ms a token.
ALONE: dict[str, Any] = {
    "model": "llama-3.1-8b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "deployment": {"weights": "bf16", "concurrency": 1},
}


def pair(first: Any, second: Any) -> Any:
    return answer_comparison({"options": [first, second]})["pairs"][0]


def log_shares(attribution: Any) -> dict[str, float]:
    return {cause["cause"]: cause["log_share"] for cause in attribution["causes"]}


def test_a_decode_that_bandwidth_binds_is_explained_by_bandwidth_and_not_by_compute(
    tiny: TinyCatalogue,
) -> None:
    """Bandwidth and rates both doubled: a stream's token waits for the weights to be read, not multiplied.

    16.1e9 bytes at 3,350 GB/s are 4.8 ms, 2 x 8.03e9 FLOP at 989 TFLOPS 0.016 ms.
    """
    rates = {f"peak_rate:{name}": "x2" for name in ("fp8", "bf16", "fp16")}
    doubled = ALONE | {"overrides": {"memory_bandwidth_gbs": "x2"} | rates}
    tpot = pair(ALONE, doubled)["metrics"]["tpot_ms"]
    shares = log_shares(tpot)
    assert shares.keys() == {"memory_bandwidth", "compute"}
    assert shares["memory_bandwidth"] / tpot["log_ratio"] > 0.99
    assert log(0.5) < tpot["log_ratio"] < log(0.7)  # launches do not get faster


def test_one_cause_explains_everything(tiny: TinyCatalogue) -> None:
    found = pair(STREAM, STREAM | {"overrides": {"memory_bandwidth_gbs": "x2"}})
    for attribution in found["metrics"].values():
        assert log_shares(attribution) == {"memory_bandwidth": attribution["log_ratio"]}
        assert attribution["unexplained_log"] == 0
    assert found["changes"]["memory_bandwidth"] == [
        {"field": "memory_bandwidth_gbs", "before": 3350.0, "after": 6700.0, "unit": "GB/s"}
    ]


def test_parts_and_rest_add_up_to_the_ratio_whatever_interacts(
    tiny: TinyCatalogue, quote: PriceQuote
) -> None:
    """Another chip, format, layout, load and price at once."""
    other = {
        "model": "llama-3.1-70b-instruct",
        "accelerator": "nvidia-h100-sxm",
        "count": 8,
        "deployment": {"weights": "bf16", "tp": 4, "concurrency": 96},
        "overrides": {"memory_bandwidth_gbs": 4800, "memory_gb": 141, "peak_rate:fp8": 2500},
        "price": {"usd_per_hour": "32"},
    }
    found = pair(STREAM, other)
    assert set(found["metrics"]) == set(METRICS)
    for attribution in found["metrics"].values():
        assert attribution["weighed"] == "every order"
        whole = sum(log_shares(attribution).values()) + attribution["unexplained_log"]
        assert whole == pytest.approx(attribution["log_ratio"], abs=1e-5)
        assert attribution["log_ratio"] == pytest.approx(
            log(attribution["after"] / attribution["before"]), abs=1e-4
        )


def test_the_ends_are_the_answers_themselves(tiny: TinyCatalogue) -> None:
    wide = STREAM | {"deployment": {"weights": "bf16", "tp": 8, "concurrency": 64}}
    found = answer_comparison({"options": [STREAM, wide]})
    tpot = found["pairs"][0]["metrics"]["tpot_ms"]
    answers = [option["answer"]["results"]["tpot_ms"] for option in found["options"]]
    assert [tpot["before"], tpot["after"]] == pytest.approx(answers, rel=1e-4)


def test_another_format_alone_is_the_whole_cause(tiny: TinyCatalogue) -> None:
    """A stream in 16 bit reads up to twice the bytes, and nothing else differs."""
    small = ALONE | {"deployment": {"weights": "fp8", "concurrency": 1}}
    tpot = pair(small, ALONE | {"deployment": {"weights": "bf16", "concurrency": 1}})["metrics"]["tpot_ms"]
    shares = log_shares(tpot)
    assert shares.keys() == {"format"}
    assert 0 < shares["format"] <= log(2)


def test_twice_the_price_is_twice_the_cost_and_nothing_else(tiny: TinyCatalogue) -> None:
    cheap = STREAM | {"price": {"usd_per_hour": "16"}}
    dear = STREAM | {"price": {"usd_per_hour": "32"}}
    metrics = pair(cheap, dear)["metrics"]
    assert log_shares(metrics["usd_per_mtok_output"]) == {"price": pytest.approx(log(2), rel=1e-5)}
    assert metrics["tpot_ms"]["causes"] == []
    assert metrics["tpot_ms"]["ratio"] == 1


def test_half_the_chips_at_the_same_price_a_chip(tiny: TinyCatalogue) -> None:
    """Eight chips run two replicas of four, four run one, as loaded: half the rate at half the price."""
    eight = {
        "model": "llama-3.1-70b-instruct",
        "accelerator": "nvidia-h100-sxm",
        "count": 8,
        "deployment": {"weights": "fp8", "tp": 4, "replicas": 2, "concurrency": 64},
        "price": {"usd_per_hour": "16"},
    }
    four = eight | {
        "count": 4,
        "deployment": {"weights": "fp8", "tp": 4, "replicas": 1, "concurrency": 32},
        "price": {"usd_per_hour": "8"},
    }
    metrics = pair(eight, four)["metrics"]
    assert metrics["tpot_ms"]["log_ratio"] == pytest.approx(0, abs=1e-9)
    assert log_shares(metrics["throughput_tok_s"]) == {"layout": pytest.approx(log(0.5), rel=1e-5)}
    assert log_shares(metrics["usd_per_mtok_output"]) == {"layout": pytest.approx(0, abs=1e-5)}


def test_capacity_and_what_it_holds_are_one_cause_where_neither_is_anything_alone(
    tiny: TinyCatalogue,
) -> None:
    """70 GB of weights and their cache on one chip of 200 GB: no such load exists on one of 80 GB."""
    small = {
        "model": "llama-3.1-70b-instruct",
        "accelerator": "nvidia-h100-sxm",
        "count": 1,
        "workload": {"isl": 128, "osl": 128},
        "deployment": {"weights": "int4", "concurrency": 16},
    }
    large = small | {
        "overrides": {"memory_gb": 200},
        "deployment": {"weights": "int4", "concurrency": 800},
    }
    found = pair(small, large)
    assert set(log_shares(found["metrics"]["tpot_ms"])) == {"capacity"}
    assert {change["field"] for change in found["changes"]["capacity"]} >= {"memory_gb", "concurrency"}


def test_chips_of_another_kind_differ_in_their_efficiency_too(tiny: TinyCatalogue) -> None:
    one = {
        "model": "llama-3.1-8b-instruct",
        "accelerator": "nvidia-h100-sxm",
        "deployment": {"weights": "fp8", "concurrency": 8},
    }
    found = pair(one, one | {"accelerator": "nvidia-l40s"})
    shares = log_shares(found["metrics"]["tpot_ms"])
    assert {"memory_bandwidth", "compute", "efficiency"} <= shares.keys()
    assert shares["memory_bandwidth"] == max(shares.values())  # 3,350 against 864 GB/s


def test_an_option_that_does_not_run_says_why_and_takes_nothing_from_the_others(tiny: TinyCatalogue) -> None:
    small = {
        "model": "llama-3.1-70b-instruct",
        "accelerator": "nvidia-l40s",
        "deployment": {"weights": "bf16"},
    }
    found = answer_comparison({"options": [STREAM, small, STREAM]})
    assert "does not run" in found["pairs"][0]["why_not"]
    assert found["pairs"][0]["metrics"] == {}
    assert found["options"][1]["answer"]["state"] == "does_not_fit"
    assert found["pairs"][1]["metrics"]["tpot_ms"]["ratio"] == 1


def test_differences_come_before_what_is_the_same(tiny: TinyCatalogue) -> None:
    add_quote(tiny.h100, 8, "24")
    found = answer_comparison({"options": [STREAM, STREAM | {"count": 4, "deployment": {"weights": "fp8"}}]})
    different = {line["field"]: line["values"] for line in found["differences"]}
    assert different["chips"] == [8, 4]
    assert {"model", "memory_bandwidth_gbs", "weights"} <= {line["field"] for line in found["same"]}
    assert not different.keys() & {line["field"] for line in found["same"]}


def test_the_baseline_can_be_any_option(tiny: TinyCatalogue) -> None:
    fast = STREAM | {"overrides": {"memory_bandwidth_gbs": "x2"}}
    forth = pair(STREAM, fast)["metrics"]["tpot_ms"]["log_ratio"]
    back = answer_comparison({"options": [STREAM, fast], "baseline": 1})["pairs"][0]
    assert back["option"] == 0
    assert back["metrics"]["tpot_ms"]["log_ratio"] == pytest.approx(-forth, rel=1e-5)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"options": [STREAM]}, "/options"),
        ({"options": [STREAM] * 9}, "/options"),
        ({"options": [STREAM] * 2, "baseline": 2}, "/baseline"),
        ({"options": [STREAM, {"estimate": 1}]}, "/options/1/estimate"),
        ({"options": [STREAM, {"estimate": "1"}]}, "/options/1/estimate"),
        ({"options": [STREAM, 7]}, "/options/1"),
        ({"options": [STREAM, STREAM | {"label": 7}]}, "/options/1/label"),
        ({"options": [STREAM, STREAM | {"model": "llama-9"}]}, "/options/1/model"),
        ({"options": [STREAM, STREAM | {"deployment": {"tp": 7}}]}, "/options/1/deployment/tp"),
        ({}, "/options"),
    ],
)
def test_a_fault_is_named_by_its_place(body: Any, pointer: str, tiny: TinyCatalogue) -> None:
    with pytest.raises(InvalidQuestion) as error:
        answer_comparison(body)
    assert pointer in [fault.pointer for fault in error.value.faults]


def test_too_many_causes_are_swapped_in_one_stated_order(
    tiny: TinyCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attributing, "MOST_EXACT", 1)
    doubled = STREAM | {"overrides": {"memory_bandwidth_gbs": "x2", "peak_rate:fp8": "x2"}}
    ttft = pair(STREAM, doubled)["metrics"]["ttft_ms"]
    assert ttft["weighed"] == "one order"
    assert "memory bandwidth, compute rate" in ttft["note"]
    assert sum(log_shares(ttft).values()) == pytest.approx(ttft["log_ratio"], abs=1e-5)
    alone = pair(STREAM, STREAM | {"overrides": {"memory_bandwidth_gbs": "x2"}})["metrics"]["ttft_ms"]
    assert log_shares(ttft)["memory_bandwidth"] == pytest.approx(
        alone["log_ratio"], rel=1e-4
    )  # it goes first


def test_chips_that_no_link_joins_are_compared_with_links_and_layout_as_one(tiny: TinyCatalogue) -> None:
    """An inline chip without any link against eight joined ones: eight of the first cannot be, in between."""
    figures = {"memory_gb": 80, "memory_bandwidth_gbs": 3350, "peak_rate:bf16": 989, "peak_rate:fp8": 1979}
    lone = {
        "model": "llama-3.1-8b-instruct",
        "accelerator": {"name": "lone", "vendor": "nvidia", "generation": "Hopper", "figures": figures},
        "deployment": {"weights": "fp8", "concurrency": 8},
    }
    joined = {
        "model": "llama-3.1-8b-instruct",
        "accelerator": "nvidia-h100-sxm",
        "count": 8,
        "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
    }
    found = pair(lone, joined)
    tpot = found["metrics"]["tpot_ms"]
    assert "links" not in log_shares(tpot)
    assert {change["field"] for change in found["changes"]["layout"]} >= {"tp", "link:scale_up:bandwidth_gbs"}
    assert sum(log_shares(tpot).values()) == pytest.approx(tpot["log_ratio"], abs=1e-5)


def test_models_and_workloads_can_differ_too(tiny: TinyCatalogue) -> None:
    large = ALONE | {
        "model": "llama-3.1-70b-instruct",
        "count": 8,
        "deployment": {"weights": "fp8", "tp": 8, "concurrency": 1},
    }
    small = large | {"model": "llama-3.1-8b-instruct", "workload": {"isl": 8000, "osl": 100}}
    shares = log_shares(pair(large, small)["metrics"]["tpot_ms"])
    assert {"model", "workload"} <= shares.keys()
    assert shares["model"] < 0 < shares["workload"]  # fewer weights to read, more cache
