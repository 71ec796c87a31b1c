"""`manage.py validate`: what it prints and writes, what it refuses, and that it answers as the API does."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from estimates.evaluate import evaluate
from tests.estimates.conftest import TinyCatalogue
from tests.measured.measurement_files import row, write_rows

PEER_COLUMNS = ("run_id", "tool", "metric", "value", "error")


def validate(tmp_path: Path, *rows: dict[str, Any], **options: Any) -> tuple[str, dict[str, Any], list[dict]]:
    """What is printed, the JSON, the predictions."""
    measurements = write_rows(tmp_path / "runs.csv", *rows)
    output = StringIO()
    call_command(
        "validate",
        measurements=str(measurements),
        json=str(tmp_path / "scores.json"),
        predictions=str(tmp_path / "predictions.csv"),
        stdout=output,
        **options,
    )
    with (tmp_path / "predictions.csv").open() as file:
        predictions = list(csv.DictReader(file))
    return output.getvalue(), json.loads((tmp_path / "scores.json").read_text()), predictions


def answer() -> dict[str, Any]:
    """The API's answer to the closed-loop row."""
    return evaluate(
        {
            "model": "llama-3.1-8b-instruct",
            "accelerator": "nvidia-h100-sxm",
            "count": 1,
            "workload": {"isl": 1024, "osl": 512},
            "deployment": {
                "weights": "bf16",
                "tp": 1,
                "pp": 1,
                "dp": 1,
                "replicas": 1,
                "concurrency": 16,
                "software": "vllm",
                "software_version": "0.19.0",
            },
        }
    )


def test_predictions_are_the_answers_of_the_api(tiny: TinyCatalogue, tmp_path: Path):
    metrics = {
        "tpot_ms": 10,
        "ttft_ms": 80,
        "output_tok_s_total": 1500,
        "output_tok_s_per_accel": 1500,
        "total_tok_s": 4500,
        "decode_tok_s_per_user": 100,
        "e2e_latency_s": 5,
    }
    rows = [row(metric=metric, value=value) for metric, value in metrics.items()]
    _, _, predictions = validate(tmp_path, *rows)
    found = {one["metric"]: float(one["predicted"]) for one in predictions}

    expected = answer()["results"]
    tpot, rate = expected["tpot_ms"], expected["throughput_tok_s"]
    assert found["tpot_ms"] == pytest.approx(tpot, rel=1e-4)
    assert found["ttft_ms"] == pytest.approx(expected["ttft_ms"]["loaded_mean"], rel=1e-4)
    assert found["output_tok_s_total"] == pytest.approx(rate, rel=1e-4)
    assert found["output_tok_s_per_accel"] == pytest.approx(rate, rel=1e-4)
    assert found["decode_tok_s_per_user"] == pytest.approx(1000 / tpot, rel=1e-4)
    # 1,024 prompt tokens for every 512 generated: three tokens in all for each output token.
    assert found["total_tok_s"] == pytest.approx(3 * rate, rel=1e-4)
    first = expected["ttft_ms"]["loaded_mean"]
    assert found["e2e_latency_s"] == pytest.approx((first + 511 * tpot) / 1e3, rel=1e-4)


def test_a_prediction_lies_in_its_interval_and_says_what_it_rests_on(tiny: TinyCatalogue, tmp_path: Path):
    rows = [row(metric=metric) for metric in ("tpot_ms", "ttft_ms", "decode_tok_s_per_user", "total_tok_s")]
    _, _, predictions = validate(tmp_path, *rows)
    assert len(predictions) == 4
    for one in predictions:
        assert float(one["low"]) < float(one["predicted"]) < float(one["high"])
        assert one["grade"] in "ABCD"
        assert one["tier"] in ("measured", "kin", "none")
        assert one["reason"] == ""


def test_scores_are_by_metric_view_tier_and_slice(tiny: TinyCatalogue, tmp_path: Path):
    predicted = answer()["results"]["tpot_ms"]
    rows = [
        row(run_id="exact", value=predicted),
        row(run_id="double", value=predicted / 2),  # the estimate is twice as long: +100%
        row(run_id="apart", value=predicted / 4, flags="speculative"),  # +300%
    ]
    printed, scores, _ = validate(tmp_path, *rows, by="accelerator,framework")

    assert scores["tpot_ms"]["all"]["rows"] == 3
    complete = scores["tpot_ms"]["complete"]
    assert (complete["rows"], complete["answered"]) == (2, 2)
    assert complete["mape_pct"] == pytest.approx(50, abs=0.1)
    assert complete["bias_pct"] == pytest.approx(50, abs=0.1)
    assert complete["within20_pct"] == 50
    assert set(scores["tiers"]) <= {"measured", "kin", "none"}
    assert scores["slices"]["accelerator"]["nvidia-h100-sxm"]["tpot_ms"]["complete"] == complete
    assert scores["slices"]["framework"]["vLLM"]["tpot_ms"]["complete"] == complete
    assert "Error by metric" in printed
    assert "Complete rows by framework" in printed


def test_a_row_that_cannot_be_answered_is_listed_with_the_missing_fact(tiny: TinyCatalogue, tmp_path: Path):
    rows = [
        row(run_id="chip", accelerator="", accelerator_as_printed="X1"),
        row(run_id="mystery", accelerator="mystery", n_accelerators=1),
        row(run_id="lengths", isl=""),
    ]
    printed, scores, predictions = validate(tmp_path, *rows)

    assert scores["tpot_ms"]["all"] == {"rows": 3, "answered": 0} | dict.fromkeys(
        (
            "mape_pct",
            "median_ape_pct",
            "bias_pct",
            "within20_pct",
            "coverage80_pct",
            "interval_ratio",
        )
    )
    reasons = {one["run_id"]: one["reason"] for one in predictions}
    assert reasons == {
        "chip": "X1 is no accelerator of the catalogue",
        "mystery": "the memory bandwidth of mystery is not published",
        "lengths": "the input length is not stated",
    }
    assert {one["reason"]: one["rows"] for one in scores["refused"]} == dict.fromkeys(reasons.values(), 1)
    assert "Not answered: 3 figures" in printed
    assert "the memory bandwidth of mystery is not published" in printed


def test_a_physically_impossible_row_is_counted_and_listed(tiny: TinyCatalogue, tmp_path: Path):
    # 15 GB of weights at 3,350 GB/s take 4.5 ms.
    printed, scores, _ = validate(
        tmp_path, row(run_id="impossible", value=3), row(run_id="possible", value=9)
    )
    assert [one["run_id"] for one in scores["impossible"]] == ["impossible"]
    assert scores["impossible"][0]["tpot_ms"] == 3
    assert scores["impossible"][0]["floor_ms"] > 0.95 * 4.4
    assert (scores["tpot_ms"]["complete"]["rows"], scores["tpot_ms"]["plausible"]["rows"]) == (2, 1)
    assert "Physically impossible: 1 figures" in printed


def test_peers_are_compared_on_the_rows_that_they_answer(tiny: TinyCatalogue, tmp_path: Path):
    predicted = answer()["results"]["tpot_ms"]
    peers = write_rows(
        tmp_path / "peers.csv",
        {"run_id": "one", "tool": "rule of thumb", "metric": "tpot_ms", "value": predicted * 1.5},
        {"run_id": "two", "tool": "rule of thumb", "metric": "tpot_ms", "value": "", "error": "no data"},
        {"run_id": "elsewhere", "tool": "rule of thumb", "metric": "tpot_ms", "value": 1},
        columns=PEER_COLUMNS,
    )
    rows = [row(run_id="one", value=predicted), row(run_id="two", value=predicted)]
    printed, scores, _ = validate(tmp_path, *rows, peers=str(peers))

    found = {(one["tool"], one["view"]): one for one in scores["peers"]}["rule of thumb", "complete"]
    assert (found["peer"]["rows"], found["peer"]["answered"]) == (2, 1)
    assert found["peer"]["mape_pct"] == pytest.approx(50, abs=0.01)
    assert (found["ours"]["rows"], found["ours"]["answered"]) == (1, 1)
    assert found["ours"]["mape_pct"] == pytest.approx(0, abs=0.01)
    assert "rule of thumb" in printed


def test_a_run_that_needs_a_little_more_memory_did_run(tiny: TinyCatalogue, tmp_path: Path):
    # 70.6 G parameters at 4.9 bits are 43 GB: more than 90% of 48 GB less what vLLM keeps back, less than
    # 90% of 52.8 GB.
    changes = {"accelerator": "nvidia-l40s", "model": "llama-3.1-70b-instruct", "weight_format": "q4_k_m"}
    changes |= {"scenario": "decode", "isl": "", "osl": 128, "concurrency": 1, "framework": "vLLM"}
    _, _, (one,) = validate(tmp_path, row(**changes))
    assert float(one["predicted"]) > 0
    assert one["reason"].startswith("memory +10%, for it ran: ")


def test_a_run_that_is_far_beyond_the_memory_is_not_answered(tiny: TinyCatalogue, tmp_path: Path):
    _, _, (one,) = validate(tmp_path, row(accelerator="nvidia-l40s", model="llama-3.1-70b-instruct"))
    assert one["predicted"] == ""
    assert "more are needed on each chip" in one["reason"]


def test_scores_go_to_the_output_as_json(tiny: TinyCatalogue, tmp_path: Path):
    output = StringIO()
    path = write_rows(tmp_path / "runs.csv", row())
    call_command("validate", measurements=str(path), json="-", stdout=output)
    assert json.loads(output.getvalue())["figures"] == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "colour"}, "--by colour is no slice; accepted: accelerator, "),
        ({"measurements": "absent.csv"}, "there is no file absent.csv"),
        ({"peers": "absent.csv"}, "there is no file absent.csv"),
        ({"ranking": "absent/ranking.json"}, "absent/.ranking.json.new cannot be written"),
        ({"json": "absent/scores.json"}, "absent/scores.json cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(db: None, tmp_path: Path, options: dict, said: str):
    given = {"measurements": str(write_rows(tmp_path / "runs.csv", row()))} | options
    with pytest.raises(CommandError) as raised:
        call_command("validate", **given)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "fast"}, "line 2: value is 'fast'; accepted: a number of at least 0, or empty"),
        ({"metric": "speed"}, "line 2: metric is 'speed'; accepted: "),
        ({"tool": ""}, "line 2: tool is empty; accepted: a name"),
    ],
)
def test_a_peers_file_is_checked(db: None, tmp_path: Path, changes: dict, said: str):
    figure = {"run_id": "one", "tool": "t", "metric": "tpot_ms", "value": 1} | changes
    peers = write_rows(tmp_path / "peers.csv", figure, columns=PEER_COLUMNS)
    path = write_rows(tmp_path / "runs.csv", row())
    with pytest.raises(CommandError, match=said):
        call_command("validate", measurements=str(path), peers=str(peers))


def test_a_peers_file_names_its_missing_column(db: None, tmp_path: Path):
    peers = write_rows(tmp_path / "peers.csv", columns=("run_id", "tool", "metric"))
    path = write_rows(tmp_path / "runs.csv", row())
    with pytest.raises(CommandError, match="lacks columns: value"):
        call_command("validate", measurements=str(path), peers=str(peers))


def test_the_order_of_systems_is_reported_by_group(tiny: TinyCatalogue, tmp_path: Path):
    # Eight chips with 16 users between them do less a chip than one with all, and an L40S has a quarter of an
    # H100's bandwidth. The file has the L40S ahead of both: the two pairs with it are wrong, one is right.
    systems = {
        "h100": ("nvidia-h100-sxm", 1, 1),
        "l40s": ("nvidia-l40s", 1, 1),
        "eight": ("nvidia-h100-sxm", 8, 8),
    }
    rates = {"h100": 1500, "l40s": 3000, "eight": 1600}
    rows = [
        row(
            run_id=name,
            accelerator=chip,
            n_accelerators=count,
            tp=tp,
            metric="output_tok_s_total",
            value=rates[name],
        )
        for name, (chip, count, tp) in systems.items()
    ]
    printed, scores, _ = validate(tmp_path, *rows)

    ranking = scores["ranking"]
    assert {(one["view"], one["by"], one["at"]) for one in ranking["groups"]} == {
        ("best", "system", None),
        ("load", "system", 16),
    }
    for one in ranking["groups"]:
        assert [(s["accelerator"], s["count"]) for s in one["systems"]] == [
            ("nvidia-l40s", 1),
            ("nvidia-h100-sxm", 1),
            ("nvidia-h100-sxm", 8),
        ]
        assert one["orders"]["in_sample"]["tau"] == pytest.approx(1 / 3, abs=1e-4)
        (swap,) = one["orders"]["in_sample"]["swapped"]
        assert (swap["better"], swap["worse"]) == ("1 x nvidia-l40s", "1 x nvidia-h100-sxm")
        assert swap["measured_ratio"] == 2
    by_order = {(one["view"], one["order"]): one["tau"] for one in ranking["means"]}
    assert set(by_order) == {("best", "in_sample"), ("load", "in_sample"), ("load", "search")}
    assert "llama-3.1-8b-instruct 1024/512 closed_loop vllm, best, in sample" in printed
    assert "1 x nvidia-l40s over 1 x nvidia-h100-sxm: measured 2.00, predicted 0." in printed


def test_the_ranking_in_short_takes_the_place_of_the_former_file_whole(tiny: TinyCatalogue, tmp_path: Path):
    systems = {"h100": ("nvidia-h100-sxm", 1, 1500), "l40s": ("nvidia-l40s", 1, 3000)}
    systems |= {"eight": ("nvidia-h100-sxm", 8, 1600)}
    rows = [
        row(run_id=name, accelerator=chip, n_accelerators=n, tp=n, metric="output_tok_s_total", value=rate)
        for name, (chip, n, rate) in systems.items()
    ]
    path = tmp_path / "ranking.json"
    path.write_text("former")
    _, scores, _ = validate(tmp_path, *rows, ranking=str(path))
    found = json.loads(path.read_text())
    assert found["means"] == scores["ranking"]["means"]
    assert (found["runs"], found["noise"], found["low_tau"]) == (3, 0.065, 0.5)
    # The L40S is wrongly behind an H100 in both views: (2 - 1) / 3 is low.
    assert [(one["view"], one["at"]) for one in found["low_groups"]] == [("best", None), ("load", 16)]
    assert all("systems" not in one for one in found["low_groups"])
    assert sorted(one.name for one in tmp_path.iterdir() if "ranking" in one.name) == ["ranking.json"]


def test_fewer_than_three_systems_have_no_order(tiny: TinyCatalogue, tmp_path: Path):
    printed, scores, _ = validate(tmp_path, row())
    assert scores["ranking"]["groups"] == scores["ranking"]["means"] == []
    assert "no group of at least three systems" in printed
