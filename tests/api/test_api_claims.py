"""Claims over the API: the published number beside ours, filters by verdict, whole answers, CSV."""

import csv
import io
from typing import Any

import pytest
from django.test import Client

from catalog.figures import accept_figure
from catalog.models import PublishedClaim
from tests.api.small_catalogue import read

pytestmark = pytest.mark.django_db
NODE = "8-x-nvidia-h100-node-memory-total"


@pytest.fixture
def claims(catalogue: Any) -> Any:
    """640 GB on eight H100, which agrees; 3.35 PB/s, a thousand times too much; one without a question."""
    about = {"kind": "press", "source": catalogue.source, "accelerator": catalogue.h100, "relation": "eq"}
    PublishedClaim.objects.create(
        slug="h100-bandwidth",
        subject="H100",
        quantity="memory_bandwidth",
        value=3.35,
        unit="PB/s",
        parameters={"answer": {"by": "accelerator_figure", "figure": "memory_bandwidth_gbs"}},
        **about,
    )
    PublishedClaim.objects.create(slug="h100-open", subject="H100", quantity="charm", value=1, **about)
    return catalogue


def test_each_claim_has_our_number_and_verdict(client: Client, claims: Any) -> None:
    found = {row["slug"]: row for row in read(client, "claims")["results"]}
    assert (found[NODE]["verdict"], found[NODE]["our_value"]) == ("agrees", 640)
    assert found["h100-bandwidth"]["verdict"] == "disagrees"
    assert found["h100-bandwidth"]["our_value"] == pytest.approx(0.00335)
    assert found["h100-bandwidth"]["off_by"] == pytest.approx(1000 * 0.97, rel=1e-3)
    assert found["h100-open"]["verdict"] == "cannot_be_evaluated"
    assert found["h100-open"]["missing"] == ["how to answer it: its parameters have no `answer`"]


def test_claims_are_filtered_by_verdict_and_kept_as_pages(client: Client, claims: Any) -> None:
    found = read(client, "claims?verdict=disagrees&fields=slug,verdict")
    assert found["results"] == [{"slug": "h100-bandwidth", "verdict": "disagrees"}]
    assert read(client, "claims?limit=1")["count"] == 3
    refused = client.get("/api/v1/claims?verdict=perhaps").json()
    assert refused["errors"][0]["pointer"] == "?verdict"


def test_one_claim_has_its_rows_and_sentences(client: Client, claims: Any) -> None:
    answer = read(client, f"claims/{NODE}")["answer"]
    assert answer["sentences"]["claimed"] == "640 GB"
    assert answer["sentences"]["ours"] == "640 GB"
    assert answer["sentences"]["verdict"] == "agrees"
    assert answer["rows"][0]["value"] == 640


def test_a_changed_fact_changes_the_verdict_on_the_next_call(client: Client, claims: Any) -> None:
    assert read(client, f"claims/{NODE}")["verdict"] == "agrees"
    accept_figure(claims.h100, "memory_gb", 96, kind="vendor_claim", source=claims.source)
    changed = read(client, f"claims/{NODE}")
    assert (changed["verdict"], changed["our_value"], changed["stale"]) == ("disagrees", 768, False)


def test_claims_as_csv(client: Client, claims: Any) -> None:
    response = client.get("/api/v1/claims?fields=slug,value,our_value,verdict&format=csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert rows[0] == {"slug": NODE, "value": "640.0", "our_value": "640.0", "verdict": "agrees"}
