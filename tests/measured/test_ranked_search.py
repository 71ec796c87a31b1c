"""The order of a search: what it is asked for each view, and that its figures are those of the search."""

from typing import Any

import pytest

from estimates.core.demand import Bounds, Candidate, Demand
from estimates.core.facts import Workload
from estimates.core.search import search
from estimates.fact_book import FactBook
from estimates.from_catalog import chip_of, offer_of
from estimates.measured.places import Group, Place, System, View
from estimates.measured.questions import read_names
from estimates.measured.ranked_search import demand_at, is_searched, searched
from estimates.measured.runs import Run
from estimates.method import efficiency
from estimates.what_if import Question
from tests.estimates.conftest import TinyCatalogue

LOOP = Group("llama-3.1-8b-instruct", 1024, 512, "closed_loop", "aggregated", "vllm")
OFFLINE = LOOP._replace(scenario="offline_max_throughput")
WORK = Workload("w", 1024, 512)


def run(accelerator: str, count: int, **changes: Any) -> Run:
    values: dict[str, Any] = {"model": "llama-3.1-8b-instruct", "isl": 1024.0, "osl": 512.0}
    values |= {"weight_format": "bf16", "framework": "vLLM", "scenario": "closed_loop", "concurrency": 64.0}
    values |= {"metrics": (("output_tok_s_total", 1000.0),)}
    return Run(
        run_id=f"{accelerator}-{count}", accelerator=accelerator, n_accelerators=count, **values | changes
    )


def place(*runs: Run, by_chip: bool = False) -> Place:
    first = runs[0]
    count = None if by_chip else first.n_accelerators
    return Place(System(first.accelerator or "", count), 1.0, {}, None, runs)


def found(group: Group, view: View, *places: Place) -> dict[System, float]:
    return searched(group, view, places, FactBook(), read_names(), efficiency())


def best(count: int, demand: Demand, formats: tuple[str, ...]) -> float:
    """What a search of one offer of H100 answers."""
    question = Question.model_validate(
        {
            "model": "llama-3.1-8b-instruct",
            "accelerator": "nvidia-h100-sxm",
            "count": count,
            "workload": "chat",
        }
    )
    book = FactBook()
    hardware = book.hardware_of(question)
    offer = offer_of(hardware.shape, hardware.sheet, chip_of(hardware.sheet))
    answer = search(
        book.model_of(question),
        [Candidate(offer)],
        WORK,
        demand,
        Bounds(machines=1, formats=formats, software="vllm"),
        "throughput_per_chip",
        efficiency(),
        fronts=False,
    )
    return answer.found[0].throughput_per_chip


def test_at_one_load_a_system_is_asked_to_carry_its_users(tiny: TinyCatalogue):
    answer = found(LOOP, View("load", 64.0), place(run("nvidia-h100-sxm", 8)), place(run("nvidia-l40s", 1)))
    assert set(answer) == {System("nvidia-h100-sxm", 8), System("nvidia-l40s", 1)}
    expected = best(8, Demand(concurrency=64, spare=0), ("bf16",))
    assert answer[System("nvidia-h100-sxm", 8)] == pytest.approx(expected)
    # A chip of the eight has 8 of the 64 users.
    assert expected < best(1, Demand(concurrency=64, spare=0), ("bf16",))


def test_a_chip_is_asked_for_its_best_in_the_numbers_and_formats_measured(tiny: TinyCatalogue):
    view = View("speed", 50.0, "chip")
    runs = (run("nvidia-h100-sxm", 1), run("nvidia-h100-sxm", 8, weight_format="fp8"))
    (answer,) = found(LOOP, view, place(*runs, by_chip=True)).values()
    demand = Demand(tpot_s=1 / 50, spare=0)
    both = [best(count, demand, (scheme,)) for count in (1, 8) for scheme in ("bf16", "fp8")]
    assert answer == pytest.approx(max(both))
    (alone,) = found(LOOP, view, place(runs[0], by_chip=True)).values()
    assert alone == pytest.approx(both[0])
    assert alone < answer


def test_pools_of_their_own_are_searched_where_they_were_measured(tiny: TinyCatalogue):
    pools = LOOP._replace(serving="disaggregated")
    (apart,) = found(pools, View("load", 64.0), place(run("nvidia-h100-sxm", 8))).values()
    (together,) = found(LOOP, View("load", 64.0), place(run("nvidia-h100-sxm", 8))).values()
    assert apart != together


def test_what_the_catalogue_does_not_know_has_no_place(tiny: TinyCatalogue):
    answer = found(LOOP, View("load", 64.0), place(run("unheard-of", 8)), place(run("mystery", 1)))
    assert answer == {}


@pytest.mark.parametrize(
    ("group", "view", "asked"),
    [
        (LOOP, View("load", 64), True),
        (LOOP, View("speed", 50, "chip"), True),
        (LOOP, View("speed", 50), False),  # eight chips as one replica are not what a search would choose
        (LOOP, View("best"), False),  # at a load that the experimenter chose
        (LOOP, View("best", by="chip"), False),
        (OFFLINE, View("best", by="chip"), True),
        (OFFLINE, View("best"), False),
        (LOOP._replace(serving="disaggregated"), View("load", 64), True),
        (LOOP._replace(scenario="latency"), View("load", 64), False),
    ],
)
def test_which_views_a_search_can_answer(group: Group, view: View, asked: bool):
    saturating = [place(run("nvidia-h100-sxm", 8, concurrency=None))]
    assert is_searched(group, view, saturating) is asked


def test_a_batch_of_a_stated_size_is_no_full_load():
    assert not is_searched(OFFLINE, View("best", by="chip"), [place(run("nvidia-h100-sxm", 8))])


def test_the_limits_of_a_benchmark_are_kept_at_its_full_load():
    limited = Workload("w", 1024, 512, ttft_slo_s=2.0, tpot_slo_s=0.2)
    expected = Demand(ttft_s=2.0, ttft_at="p95", tpot_s=0.2, tpot_at="p95", spare=0)
    assert demand_at(View("best", by="chip"), limited) == expected
    assert demand_at(View("best", by="chip"), WORK).is_open
    assert demand_at(View("load", 64.0), WORK) == Demand(concurrency=64, spare=0)
    assert demand_at(View("speed", 50.0, "chip"), WORK) == Demand(tpot_s=0.02, spare=0)
