"""The load of an opened row: a fragment with drawings and tables, a page without a script."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.models import PriceQuote
from estimates import sweeper
from estimates.models import Estimate, State
from estimates.pages.load import Load, draw
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db


def point(axis: str, load: float, **values: Any) -> dict[str, Any]:
    """A point of 100 tok/s a client, 10 ms to a token, 200 ms mean first token of which 150 are the wave."""
    times = {
        f"{m}_{at}_ms{end}": 10.0
        for m in ("tpot", "ttft")
        for at in ("mean", "median", "p95")
        for end in ("", "_low", "_high")
    }
    found = times | {
        "axis": axis,
        "concurrency": load,
        "requests_per_s": load / 10,
        "state": "ok",
        "throughput_tok_s": 100 * load,
        "throughput_tok_s_low": 90 * load,
        "throughput_tok_s_high": 110 * load,
        "ttft_mean_ms": 200.0,
        "ttft_median_ms": 50.0,
        "ttft_first_wave_ms": 150.0 if axis == "concurrency" else 0,
    }
    return found | values


def drawing(**changes: Any) -> Load:
    points = [point("concurrency", load) for load in (1, 10, 100)]
    points += [point("requests_per_s", load) for load in (10, 100)]
    found = {
        "saturation": {
            "concurrency": 100,
            "requests_per_s": 10.0,
            "requests_per_s_low": 8.0,
            "requests_per_s_high": 12.0,
        },
        "reason": None,
        "limits": [],
        "points": points,
    }
    return draw(found | changes)


def test_clients_stand_in_logarithms_and_rates_evenly() -> None:
    clients, rates = drawing().curves
    # of 460 units 52 are left and 12 right: 10 of 1..100 clients lie half way, 1 of 0..10 requests/s a tenth
    assert [dot.x for dot in clients.panels[0].lines[0].dots] == [52, 250, 448]
    assert [dot.x for dot in rates.panels[0].lines[0].dots] == [pytest.approx(91.6), 448]
    assert clients.panels[0].full == 448


def test_it_says_which_part_of_the_mean_is_the_first_wave() -> None:
    shown = drawing()
    assert "With 100 of them the mean first token is 200 ms, of which 150 ms is that first wave" in shown.wave
    assert "the median, 50.0 ms, is without it" in shown.wave
    assert "up to 10.0 requests a second (80%: 8.00 to 12.0)" in shown.sentence


def test_what_does_not_run_has_its_reason_and_no_drawing() -> None:
    shown = drawing(saturation=None, reason={"detail": "61 GB more are needed"}, points=[])
    assert (shown.curves, shown.reason) == ([], "61 GB more are needed")


def test_the_fragment_and_the_page_hold_both_curves(
    client: Client, tiny: TinyCatalogue, quote: PriceQuote, settings: Any
) -> None:
    settings.ATLAS_ANONYMOUS_READ = True
    sweeper.sweep()
    row = Estimate.objects.filter(state=State.OK).first()
    assert row is not None
    address = reverse("explorer:load", args=[row.pk])
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert fragment.count('<svg class="load"') == 4
    assert fragment.count('<table class="load-table"') == 2
    assert f"/api/v1/estimates/{row.pk}/curve?format=csv" in fragment
    assert "<html" not in fragment
    page = client.get(address).content.decode()
    assert page.count('<svg class="load"') == 4
    assert "<h1" in page


def test_a_row_that_is_not_there(client: Client, tiny: TinyCatalogue, settings: Any) -> None:
    settings.ATLAS_ANONYMOUS_READ = True
    assert client.get(reverse("explorer:load", args=[999_999_999])).status_code == 404
