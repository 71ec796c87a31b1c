"""The economics of estimates over HTTP: any price basis, steps, energy, sensitivity, hosted endpoints.

Eight H100 make 8,000 output tokens a second within the service level for 28.80 USD an hour on demand: 28.8
million tokens an hour, 1 USD per million. `chat` has as many tokens in as out.
"""

import json
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.test import Client

from catalog.models import PeakRate, Provider, Source, TokenPrice
from estimates.models import Estimate, Objective
from tests.api.small_catalogue import Catalogue, problem_of, read

pytestmark = pytest.mark.django_db


def row_of(offer: str, objective: Objective = Objective.THROUGHPUT_WITHIN) -> Estimate:
    return Estimate.objects.get(offer__slug=offer, objective=objective)


def ask(client: Client, query: str = "", offer: str = "nvidia-h100-sxm-x8") -> Any:
    return read(client, f"estimates/{row_of(offer).pk}/economics?{query}")


@pytest.fixture
def computed(catalogue: Catalogue) -> None:
    """The rate that prompts are computed at, without which no throughput of a what-if is known."""
    PeakRate.objects.create(accelerator=catalogue.h100, number_format="bf16", tera_ops=989)


@pytest.fixture
def hosted(catalogue: Catalogue) -> None:
    """Two endpoints: 0.20 in and 0.80 out are 0.50 blended; 1.00 and 3.00 are 2.00."""
    source = Source.objects.get(slug="datasheet")
    for name, asked_in, asked_out in (("cheap", "0.20", "0.80"), ("dear", "1.00", "3.00")):
        TokenPrice.objects.create(
            key=name,
            provider=Provider.objects.create(slug=name, name=name.title()),
            model_name="llama",
            language_model=catalogue.llama,
            input_usd_per_mtok=Decimal(asked_in),
            output_usd_per_mtok=Decimal(asked_out),
            observed_on="2026-01-01",
            source=source,
        )


def test_tokens_of_a_cached_estimate_cost_what_its_quote_says(client: Client, catalogue: Catalogue) -> None:
    body = ask(client)
    assert body["price"]["quote"]["provider"] == "example-cloud"
    assert body["price"]["age_days"] == 0
    assert body["tokens"]["output"]["usd_per_mtok"] == "1"
    assert body["tokens"]["output"]["tokens_per_usd"] == "1000000"
    assert body["tokens"]["blended"]["usd_per_mtok"] == "0.5"
    assert "steps" not in body
    assert "hosted" not in body


def test_any_is_the_cheapest_to_rent_and_none_asks_no_price(client: Client, catalogue: Catalogue) -> None:
    cheapest, unpriced = ask(client, "basis=any"), ask(client, "basis=none&energy=1")
    assert (cheapest["basis"], cheapest["price"]["usd_per_hour"]) == ("spot", "14.4")
    assert (unpriced["price"], unpriced["tokens"]) == (None, None)
    assert unpriced["missing"] == "no price was asked for"
    assert unpriced["energy"]["tokens"]["output"]["kwh_per_mtok"]


def test_owning_has_its_parts_and_terms(client: Client, catalogue: Catalogue) -> None:
    """8 x 25,000 USD over 4 years of 8,766 h: 5.703856 USD an hour; 8 x 0.7 kW x 1.5 x 0.10: 0.84."""
    query = (
        "basis=owned&years=4&pue=1.5&usd_per_kwh=0.10&hosting_usd_per_kw_month=0&utilisation=0.5&power_w=5600"
    )
    body = ask(client, query)
    owned = body["price"]["owned"]
    assert owned["amortisation_usd_per_hour"] == "5.703856"
    assert owned["energy_usd_per_hour"] == "0.84"
    # Half of the hours: 6.543856 x 2 an hour of use, over 28.8 million tokens.
    assert body["price"]["usd_per_hour"] == "13.087712"
    assert body["tokens"]["output"]["usd_per_mtok"] == "0.454434"
    assert body["utilisation"] == "0.5"
    assert any("chassis" in line for line in body["assumptions"])


def test_steps_name_the_figures_that_they_come_from(client: Client, catalogue: Catalogue) -> None:
    steps = {step["name"]: step for step in ask(client, "explain=1&energy=DE")["steps"]}
    assert steps["usd_per_hour"]["expression"] == "quoted by Example Cloud for 8"
    assert steps["tokens_per_hour"]["value"] == "28800000"
    assert steps["usd_per_mtok_output"]["expression"] == "28.8 / tokens_per_hour x 1e6"
    assert steps["kg_co2e_per_mtok_output"]["expression"].endswith("x 0.38095")


def test_sensitivity_asks_the_estimator_again_for_other_lengths(client: Client, computed: None) -> None:
    tornado = ask(client, "sensitivity=1")["sensitivity"]
    swings = [Decimal(bar["swing_usd_per_mtok"]) for bar in tornado["inputs"]]
    assert swings == sorted(swings, reverse=True)
    assert tornado["moves_most"] == tornado["inputs"][0]["name"]
    assert {"utilisation", "isl", "osl"} <= {bar["name"] for bar in tornado["inputs"]}
    assert set(tornado["fixed"]) == {"price", "throughput"}  # one provider; rows without an interval


def test_hosted_endpoints_stand_beside_with_the_break_even(client: Client, hosted: None) -> None:
    """0.50 USD per million blended at full load: as much as the cheap one asks, a quarter of the dear one."""
    found = ask(client, "hosted=1")["hosted"]
    cheap, dear = found["endpoints"]
    assert (cheap["provider"], cheap["blended_usd_per_mtok"]) == ("cheap", "0.5")
    assert (cheap["break_even_utilisation"], cheap["beats_it"]) == ("1", True)
    assert (dear["break_even_utilisation"], dear["break_even_output_tok_s"]) == ("0.25", "2000")
    # 2,000 output tokens a second are 2000 x 86400 / OSL requests a day.
    requests = Decimal(2000) * 86400 / Decimal(str(row_of("nvidia-h100-sxm-x8").workload.osl))
    assert Decimal(dear["break_even_requests_per_day"]) == pytest.approx(requests)


def test_every_offer_against_the_endpoints(client: Client, hosted: None) -> None:
    """Eight MI300X make as many tokens for 18 USD: 0.3125 blended, 62.5% of the hours against 0.50."""
    body = read(client, "estimates/break-even?model=llama-3.1-70b-instruct")
    assert [even["offer"] for even in body["offers"]] == ["amd-mi300x-x8", "nvidia-h100-sxm-x8"]
    assert body["offers"][0]["usd_per_mtok_blended"] == "0.3125"
    assert body["offers"][0]["against_cheapest"]["break_even_utilisation"] == "0.625"
    assert (body["cheapest"], body["median"], body["beat_cheapest"]) == ("cheap", "cheap", 2)
    answer = client.get("/api/v1/estimates/break-even?model=llama-3.1-70b-instruct&format=csv")
    lines = answer.content.decode().splitlines()
    assert lines[0].startswith("offer,accelerator,count,estimate,basis,usd_per_hour")
    assert len(lines) == 3


def test_a_what_if_has_its_economics(client: Client, hosted: None, computed: None) -> None:
    question = {
        "model": "llama-3.1-70b-instruct",
        "offer": "nvidia-h100-sxm-x8",
        "price": {"basis": "owned", "owned": {"years": 5, "power_w": 10200}},
        "economics": {"explain": True, "hosted": True, "energy": {"country": "SE"}, "utilisation": 0.6},
    }
    answer = client.post("/api/v1/estimates/evaluate", json.dumps(question), content_type="application/json")
    body = orjson.loads(answer.content)
    found = body["economics"]
    assert found["price"]["owned"]["purchase"]["usd"] == "200000"
    assert found["energy"]["carbon"]["name"] == "Sweden"
    assert body["cost"]["usd_per_mtok_output"] == found["tokens"]["output"]["usd_per_mtok"]
    assert found["hosted"]["endpoints"][0]["provider"] == "cheap"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("basis=leased", "?basis"),
        ("as_of=yesterday", "?as_of"),
        ("basis=owned&years=0", "?years"),
        ("basis=owned&pue=0.5", "?pue"),
        ("utilisation=1.5", "?utilisation"),
        ("utilisation=nan", "?utilisation"),
        ("explain=perhaps", "?explain"),
        ("energy=Germany", "?energy"),
        ("colour=red", "?colour"),
    ],
)
def test_bad_parameters_are_refused_at_their_place(
    query: str, pointer: str, client: Client, catalogue: Catalogue
) -> None:
    address = f"/api/v1/estimates/{row_of('nvidia-h100-sxm-x8').pk}/economics?{query}"
    assert problem_of(client.get(address), 400)["errors"][0]["pointer"] == pointer


def test_unknown_names_are_refused(client: Client, catalogue: Catalogue) -> None:
    problem_of(client.get("/api/v1/estimates/0/economics"), 404)
    for query, pointer in (("", "?model"), ("model=llama", "?model")):
        problem = problem_of(client.get(f"/api/v1/estimates/break-even?{query}"), 400)
        assert problem["errors"][0]["pointer"] == pointer


def test_a_basis_that_contradicts_the_pricing_model_is_refused(client: Client, catalogue: Catalogue) -> None:
    question = {
        "model": "llama-3.1-70b-instruct",
        "offer": "nvidia-h100-sxm-x8",
        "price": {"basis": "owned", "pricing_model": "spot"},
    }
    answer = client.post("/api/v1/estimates/evaluate", json.dumps(question), content_type="application/json")
    assert problem_of(answer, 400)["errors"][0]["pointer"] == "/price/pricing_model"
