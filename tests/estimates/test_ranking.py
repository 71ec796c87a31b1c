"""Choosing, pricing and ordering kept answers; money and machines by hand."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from catalog.prices import QuoteUsed
from estimates.models import Limit, Objective, State
from estimates.pages.table import csv_rows, lines, short_name, sorted_answers
from estimates.ranking import Answer, Limits, choose, for_users

QUOTE = QuoteUsed(
    quote_id=1,
    key="k",
    provider="example-cloud",
    provider_name="Example Cloud",
    offering="node",
    region="eu-1",
    country="DE",
    pricing_model="on_demand",
    term="",
    kind="list",
    source="prices",
    source_url="",
    usd_per_hour=Decimal("36"),
    quoted_usd_per_hour=Decimal("36"),
    quoted_count=Decimal(8),
    scaled_from=None,
    observed_on=date(2026, 1, 1),
    age_days=0,
    stale=False,
)
ROW = Answer(
    pk=1,
    offer_id=1,
    offer="nvidia-h100-sxm-x8",
    count=8,
    accelerator="nvidia-h100-sxm",
    accelerator_name="NVIDIA H100 SXM",
    vendor="nvidia",
    vendor_name="NVIDIA",
    segment="datacentre",
    kind="gpu",
    status="available",
    objective=Objective.THROUGHPUT_WITHIN,
    state=State.OK,
    reason="",
    weight_format="fp8",
    kv_format="fp8",
    tp=8,
    pp=1,
    ep=1,
    dp=1,
    replicas=1,
    concurrency=64,
    tpot_ms=20.0,
    tpot_low_ms=16.0,
    tpot_high_ms=25.0,
    ttft_ms=500.0,
    ttft_low_ms=400.0,
    ttft_high_ms=700.0,
    ttft_unloaded_ms=100.0,
    throughput_tok_s=10_000.0,
    throughput_low_tok_s=8_000.0,
    throughput_high_tok_s=12_500.0,
    tok_s_per_user=50.0,
    memory_used_gb=60.0,
    memory_usable_gb=80.0,
    shortfall_gb=None,
    binding_limit=Limit.BANDWIDTH,
    grade="B",
    meets_service_level=True,
    is_stale=False,
    quote=QUOTE,
)
SLOW = replace(
    ROW, pk=2, objective=Objective.THROUGHPUT, tpot_ms=80.0, throughput_tok_s=2e4, meets_service_level=False
)
FASTEST = replace(
    ROW, pk=3, objective=Objective.FASTEST, tpot_ms=8.0, ttft_ms=90.0, throughput_tok_s=1e3, concurrency=8
)


def test_cost_is_the_price_of_the_seconds_a_million_tokens_take() -> None:
    """10,000 tokens/s make 36e6 an hour: at 36 USD an hour 1 USD a million. The interval turns round."""
    assert ROW.usd_per_mtok == pytest.approx(1.0)
    assert (ROW.usd_low_per_mtok, ROW.usd_high_per_mtok) == pytest.approx((0.8, 1.25))


def test_without_a_quote_or_a_throughput_there_is_no_cost() -> None:
    assert replace(ROW, quote=None).usd_per_mtok is None
    assert replace(ROW, throughput_tok_s=None).usd_per_mtok is None


def test_an_offer_answers_with_its_best_row_within_the_limits() -> None:
    kept = [ROW, SLOW, FASTEST]
    assert choose(kept, Limits(), Objective.THROUGHPUT_WITHIN).answers == [ROW]
    assert choose(kept, Limits(), Objective.FASTEST).answers == [FASTEST]
    assert choose(kept, Limits(), Objective.THROUGHPUT).answers == [SLOW]


def test_limits_of_ones_own_replace_the_service_level() -> None:
    kept = [ROW, SLOW, FASTEST]
    tight = Limits(tpot_ms=10, ttft_ms=2000, own_service_level=False)
    loose = Limits(tpot_ms=100, ttft_ms=2000, own_service_level=False)
    assert choose(kept, tight, Objective.THROUGHPUT_WITHIN).answers == [FASTEST]
    assert choose(kept, loose, Objective.THROUGHPUT_WITHIN).answers == [SLOW]


def test_an_offer_that_misses_the_limits_is_too_slow_and_shown_at_its_fastest() -> None:
    judged = choose([ROW, SLOW, FASTEST], Limits(tpot_ms=1, own_service_level=False), Objective.FASTEST)
    assert (judged.answers, judged.too_slow) == ([], [FASTEST])


def test_an_unknown_time_to_first_token_breaks_no_limit() -> None:
    partial = replace(ROW, ttft_ms=None, throughput_tok_s=None, meets_service_level=False)
    judged = choose([partial], Limits(tpot_ms=50, ttft_ms=2000), Objective.THROUGHPUT_WITHIN)
    assert judged.answers == [partial]
    assert choose([partial], Limits(tpot_ms=10, ttft_ms=2000), Objective.THROUGHPUT_WITHIN).answers == []


def test_what_does_not_fit_and_what_is_refused_are_kept_apart() -> None:
    too_small = replace(ROW, state=State.DOES_NOT_FIT, tpot_ms=None, throughput_tok_s=None, shortfall_gb=7.0)
    refused = replace(ROW, offer="mystery-x1", state=State.REFUSED, tpot_ms=None, throughput_tok_s=None)
    judged = choose([too_small, refused], Limits(), Objective.THROUGHPUT_WITHIN)
    assert (judged.unfit, judged.refused, judged.answers) == ([too_small], [refused], [])


def test_users_beyond_one_machine_take_more_of_them_and_chips_limit_how_many() -> None:
    """100 users at 64 a machine take 2 machines, 16 chips, 72 USD an hour; the cost of a token stays."""
    (row,) = for_users([ROW], users=100, chips=16)
    assert row.machines == 2
    assert row.usd_per_hour == pytest.approx(72.0)
    assert row.usd_per_mtok == pytest.approx(1.0)
    assert for_users([ROW], users=100, chips=15) == []


def test_rows_are_ranked_and_unpriced_ones_come_last() -> None:
    dear = replace(ROW, offer="dear", throughput_tok_s=5_000.0)
    unpriced = replace(ROW, offer="unpriced", quote=None, tok_s_per_user=500.0)
    same_but_smaller = replace(ROW, offer="small", count=1)
    rows = [unpriced, dear, ROW, same_but_smaller]
    assert [row.offer for row in sorted_answers(rows, "usd")] == ["small", ROW.offer, "dear", "unpriced"]
    assert sorted_answers(rows, "speed")[0].offer == "unpriced"


def test_a_line_says_why_a_number_is_unknown() -> None:
    reason = "missing_rate: time to first token and throughput are not estimated: no peak rate is published"
    partial = replace(ROW, ttft_ms=None, throughput_tok_s=None, reason=reason)
    (line,) = lines([partial], date(2026, 3, 1))
    assert line.ttft.text == ""
    assert line.ttft.why == "time to first token and throughput are not estimated: no peak rate is published"
    assert line.tpot.text.strip("\u2007\u2008") == "20.0"


def test_the_whisker_runs_from_a_half_to_twice_the_number() -> None:
    """58 pixels; 0.8 of the number is log2 0.8 = -0.322 of the half width from the middle: 29 (1 - 0.322)."""
    (line,) = lines([ROW], date(2026, 3, 1))
    assert (line.tpot.x_low, line.tpot.x_high) == ("19.7", "38.3")
    wide = replace(ROW, tpot_low_ms=1.0, tpot_high_ms=400.0)
    assert (
        lines([wide], date(2026, 3, 1))[0].tpot.x_low,
        lines([wide], date(2026, 3, 1))[0].tpot.x_high,
    ) == ("0.0", "58.0")


def test_what_does_not_fit_says_the_smallest_change() -> None:
    small = replace(
        ROW,
        state=State.DOES_NOT_FIT,
        reason="does_not_fit: the memory is too small; 2 chips would hold it",
        shortfall_gb=20.0,
    )
    (line,) = lines([small], date(2026, 3, 1))
    assert line.why_not == "the memory is too small"
    assert line.change == "2 chips would hold it, or 25% more memory a chip"  # 20 of 80 GB
    assert line.shortfall == "20.0 GB a chip"


def test_the_vendor_is_not_said_twice() -> None:
    assert short_name(ROW) == "8× H100 SXM"


def test_csv_keeps_full_figures_and_disarms_formulas() -> None:
    header, line = csv_rows([replace(ROW, offer="=cmd()", tpot_ms=20.123456)])
    values = dict(zip(header, line, strict=True))
    assert values["offer"] == "'=cmd()"
    assert values["tpot_ms"] == 20.123456
    assert values["usd_per_hour"] == "36"
