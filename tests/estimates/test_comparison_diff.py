"""Facts and prices as of a day, and two methods: the history moved back in time, so that days differ."""

from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import pytest
from django.utils import timezone

from catalog.api.changes import histories
from catalog.models import Accelerator, PeakRate, PriceQuote
from estimates.comparison.diff import answer_diff
from estimates.comparison.history import BeforeHistoryError, accelerator_timeline, sheet_at
from estimates.from_catalog import datasheet_of, evidence_of
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
