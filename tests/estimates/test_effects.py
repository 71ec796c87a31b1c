"""What a change moved in the estimates: read from the side of the change, after real recalculations."""

from typing import Any

import pghistory
import pytest
from django.test import Client

from catalog.models import Accelerator
from estimates import sweeper
from estimates.models import Calculation
from tests.api.small_catalogue import read
from tests.estimates.conftest import TinyCatalogue, build

# The unit of a change is its transaction: each edit needs one of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calculated(db: None) -> TinyCatalogue:
    tiny = build()
    sweeper.sweep()
    return tiny


def edit(tiny: TinyCatalogue, reason: str, **columns: Any) -> None:
    with pghistory.context(reason=reason):
        Accelerator.objects.filter(pk=tiny.h100.pk).update(**columns)


def effects(client: Client, reason: str) -> dict[str, Any]:
    changes = read(client, "changes?resource=accelerators&action=update")["results"]
    (change,) = [change for change in changes if change["reason"] == reason]
    return dict(read(client, f"changes/{change['id']}/effects"))


def test_a_change_waits_then_says_what_it_moved_farthest_first(
    client: Client, calculated: TinyCatalogue
) -> None:
    """4,020 GB/s in place of 3,350: no token comes more than 1.2 times as fast; an embedder has none."""
    edit(calculated, "new revision", memory_bandwidth_gbs=4020)
    waiting = effects(client, "new revision")
    assert (waiting["status"], waiting["calculations"], waiting["pending"]) == ("pending", 3, 3)
    sweeper.sweep()
    moved = effects(client, "new revision")
    assert (moved["status"], moved["pending"]) == ("moved", 0)
    assert {row["model"] for row in moved["results"]} == {"llama-3.1-8b-instruct", "llama-3.1-70b-instruct"}
    high = [row["throughput_ratio"]["high"] for row in moved["results"]]
    assert high == sorted(high, reverse=True)
    for row in moved["results"]:
        assert row["accelerator"] == "nvidia-h100-sxm"
        assert 1 / 1.2 - 1e-6 <= row["tpot_ratio_median"] < 1
        first = row["farthest"][0]
        assert first["offer"].startswith("nvidia-h100-sxm-x")
        assert first["workload"] == "chat"
        assert first["before"]["tpot_ms"] > first["after"]["tpot_ms"]
        assert row["together_with"] == []


def test_a_change_that_moves_nothing_says_so(client: Client, calculated: TinyCatalogue) -> None:
    edit(calculated, "a better name", name="H100 SXM5")
    sweeper.sweep()
    assert effects(client, "a better name")["status"] == "none_moved"


def test_changes_that_one_recalculation_took_in_are_named_beside_each_other(
    client: Client, calculated: TinyCatalogue
) -> None:
    edit(calculated, "first", memory_bandwidth_gbs=4020)
    edit(calculated, "second", memory_bandwidth_gbs=4800)
    sweeper.sweep()
    for reason, other in (("first", "second"), ("second", "first")):
        told = effects(client, reason)
        assert told["status"] == "moved"
        for row in told["results"]:
            assert [change["reason"] for change in row["together_with"]] == [other]


def test_later_recalculations_are_no_effect_of_an_earlier_change(
    client: Client, calculated: TinyCatalogue
) -> None:
    edit(calculated, "first", memory_bandwidth_gbs=4020)
    sweeper.sweep()
    before = effects(client, "first")["results"]
    edit(calculated, "second", memory_bandwidth_gbs=4800)
    sweeper.sweep()
    assert effects(client, "first")["results"] == before
    assert not Calculation.objects.filter(claimed_until__isnull=False).exists()
