"""`manage.py estimate`, `search`, `recalculate` and `sweep`: what they print, one line for what is wrong."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import Accelerator, PriceQuote
from estimates.models import CalculationRun, Estimate, RunState
from estimates.staleness import stale_calculations
from tests.estimates.conftest import TinyCatalogue


def run(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def estimate(*arguments: str) -> str:
    model = ["--model", "llama-3.1-70b-instruct", "--hardware", "nvidia-h100-sxm"]
    return run("estimate", *model, *arguments)


def test_estimate_prints_a_table(tiny: TinyCatalogue, quote: PriceQuote) -> None:
    load = ("--isl", "1024", "--osl", "1024", "--concurrency", "64")
    text = estimate("--count", "8", "--weights", "fp8", *load)
    for line in (
        "Time per output token",
        "Time to first token",
        "Output throughput",
        "Binding limit",
        "Grade",
    ):
        assert line in text
    assert "24 USD/h (Example Cloud" in text
    assert "memory_bandwidth_gbs" in text


def test_estimate_prints_json(tiny: TinyCatalogue) -> None:
    found = json.loads(estimate("--count", "8", "--weights", "fp8", "--tp", "8", "--json"))
    assert (found["state"], found["deployment"]["tp"], found["workload"]["isl"]) == ("ok", 8, 1024)


def test_estimate_says_what_does_not_fit(tiny: TinyCatalogue) -> None:
    text = estimate("--weights", "bf16")
    assert "does not fit" in text
    assert "GB on each chip" in text


def test_estimate_takes_overrides(tiny: TinyCatalogue) -> None:
    arguments = ("--count", "8", "--weights", "fp8", "--json")
    plain = json.loads(estimate(*arguments))
    faster = json.loads(estimate(*arguments, "--override", "memory_bandwidth_gbs=+20%"))
    assert faster["results"]["tok_s_per_user"] > 0
    assert faster["fingerprint"] != plain["fingerprint"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "-1"], "--count: count is '-1'; accepted: at least 1"),
        (["--count", "eight"], "--count: count is 'eight'; accepted: a whole number"),
        (["--count", "8", "--tp", "5"], "--tp: tensor parallel size 5 does not divide the heads (64)"),
        (["--isl", "nan"], "--isl: workload_overrides.isl is 'nan'; accepted: a whole number"),
        (["--weights", "fp9"], "--weights: unknown number format 'fp9'"),
        (["--workload", "chatting"], "--workload: there is no workload 'chatting'; did you mean chat"),
        (["--override", "bandwidth"], "--override 'bandwidth' is not accepted; accepted: FIGURE=VALUE"),
        (["--override", "memory_gb=nan"], "--override: memory_gb is nan; accepted: a finite number above 0"),
        (["--price-basis", "free"], "--price-basis: price.basis is 'free'; accepted: 'on_demand'"),
        (["--offer", "nvidia-h100-sxm-x8"], "--hardware: name the hardware as an accelerator with a count"),
    ],
)
def test_a_wrong_option_is_one_clear_line(tiny: TinyCatalogue, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        estimate(*arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 1


def test_an_unknown_model_comes_with_near_matches(tiny: TinyCatalogue) -> None:
    with pytest.raises(
        CommandError, match=r"--model: there is no language model 'llama-70b'; did you mean .*70b"
    ):
        run("estimate", "--model", "llama-70b", "--hardware", "nvidia-h100-sxm")


def test_recalculate_all_reports_configurations_rows_and_bytes(tiny: TinyCatalogue) -> None:
    text = run("recalculate", "--all", "--workers", "1")
    assert "3 models" in text
    assert "configurations/s" in text
    assert f"rows written of {Estimate.objects.count():,}" in text
    assert "MB on disk" in text
    assert CalculationRun.objects.get().state == RunState.DONE


def test_recalculate_without_a_scope_takes_what_is_stale(tiny: TinyCatalogue) -> None:
    run("recalculate", "--all", "--workers", "1")
    Accelerator.objects.filter(pk=tiny.h100.pk).update(memory_bandwidth_gbs=4020)
    run("recalculate", "--workers", "1")
    assert not stale_calculations().exists()
    assert CalculationRun.objects.first().scope == "stale"


def test_recalculate_if_empty_does_so_once(tiny: TinyCatalogue) -> None:
    run("recalculate", "--if-empty", "--workers", "1")
    assert "Nothing to do" in run("recalculate", "--if-empty", "--workers", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "llama-70b"], "'llama-70b' is not accepted; accepted: the slug of a language model"),
        (
            ["--accelerator", "h100"],
            "'h100' is not accepted; accepted: the slug of an accelerator; did you mean",
        ),
        (["--all", "--workers", "0"], "--workers 0 is not accepted; accepted: 1 to 64"),
    ],
)
def test_recalculate_refuses_what_it_does_not_know(
    tiny: TinyCatalogue, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        run("recalculate", *arguments)
    assert str(caught.value).startswith(message)


def test_recalculate_left_to_the_workers_is_kept_until_they_make_it(tiny: TinyCatalogue) -> None:
    text = run("recalculate", "--accelerator", "nvidia-l40s", "--enqueue", "--no-wait")
    assert "in the hands of the workers" in text
    waiting = CalculationRun.objects.get()
    assert waiting.pending.count() == 3
    assert "3 calculations" in run("sweep", "--run", str(waiting.pk))
    waiting.refresh_from_db()
    assert waiting.state == RunState.DONE


def search(*arguments: str) -> str:
    return run("search", "--model", "llama-3.1-70b-instruct", "--concurrency", "16", *arguments)


def test_search_prints_a_ranking_and_what_is_excluded(tiny: TinyCatalogue, quote: PriceQuote) -> None:
    """Of three offers both of the H100 are priced by the quote of eight, the L40S is not."""
    text = search("--workload", "chat", "--spare", "1")
    assert "by usd_per_mtok, price basis on_demand" in text
    assert "nvidia-h100-sxm-x8" in text
    assert "2 of 3 offers keep every limit; excluded: price 1." in " ".join(text.split())


def test_search_prints_json(tiny: TinyCatalogue, quote: PriceQuote) -> None:
    found = json.loads(search("--price-basis", "none", "--limit", "2", "--vendor", "nvidia", "--json"))
    assert found["price_basis"] == "none"
    assert found["demand"]["concurrency"] == [16]
    assert [row["rank"] for row in found["results"]] == [1, 2]


def test_a_large_search_is_a_job_that_the_command_works_on(tiny: TinyCatalogue) -> None:
    arguments = ("--model", "all", "--concurrency", "1,16", "--price-basis", "none", "--job", "--json")
    found = json.loads(run("search", *arguments))
    assert found["models"] == ["llama-3.1-70b-instruct", "llama-3.1-8b-instruct"]
    assert len(found["parts"]) == 4
    assert found["complete"]


def test_a_search_can_be_left_to_the_workers(tiny: TinyCatalogue) -> None:
    text = search("--concurrency", "1,16", "--enqueue")
    assert text.endswith(": 2 parts, in the hands of the workers.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--vendor", "nvidya"], "--vendor: there is no vendor 'nvidya'; did you mean nvidia?"),
        (["--tpot", "-1"], "--tpot: demand.tpot_ms is '-1'; accepted: above 0"),
        (["--concurrency", "1,none"], "--concurrency: demand.concurrency.1 is 'none'; accepted: a whole"),
        (["--requests-per-s", "2"], "--requests-per-s: the load is given as concurrency and as requests"),
        (["--format", "fp9"], "--format: unknown number format 'fp9'"),
    ],
)
def test_a_wrong_option_of_a_search_is_one_clear_line(
    tiny: TinyCatalogue, arguments: list[str], message: str
) -> None:
    with pytest.raises(CommandError) as caught:
        search(*arguments)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
