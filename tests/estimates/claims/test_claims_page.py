"""The claims page without a script: complete in its markup, its address holds the question, never a 500."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.test import Client

from catalog.models import PublishedClaim
from estimates.pages.claims.lines import MIDDLE, place
from tests.estimates.claims.test_claim_answers import claim, speed
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db


@pytest.fixture
def claims(tiny: TinyCatalogue) -> list[PublishedClaim]:
    """640 GB, which agrees; 100,000 tok/s, which does not; an open question; a missing fact."""
    memory = {"by": "system_figure", "figure": "memory_total"}
    return [
        claim(
            640,
            "GB",
            quantity="memory_total",
            accelerator=tiny.h100,
            stated={"count": 8},
            answer=memory,
        ),
        speed(tiny, 100_000, over={"concurrency": [1, 2]}, assume=["one card"]),
        speed(tiny, None),
        claim(
            1,
            "GB/s",
            accelerator=tiny.mystery,
            answer={"by": "accelerator_figure", "figure": "memory_bandwidth_gbs"},
        ),
    ]


def get(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def row_of(page: str, slug: str) -> str:
    found = re.search(rf'<tr id="{slug}".*?</tr>', page, re.DOTALL)
    assert found, slug
    return found[0]


@pytest.mark.usefixtures("claims")
def test_the_page_counts_the_verdicts(client: Client) -> None:
    text = text_of(get(client, "/claims/"))
    assert "4 claims: 1 agrees 1 disagrees 1 answered 1 cannot be evaluated" in text


def test_each_claim_has_its_number_ours_and_a_glyph(client: Client, claims: list[PublishedClaim]) -> None:
    page = get(client, "/claims/")
    row = row_of(page, claims[0].slug)
    assert "640 GB" in text_of(row)
    assert 'href="#verdict-agrees"' in row
    wrong = row_of(page, claims[1].slug)
    assert 'href="#verdict-disagrees"' in wrong
    assert "times our highest" in text_of(wrong)
    assert "concurrency: 1, 2" in text_of(wrong)
    assert "memory_bandwidth_gbs of mystery" in row_of(page, claims[3].slug)


def test_the_page_is_narrowed_by_verdict_and_kind(client: Client, claims: list[PublishedClaim]) -> None:
    page = get(client, "/claims/?verdict=disagrees")
    assert f'id="{claims[1].slug}"' in page
    assert f'id="{claims[0].slug}"' not in page
    assert f'id="{claims[0].slug}"' in get(client, "/claims/?figures=catalogue")
    assert "No claim is like that" in get(client, "/claims/?figures=cost")


def test_an_open_claim_shows_each_condition_and_what_is_assumed(
    client: Client, claims: list[PublishedClaim]
) -> None:
    page = text_of(get(client, f"/claims/?open={claims[1].slug}"))
    assert "Assumed one card" in page
    assert "Each condition" in page
    assert "1 x nvidia-h100-sxm" not in page  # one card is named without a count
    assert "nvidia-h100-sxm, bf16" in page


@pytest.mark.parametrize("query", ["verdict=perhaps", "figures=all", "vendor=nobody"])
def test_an_unknown_value_is_told_with_what_is_accepted(
    query: str, client: Client, claims: list[PublishedClaim]
) -> None:
    assert "is not accepted" in get(client, f"/claims/?{query}", 400)
    get(client, f"/claims/table.csv?{query}", 400)


def test_the_table_as_csv(client: Client, claims: list[PublishedClaim]) -> None:
    rows = {row["slug"]: row for row in csv.DictReader(io.StringIO(get(client, "/claims/table.csv")))}
    assert len(rows) == 4
    assert (rows[claims[0].slug]["claimed"], rows[claims[0].slug]["our_value"]) == ("640.0", "640.0")
    assert rows[claims[3].slug]["missing"] == "memory_bandwidth_gbs of mystery"
    narrowed = list(csv.DictReader(io.StringIO(get(client, "/claims/table.csv?verdict=agrees"))))
    assert [row["slug"] for row in narrowed] == [claims[0].slug]


def test_without_claims_the_page_says_so(client: Client, tiny: TinyCatalogue) -> None:
    assert "No claim" in get(client, "/claims/")


def test_ours_is_drawn_relative_to_the_claim_and_never_outside() -> None:
    """Equal: in the middle; 16 times and more: at the right end, 4 short; a quarter: half way left."""
    assert place(1) == MIDDLE
    assert place(16) == place(1000) == 2 * MIDDLE - 4
    assert place(0.25) == pytest.approx(MIDDLE - (MIDDLE - 4) / 2)
