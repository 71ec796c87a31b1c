"""Searching the catalogue: which machines are looked at, their power and price, and how parts are merged."""

from decimal import Decimal
from typing import Any, get_args

import pytest

from catalog.models import Accelerator, PriceQuote, PurchasePrice, Source, System, Vendor
from catalog.models import Offer as OfferRow
from estimates.core.demand import OBJECTIVES
from estimates.search.answering import search_now
from estimates.search.machines import Park, park_of, rack_share, rated_power
from estimates.search.merging import MOST_WHOLE_PARTS, merged, pareto, ranked, shrunk, spread_out
from estimates.search.question import Objective, read_search
from tests.estimates.conftest import TinyCatalogue, add_quote

MODEL = "llama-3.1-8b-instruct"


def park(**question: Any) -> Park:
    return park_of(read_search({"model": MODEL, "price": {"basis": "none"}} | question))


def offers(**question: Any) -> list[str]:
    return [machine.offer for machine in park(**question).machines]


def test_the_objectives_of_a_question_are_those_of_the_core() -> None:
    assert get_args(Objective) == OBJECTIVES


class TestMachines:
    def test_what_can_be_had_is_looked_at_by_default(self, tiny: TinyCatalogue) -> None:
        assert offers() == ["nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8", "nvidia-l40s-x1"]
        Accelerator.objects.filter(pk=tiny.l40s.pk).update(status="discontinued")
        Accelerator.objects.filter(pk=tiny.h100.pk).update(status="cloud_only")
        assert offers() == ["nvidia-h100-sxm-x1", "nvidia-h100-sxm-x8"]

    def test_announced_parts_are_looked_at_when_asked_for_or_named(self, tiny: TinyCatalogue) -> None:
        assert offers(hardware={"statuses": ["announced"]}) == ["mystery-x1"]
        assert offers(hardware={"accelerators": "mystery"}) == ["mystery-x1"]

    def test_filters_hold_together(self, tiny: TinyCatalogue) -> None:
        Accelerator.objects.filter(pk=tiny.l40s.pk).update(segment="workstation")
        assert offers(hardware={"segments": "workstation", "vendors": "nvidia"}) == ["nvidia-l40s-x1"]
        assert offers(hardware={"segments": "workstation", "kinds": "npu"}) == []

    def test_a_retired_offer_is_not_looked_at(self, tiny: TinyCatalogue) -> None:
        OfferRow.objects.filter(slug="nvidia-h100-sxm-x8").update(retired=True)
        assert "nvidia-h100-sxm-x8" not in offers()

    def test_the_power_of_the_whole_machine_goes_before_that_of_its_chips(self, tiny: TinyCatalogue) -> None:
        """Eight H100 at 700 W are 5,600 W; a server of them is rated at 10,200 W."""
        found = {machine.offer: (machine.watts, machine.watts_from) for machine in park().machines}
        assert found["nvidia-h100-sxm-x8"] == (5600.0, "accelerators")
        assert found["nvidia-l40s-x1"] == (None, None)
        System.objects.create(
            slug="dgx",
            name="DGX",
            vendor=Vendor.objects.get(slug="nvidia"),
            accelerator=tiny.h100,
            accelerator_count=8,
            form="server",
            power_kw=10.2,
            offer=OfferRow.objects.get(slug="nvidia-h100-sxm-x8"),
        )
        machine = next(one for one in park().machines if one.offer == "nvidia-h100-sxm-x8")
        assert (machine.watts, machine.watts_from, machine.systems) == (10_200.0, "system", ("DGX",))

    def test_a_rack_is_one_and_others_take_their_share_of_your_rack_by_watts(self) -> None:
        """A machine of 10.2 kW takes 10.2 / 40.8 = a quarter of a rack of 40.8 kW."""
        assert rack_share(frozenset({"rack"}), 120_000.0, None) == 1.0
        assert rack_share(frozenset({"server"}), 10_200.0, 40.8) == pytest.approx(0.25)
        assert rack_share(frozenset({"server"}), 10_200.0, None) is None
        assert rated_power(None, None, 8) == (None, None)

    def test_without_a_basis_an_owned_price_is_shown_where_it_is_known(self, tiny: TinyCatalogue) -> None:
        source = Source.objects.create(slug="shop", title="Shop")
        PurchasePrice.objects.create(
            key="p", hardware_name="H100", accelerator=tiny.h100, price=Decimal(25_000), source=source
        )
        prices = {machine.offer: machine.price for machine in park().machines}
        assert prices["nvidia-h100-sxm-x8"].basis == "owned"
        assert prices["nvidia-l40s-x1"] is None

    def test_prices_follow_the_basis(self, tiny: TinyCatalogue, quote: PriceQuote) -> None:
        found = {one.offer: one.price for one in park(price={"basis": "on_demand"}).machines}
        assert found["nvidia-h100-sxm-x8"].usd_per_hour == Decimal(24)
        spot = {one.offer: one.price for one in park(price={"basis": "spot"}).machines}
        assert spot["nvidia-h100-sxm-x8"] is None


class TestAnswer:
    def test_a_priced_search_leaves_out_what_has_no_price(
        self, tiny: TinyCatalogue, quote: PriceQuote
    ) -> None:
        """The quote is of eight H100; one is priced by its eighth, the L40S by none."""
        found = search_now({"model": MODEL, "workload": "chat", "demand": {"concurrency": 16}})
        assert found["price_basis"] == "on_demand"
        prices = {row["offer"]: row["cost"]["price"]["usd_per_hour"] for row in found["results"]}
        assert prices == {"nvidia-h100-sxm-x1": "3", "nvidia-h100-sxm-x8": "24"}
        assert found["counts"]["excluded"] == {"price": 1}

    def test_money_is_the_price_times_the_machines_over_the_tokens(
        self, tiny: TinyCatalogue, quote: PriceQuote
    ) -> None:
        """USD per million = USD an hour / (tokens a second x 3600 s) x 1e6, spare machines included."""
        question = {"model": MODEL, "workload": "chat", "demand": {"concurrency": 16}}
        found = search_now(question | {"hardware": {"offers": "nvidia-h100-sxm-x8"}})
        (row,) = found["results"]
        hourly = 24 * row["machines"]
        assert row["cost"]["usd_per_hour"] == str(hourly)
        expected = hourly / (row["throughput_tok_s"]["mean"] * 3600) * 1e6
        assert float(row["cost"]["usd_per_mtok_output"]) == pytest.approx(expected, rel=1e-4)

    def test_a_cheaper_quote_changes_the_money_and_not_the_speed(
        self, tiny: TinyCatalogue, quote: PriceQuote
    ) -> None:
        question = {"model": MODEL, "workload": "chat", "demand": {"concurrency": 16}}
        before = search_now(question)["results"][0]
        add_quote(tiny.h100, 8, "12")
        after = search_now(question)["results"][0]
        assert after["tpot_ms"] == before["tpot_ms"]
        assert float(after["cost"]["usd_per_hour"]) == float(before["cost"]["usd_per_hour"]) / 2

    def test_the_workloads_limits_hold_unless_they_are_lifted(self, tiny: TinyCatalogue) -> None:
        question = {"model": MODEL, "workload": "chat", "price": {"basis": "none"}}
        asked = search_now(question | {"demand": {"concurrency": 16}})
        assert (asked["limits"]["tpot_ms"], asked["limits"]["ttft_ms"]) == (50.0, 2000.0)
        lifted = search_now(question | {"demand": {"concurrency": 16, "limits": "none", "tpot_ms": 30}})
        assert (lifted["limits"]["tpot_ms"], lifted["limits"]["ttft_ms"]) == (30.0, None)

    def test_a_model_that_generates_no_text_is_excluded_everywhere(self, tiny: TinyCatalogue) -> None:
        found = search_now({"model": "embedder", "workload": "chat", "price": {"basis": "none"}})
        assert found["results"] == []
        assert found["counts"]["excluded"] == {"model": 3}


def part(model: str, scores: list[float | None], front: list[tuple[float, float]] = ()) -> dict[str, Any]:
    """An answer of one model: rows of these scores, points of speed and throughput."""
    return {
        "model": model,
        "workload": {"workload": "chat"},
        "load": {"concurrency": 1, "requests_per_s": None},
        "limits": None,
        "counts": {"offers": 3, "feasible": len(scores), "vendors": 1, "excluded": {"memory": 1}},
        "results": [
            {
                "rank": rank,
                "model": model,
                "workload": "chat",
                "concurrency": 1,
                "asked_requests_per_s": None,
                "offer": f"offer-{rank}",
                "score": score,
            }
            for rank, score in enumerate(scores, 1)
        ],
        "front": {
            "speed_and_throughput_per_chip": [
                {"tok_s_per_user": x, "throughput_per_chip_tok_s": y, "usd_per_mtok_output": None}
                for x, y in front
            ],
            "speed_and_usd_per_mtok": [],
        },
        "excluded": [],
        "problem": None,
        "configurations": 10,
    }


class TestMerging:
    def test_the_best_rows_of_all_parts_come_first_the_unscored_last(self) -> None:
        rows = part("a", [1.0, 3.0])["results"] + part("b", [2.0, None])["results"]
        assert [(row["rank"], row["model"], row["score"]) for row in ranked(rows, 3)] == [
            (1, "a", 1.0),
            (2, "b", 2.0),
            (3, "a", 3.0),
        ]
        assert ranked(rows, 4)[3]["score"] is None

    def test_merging_does_not_depend_on_how_parts_were_grouped(self) -> None:
        """Fronts (10, 1), (5, 4) and (8, 3), (5, 3): nobody beats the first three, (5, 4) beats (5, 3)."""
        parts = [part("a", [1.0], [(10, 1), (5, 4)]), part("b", [2.0], [(8, 3), (5, 3)])]
        found = merged(iter(parts), {}, 5)
        points = found["front"]["speed_and_throughput_per_chip"]
        assert [(one["tok_s_per_user"], one["throughput_per_chip_tok_s"]) for one in points] == [
            (10, 1),
            (8, 3),
            (5, 4),
        ]
        assert found["configurations"] == 20
        assert found["counts"] == {"offers": 6, "feasible": 2, "vendors": 1, "excluded": {"memory": 2}}
        backwards = merged(iter(parts[::-1]), {}, 5)
        assert backwards["results"] == found["results"]
        assert backwards["front"] == found["front"]

    def test_cheaper_is_better_on_the_front_of_cost(self) -> None:
        points = [
            {"tok_s_per_user": 10, "usd_per_mtok_output": "3"},
            {"tok_s_per_user": 8, "usd_per_mtok_output": "4"},
            {"tok_s_per_user": 5, "usd_per_mtok_output": "1"},
            {"tok_s_per_user": 20, "usd_per_mtok_output": None},
        ]

        def axes(point: dict[str, Any]) -> tuple[float, float] | None:
            cost = point["usd_per_mtok_output"]
            return None if cost is None else (point["tok_s_per_user"], -float(cost))

        assert pareto(points, axes) == [points[0], points[2]]

    def test_of_very_many_parts_only_the_best_row_is_listed(self) -> None:
        parts = [part(f"model-{number:04}", [float(number)]) for number in range(MOST_WHOLE_PARTS + 1)]
        found = merged(parts, {}, 5)
        assert len(found["parts"]) == MOST_WHOLE_PARTS + 1
        assert found["parts"][0]["best"]["offer"] == "offer-1"
        assert "front" not in found["parts"][0]
        assert len(merged(parts[:-1], {}, 5)["parts"][0]["results"]) == 1

    def test_a_part_of_many_keeps_its_share(self) -> None:
        """5,000 rows and 20,000 points over 10,000 parts: one row each, and the least of four points."""
        whole = part("a", [1.0, 2.0, 3.0], [(float(10 - x), float(x)) for x in range(10)])
        kept = shrunk(whole, 10_000)
        assert len(kept["results"]) == 1
        assert len(kept["front"]["speed_and_throughput_per_chip"]) == 4
        assert shrunk(whole, 1) is whole

    def test_points_spread_out_keep_both_ends(self) -> None:
        points: list[Any] = list(range(11))
        assert spread_out(points, 3) == [0, 5, 10]
