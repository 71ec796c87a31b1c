"""The API of changes: one change, the history of one thing, taking a change back, and what moved by it."""

import json
from typing import Any

import pytest
from django.test import Client

from catalog.figures import accepted_value
from catalog.models import Accelerator, Link, PriceQuote, Vendor, Workload
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
H100 = "accelerators/nvidia-h100-sxm"


def patched(client: Client, token: str, value: float = 4020) -> dict[str, Any]:
    """Give the H100 another bandwidth; the change of its column."""
    body = {
        "memory_bandwidth_gbs": value,
        "source": {"slug": "datasheet"},
        "kind": "vendor_claim",
        "change_reason": f"revision {value}",
    }
    answer = client.patch(
        f"/api/v1/{H100}",
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "if-match": "*"},
    )
    assert answer.status_code == 200, answer.content
    changes = read(client, f"{H100}/history?resource=accelerators")["results"]
    return next(c for c in changes if any(d["field"] == "memory_bandwidth_gbs" for d in c["diff"]))


def post(client: Client, token: str, change: str, **body: Any) -> Any:
    return client.post(
        f"/api/v1/changes/{change}/revert",
        json.dumps({"change_reason": "misread", **body}),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )


def test_the_history_of_a_thing_holds_its_parts_newest_first(
    client: Client, catalogue: Any, write_token: str
) -> None:
    patched(client, write_token)
    rows = read(client, f"{H100}/history")["results"]
    assert {"accelerators", "figures", "links", "peak-rates", "offers"} == {row["resource"] for row in rows}
    times = [row["at"] for row in rows]
    assert times == sorted(times, reverse=True)
    assert read(client, f"{H100}/history?limit=2")["next"].endswith("limit=2&offset=2")


def test_each_change_has_a_diff_and_who_and_why(client: Client, catalogue: Any, write_token: str) -> None:
    change = patched(client, write_token)
    assert {"field": "memory_bandwidth_gbs", "before": 3350.0, "after": 4020.0} in change["diff"]
    assert (change["user"], change["reason"]) == ("editor", "revision 4020")
    assert change["request_id"]
    assert read(client, f"changes/{change['id']}") == change


@pytest.mark.parametrize(
    "address",
    [
        "systems/nvidia-dgx-h100",
        "models/llama-3.1-70b-instruct",
        "vendors/nvidia",
        "workloads/chat",
        "sources/datasheet",
        "claims/8-x-nvidia-h100-node-memory-total",
        "offers/nvidia-h100-sxm-x8",
        "providers/example-cloud",
    ],
)
def test_every_thing_with_a_slug_has_a_history(address: str, client: Client, catalogue: Any) -> None:
    assert any(row["action"] == "insert" for row in read(client, f"{address}/history")["results"])


def test_a_deleted_thing_keeps_its_history(client: Client, catalogue: Any) -> None:
    Vendor.objects.create(slug="gone", name="Gone").delete()
    assert [row["action"] for row in read(client, "vendors/gone/history")["results"]] == ["delete", "insert"]
    assert problem_of(client.get("/api/v1/vendors/never/history"), 404)["title"]


def test_a_change_is_taken_back_as_a_new_change(client: Client, catalogue: Any, write_token: str) -> None:
    change = patched(client, write_token)
    answer = post(client, write_token, change["id"])
    assert answer.status_code == 200, answer.content
    made = answer.json()["changes"]
    assert {row["reason"] for row in made} == {f"revert of {change['id']}: misread"}
    assert {row["reverts"] for row in made} == {change["id"]}
    row = Accelerator.objects.get(slug="nvidia-h100-sxm")
    assert row.memory_bandwidth_gbs == accepted_value(row, "memory_bandwidth_gbs") == 3350


def test_a_later_change_is_named_and_kept_unless_its_state_is_given(
    client: Client, catalogue: Any, write_token: str
) -> None:
    first = patched(client, write_token)
    patched(client, write_token, 5000)
    problem = problem_of(post(client, write_token, first["id"]), 409)
    assert problem["errors"][0]["pointer"] == "/current/memory_bandwidth_gbs"
    assert problem["errors"][0]["accepted"] == 5000
    row = Accelerator.objects.get(slug="nvidia-h100-sxm")
    assert row.memory_bandwidth_gbs == 5000
    forced = post(client, write_token, first["id"], current={"memory_bandwidth_gbs": 5000})
    assert forced.status_code == 200, forced.content
    row.refresh_from_db()
    assert row.memory_bandwidth_gbs == accepted_value(row, "memory_bandwidth_gbs") == 3350


def test_a_revert_asks_for_a_scope_and_a_reason(
    client: Client, catalogue: Any, write_token: str, read_token: str
) -> None:
    change = patched(client, write_token)
    assert post(client, read_token, change["id"]).status_code == 403
    problem = problem_of(post(client, write_token, change["id"], change_reason=" "), 400)
    assert problem["errors"][0]["pointer"] == "/change_reason"
    assert problem_of(post(client, write_token, "accelerators-99999999"), 404)["status"] == 404


# ---- What moved ------------------------------------------------------------------------------------------


def test_a_change_whose_calculations_wait_is_pending(
    client: Client, catalogue: Any, write_token: str
) -> None:
    change = patched(client, write_token)
    effects = read(client, f"changes/{change['id']}/effects")
    assert (effects["status"], effects["calculations"], effects["pending"]) == ("pending", 1, 1)
    assert [one["slug"] for one in effects["raised"]] == ["nvidia-h100-sxm"]


def test_a_provider_moves_nothing(client: Client, catalogue: Any) -> None:
    change = read(client, "providers/example-cloud/history")["results"][0]
    assert read(client, f"changes/{change['id']}/effects")["status"] == "no_effect"


def test_a_quote_moves_costs_only_and_says_of_which_offers(client: Client, catalogue: Any) -> None:
    """14.40 an hour for 8 is the cheapest; 12.00 takes its place, and 1.50 of it for one."""
    former = PriceQuote.objects.get(accelerator=catalogue.h100, pricing_model="spot")
    former.pk, former.key, former.price_per_hour = None, "cheaper", "12.00"
    former.offering = "8 x cheaper"
    former.save(force_insert=True)
    change = read(client, "changes?resource=price-quotes&limit=1")["results"][0]
    effects = read(client, f"changes/{change['id']}/effects")
    assert effects["status"] == "costs_only"
    assert effects["prices"] == [
        {
            "offer": f"nvidia-h100-sxm-x{count}",
            "pricing_model": "spot",
            "before_usd_per_hour": before,
            "after_usd_per_hour": after,
        }
        for count, before, after in ((1, "1.8", "1.5"), (8, "14.4", "12"))
    ]


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "colour=red"])
def test_bad_parameters_of_the_effects_are_named(query: str, client: Client, catalogue: Any) -> None:
    change = read(client, "changes?limit=1")["results"][0]["id"]
    assert problem_of(client.get(f"/api/v1/changes/{change}/effects?{query}"), 400)["errors"]


def test_a_part_has_the_effects_of_its_accelerator(client: Client, catalogue: Any) -> None:
    Link.objects.filter(accelerator=catalogue.h100).update(bandwidth_gbs=900)
    change = read(client, f"{H100}/history?resource=links")["results"][0]
    assert read(client, f"changes/{change['id']}/effects")["raised"][0]["slug"] == "nvidia-h100-sxm"


def test_a_workload_makes_every_calculation_wait(client: Client, catalogue: Any) -> None:
    Workload.objects.filter(slug="chat").update(isl=512)
    change = read(client, "workloads/chat/history")["results"][0]
    effects = read(client, f"changes/{change['id']}/effects")
    assert (effects["status"], effects["pending"]) == ("pending", 2)
