"""Facts and prices as of a day, and two methods: the history moved back in time, so that days differ."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import pytest
from django.utils import timezone

from catalog.history.events import histories
from catalog.models import Accelerator, PeakRate, PriceQuote
from estimates.comparison.diff import answer_diff
from estimates.comparison.history import BeforeHistoryError, accelerator_timeline, sheet_at
from estimates.from_catalog import datasheet_of, evidence_of
from estimates.models import Calculation, Estimate, Method, Objective, State, SupersededEstimate
from estimates.what_if import InvalidQuestion
from tests.estimates.conftest import TinyCatalogue, add_quote

QUESTION: dict[str, Any] = {
    "model": "llama-3.1-70b-instruct",
    "offer": "nvidia-h100-sxm-x8",
    "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
}


def days_ago(days: int) -> str:
    return (timezone.now().date() - timedelta(days=days)).isoformat()


@pytest.fixture
def settled(tiny: TinyCatalogue) -> TinyCatalogue:
    """The catalogue as if it had been entered thirty days ago."""
    past = datetime.now(UTC) - timedelta(days=30)
    for history in histories().values():
        history.events._default_manager.update(pgh_created_at=past)
    return tiny


def test_a_price_of_another_day_is_a_cause_of_cost_alone(settled: TinyCatalogue) -> None:
    """24 USD an hour seen today, 48 seen twenty days ago: half the cost, the same speed."""
    old = add_quote(settled.h100, 8, "48")
    values = {f.attname: getattr(old, f.attname) for f in PriceQuote._meta.concrete_fields}
    seen = timezone.now().date() - timedelta(days=20)
    today = values | {"id": None, "key": "today", "price_per_hour": 24}
    PriceQuote.objects.bulk_create(
        [PriceQuote(**values | {"id": None, "key": "old", "observed_on": seen}), PriceQuote(**today)]
    )
    found = answer_diff({"question": QUESTION, "from": days_ago(10)})
    (fact,) = found["facts"]
    assert (fact["what"], fact["before"], fact["after"]) == ("price", "48.000000", "24.000000")
    cost = found["metrics"]["usd_per_mtok_output"]
    assert [(c["cause"], c["log_share"]) for c in cost["causes"]] == [
        ("price", pytest.approx(-log(2), rel=1e-5))
    ]
    assert found["metrics"]["tpot_ms"]["causes"] == []


def test_an_accelerator_is_rebuilt_whole(settled: TinyCatalogue) -> None:
    row = Accelerator.objects.get(slug="nvidia-h100-sxm")
    evidence = evidence_of([row.pk])
    standing = datasheet_of(row, *([evidence[row.pk]] if row.pk in evidence else []))
    rebuilt = sheet_at(accelerator_timeline(row), timezone.now())
    assert dict(rebuilt.quantities) == dict(standing.quantities)
    assert (rebuilt.slug, rebuilt.vendor, rebuilt.kind, rebuilt.generation) == (
        standing.slug,
        standing.vendor,
        standing.kind,
        standing.generation,
    )


def test_a_rate_that_is_gone_stands_where_it_stood(settled: TinyCatalogue) -> None:
    PeakRate.objects.filter(accelerator=settled.h100, number_format="fp8").delete()
    timeline = accelerator_timeline(settled.h100)
    earlier = sheet_at(timeline, timezone.now() - timedelta(days=1))
    now = sheet_at(timeline, timezone.now())
    assert earlier.quantities["peak_rate:fp8"] == 1979
    assert "peak_rate:fp8" not in now.quantities
    found = answer_diff({"question": QUESTION, "from": days_ago(1)})
    assert [(fact["field"], fact["after"]) for fact in found["facts"]] == [("peak_rate:fp8", None)]


def test_before_its_first_event_nothing_is_known(settled: TinyCatalogue) -> None:
    with pytest.raises(BeforeHistoryError, match="begins at"):
        sheet_at(accelerator_timeline(settled.h100), timezone.now() - timedelta(days=31))


def test_overrides_hold_on_both_sides(settled: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=settled.h100.pk).update(memory_bandwidth_gbs=5000, memory_gb=96)
    question = QUESTION | {"overrides": {"memory_bandwidth_gbs": 4000}}
    found = answer_diff({"question": question, "from": days_ago(1)})
    assert [fact["field"] for fact in found["facts"]] == ["memory_gb"]  # the bandwidth is the question's own


def test_rates_that_are_used_for_one_another_are_one_cause(settled: TinyCatalogue) -> None:
    PeakRate.objects.filter(accelerator=settled.h100, number_format__in=["bf16", "fp16"]).update(
        tera_ops=1200
    )
    found = answer_diff({"question": QUESTION, "from": days_ago(1)})
    assert [fact["field"] for fact in found["facts"]] == ["peak_rate:bf16", "peak_rate:fp16"]
    assert [c["cause"] for c in found["metrics"]["ttft_ms"]["causes"]] == ["figure:peak_rate:bf16"]


def test_many_changed_figures_are_weighed_in_groups(settled: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=settled.h100.pk).update(
        memory_bandwidth_gbs=4000,
        memory_gb=96,
        memory_bytes=96 * 10**9,
        memory_usable_gb=94,
        pcie_generation=5,
    )
    for position, rate in enumerate(PeakRate.objects.filter(accelerator=settled.h100)):
        PeakRate.objects.filter(pk=rate.pk).update(tera_ops=2000 + position)
    PeakRate.objects.create(accelerator=settled.h100, number_format="fp4", tera_ops=4000)
    found = answer_diff({"question": QUESTION, "from": days_ago(1)})
    assert len(found["facts"]) == 10
    causes = {cause["cause"] for cause in found["metrics"]["tpot_ms"]["causes"]}
    assert {"memory_bandwidth", "compute", "capacity"} <= causes
    assert len(causes) <= 8


@pytest.mark.parametrize("method", ["physics", "multipliers"])
def test_methods_that_can_be_evaluated_now(method: str, tiny: TinyCatalogue) -> None:
    found = answer_diff({"question": QUESTION, "from_method": method})
    assert found["to"]["method"] == "calibrated"
    for attribution in found["metrics"].values():
        assert [cause["cause"] for cause in attribution["causes"]] == ["method"]
        assert attribution["unexplained_log"] == 0


@pytest.fixture
def stored(settled: TinyCatalogue) -> Estimate:
    """An estimate with TPOT and the like as an earlier method gave them: 10 ms, 500 ms, 4,000 tokens/s."""
    calculation = Calculation.objects.create(
        language_model=settled.llama_70b, accelerator=settled.h100, state="done", method_version="new-data"
    )
    kept: dict[str, Any] = {"tpot_ms": 10.0, "ttft_ms": 500.0, "throughput_tok_s": 4000.0}
    row = Estimate.objects.create(
        calculation=calculation,
        language_model=settled.llama_70b,
        offer=settled.h100.offers.get(count=8),
        workload=settled.chat,
        objective=Objective.THROUGHPUT,
        state=State.OK,
        weight_format="fp8",
        kv_format="fp8",
        tp=8,
        pp=1,
        ep=1,
        dp=1,
        replicas=1,
        concurrency=64,
        **kept,
    )
    method = Method.objects.create(version="old-data")
    SupersededEstimate.objects.create(
        language_model_id=row.language_model_id,
        offer_id=row.offer_id,
        workload_id=row.workload_id,
        objective=row.objective,
        method_id=method.pk,
        state=State.OK,
        model_version=1,
        accelerator_version=1,
        calculated_at=timezone.now() - timedelta(days=5),
        **kept,
    )
    return row


def test_an_earlier_method_is_a_cause_beside_the_facts_that_changed_since(stored: Estimate) -> None:
    today = answer_diff({"estimate": stored.pk, "from_method": "previous"})
    before_edit = today["metrics"]["tpot_ms"]
    assert [cause["cause"] for cause in before_edit["causes"]] == ["method"]
    assert before_edit["before"] == 10
    assert before_edit["causes"][0]["log_share"] == pytest.approx(before_edit["log_ratio"], rel=1e-5)
    Accelerator.objects.filter(slug="nvidia-h100-sxm").update(memory_bandwidth_gbs=6700)
    found = answer_diff({"estimate": stored.pk, "from_method": "old"})
    tpot = found["metrics"]["tpot_ms"]
    parts = {cause["cause"]: cause["log_share"] for cause in tpot["causes"]}
    assert parts["method"] == pytest.approx(before_edit["log_ratio"], rel=1e-4)
    assert parts["figure:memory_bandwidth_gbs"] < 0
    assert sum(parts.values()) == pytest.approx(log(tpot["after"] / 10), abs=1e-4)
    assert found["from"]["method"] == "old-data"
    assert found["before"]["results"]["tpot_ms"] == 10
    assert "usd_per_mtok_output" in found["not_compared"]


def test_methods_of_which_nothing_is_kept_are_refused_with_those_that_are(stored: Estimate) -> None:
    with pytest.raises(InvalidQuestion) as error:
        answer_diff({"estimate": stored.pk, "from_method": "older"})
    assert (error.value.faults[0].pointer, error.value.faults[0].accepted) == ("/from_method", ["old-data"])
    with pytest.raises(InvalidQuestion) as error:
        answer_diff({"question": QUESTION, "from_method": "previous"})
    assert error.value.faults[0].pointer == "/from_method"
