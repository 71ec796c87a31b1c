"""The nearest measured runs of an estimate, the estimator's error on them, and the slice it belongs to."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from estimates.accuracy.evidence import Asked, evidence_for
from estimates.accuracy.report import Report, current
from estimates.accuracy.standing import accuracy
from estimates.evaluate import evaluate
from tests.estimates.conftest import TinyCatalogue
from tests.measured_runs import add_runs

ASKED = Asked(
    accelerator="nvidia-h100-sxm",
    model="llama-3.1-8b-instruct",
    active_parameters=8.03e9,
    vendor="nvidia",
    generation="Hopper",
    kind="gpu",
    software="vllm",
    weight_format="bf16",
    count=1,
    tp=1,
    isl=1024,
    osl=1024,
    concurrency=64,
)


@pytest.fixture
def report(tiny: TinyCatalogue, calibrated: Path) -> Report:
    add_runs()
    found = current()
    assert found is not None
    return found


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [run["run_id"] for run in found]


def test_the_same_run_comes_first_with_the_prediction_made_without_it(report: Report) -> None:
    first = evidence_for(report, ASKED)[0]
    assert first["run_id"] == "r2"
    assert first["figures"] == [
        {
            "metric": "tpot_ms",
            "measured": 20.0,
            "predicted": 18.0,
            "low": 16.0,
            "high": 21.0,
            "error_pct": -10.0,
            "tier": "measured",
            "fold": "rows",
        }
    ]
    assert (first["source"], first["source_url"]) == ("Example lab", "https://example.com/lab.csv")
    assert all(text.startswith("same ") for text in first["compared"])


def test_another_load_is_farther_and_said_as_a_ratio(report: Report) -> None:
    found = evidence_for(report, ASKED)
    assert ids(found) == ["r2", "r3", "r1"]  # 256 is two doublings from 64, 1 is six
    assert "load 256, 4×" in found[1]["compared"]
    assert found[1]["distance"] < found[2]["distance"]


def test_runs_of_the_asked_figure_alone(report: Report) -> None:
    assert ids(evidence_for(report, ASKED, [("ttft_ms",)])) == ["r1"]
    larger = replace(ASKED, model="llama-3.1-70b-instruct", active_parameters=70.6e9)
    assert ids(evidence_for(report, larger, [("output_tok_s_total",)])) == ["r7"]
    assert evidence_for(report, ASKED, [("prefill_tok_s",)]) == []


def test_a_run_without_a_prediction_is_no_evidence(report: Report) -> None:
    """The L40S run was refused for want of a format."""
    on_l40s = replace(ASKED, accelerator="nvidia-l40s", generation="Ada Lovelace")
    assert "r6" not in ids(evidence_for(report, on_l40s))


def test_a_run_reported_apart_says_so_and_comes_after_its_like(report: Report) -> None:
    wanted = replace(ASKED, model="llama-3.1-70b-instruct", active_parameters=70.6e9, weight_format="fp8")
    wanted = replace(wanted, count=8, tp=8)
    found = evidence_for(report, wanted)
    assert ids(found)[0] == "r4"  # another software outweighs less than being speculative
    assert "software sglang, not vllm" in found[0]["compared"]
    apart = next(run for run in found if run["run_id"] == "r5")
    assert apart["compared"][-1].startswith("reported apart")


def test_a_checkpoint_of_the_same_shape_is_named_as_such(report: Report, tiny: TinyCatalogue) -> None:
    from estimates.accuracy.measured_runs import shape_key
    from estimates.from_catalog import model_facts

    shape = shape_key(model_facts(tiny.llama_8b).architecture)
    found = evidence_for(report, replace(ASKED, model="a-fine-tune", shape=shape))
    assert found[0]["compared"][1] == "llama-3.1-8b-instruct, same architecture"


def test_nothing_near_gives_no_evidence(report: Report) -> None:
    far = Asked(accelerator="x", model="y", active_parameters=1e12, vendor="z", kind="tpu", concurrency=1)
    assert evidence_for(report, far) == []


def test_a_run_added_later_is_seen(report: Report, tiny: TinyCatalogue) -> None:
    from catalog.models import MeasurementRun, Source

    before = evidence_for(report, ASKED)
    MeasurementRun.objects.create(
        run_id="new",
        source=Source.objects.get(slug="example-lab"),
        accelerator=tiny.h100,
        accelerator_as_printed="H100",
        model_as_printed="?",
        serving="aggregated",
        scenario="closed_loop",
    )
    assert ids(evidence_for(report, ASKED)) == ids(before)  # known, but not predicted before a calibration


def test_the_slice_is_the_widest_where_none_has_enough_rows(report: Report) -> None:
    """Kin, groups left out: r1, r2, r3 of TPOT; +20, -25, +50% make a median of 25%."""
    found = accuracy(report, ASKED, "kin")
    assert found["tier"] == "kin"
    assert found["tpot_ms"]["slice"] == {}
    assert found["tpot_ms"]["answered"] == 3
    assert found["tpot_ms"]["median_ape_pct"] == pytest.approx(25)
    assert found["tpot_ms"]["url"] == "/accuracy/?metric=tpot_ms&tier=kin&fold=groups"
    assert found["tpot_ms"]["api"].startswith("/api/v1/accuracy?")


def test_the_slice_is_the_narrowest_that_has_enough_rows(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("estimates.accuracy.standing.ENOUGH_ROWS", 2)
    found = accuracy(report, ASKED, "measured")
    assert found["tpot_ms"]["slice"] == {
        "accelerator": "nvidia-h100-sxm",
        "software": "vllm",
        "weight_format": "bf16",
        "serving": "aggregated",
    }
    assert found["tpot_ms"]["answered"] == 3


def test_an_answer_carries_both(report: Report) -> None:
    found = evaluate(
        {
            "model": "llama-3.1-8b-instruct",
            "accelerator": "nvidia-h100-sxm",
            "workload": "chat",
            "deployment": {"weights": "bf16", "tp": 1, "concurrency": 64},
        }
    )
    assert ids(found["evidence"])[0] in ("r1", "r2")
    assert set(found["accuracy"]) == {"tier", "tpot_ms", "ttft_ms", "throughput_tok_s"}


def test_what_does_not_run_has_no_evidence(report: Report) -> None:
    found = evaluate(
        {
            "model": "llama-3.1-70b-instruct",
            "accelerator": "nvidia-l40s",
            "workload": "chat",
            "deployment": {"weights": "bf16", "tp": 1},
        }
    )
    assert found["state"] == "does_not_fit"
    assert (found["accuracy"], found["evidence"]) == (None, [])
